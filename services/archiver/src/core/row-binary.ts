/**
 * Encodes rows as ClickHouse RowBinary into one growing buffer that is used again and again.
 * The hottest code of the archiver: short texts are copied character by character while they are ASCII, because a call
 * into native code costs more than that.
 */
const SHORT = 40;

export class RowBinaryWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(initialBytes = 1024 * 1024) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  get bytes(): number {
    return this.#length;
  }

  /** The rows so far, as a view: valid until the next write after `rewind`. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Forgets what was written after `bytes`: a record that could not be finished, or all of a batch that is stored. */
  rewind(bytes: number): void {
    this.#length = bytes;
  }

  text(value: string): void {
    const { length } = value;
    this.#reserve(length * 3 + 5);
    const buffer = this.#buffer;
    if (length <= SHORT) {
      const start = this.#length;
      let at = start + 1;
      let index = 0;
      for (; index < length; index += 1) {
        const code = value.charCodeAt(index);
        if (code > 127) break;
        buffer[at++] = code;
      }
      if (index === length) {
        buffer[start] = length;
        this.#length = at;
        return;
      }
    }
    // The length in bytes comes first: leave room for as many bytes of it as the length in characters needs.
    const room = varintBytes(length);
    const written = buffer.write(value, this.#length + room, 'utf8');
    const needed = varintBytes(written);
    if (needed !== room) buffer.copyWithin(this.#length + needed, this.#length + room, this.#length + room + written);
    this.#varint(written);
    this.#length += written;
  }

  bytesOf(value: Buffer): void {
    this.#reserve(value.length + 5);
    this.#varint(value.length);
    value.copy(this.#buffer, this.#length);
    this.#length += value.length;
  }

  /** @throws TypeError for what is no list: a text has another length than items, and the rows behind it would be lost with it */
  texts(values: readonly string[]): void {
    if (!Array.isArray(values)) throw new TypeError('no list of texts');
    this.#reserve(5);
    this.#varint(values.length);
    for (const value of values) this.text(value);
  }

  pairs(values: Readonly<Record<string, string>>): void {
    const entries = Object.entries(values);
    this.#reserve(5);
    this.#varint(entries.length);
    for (const [key, value] of entries) {
      this.text(key);
      this.text(value);
    }
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16LE(value, this.#length);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#u32(value);
  }

  i32(value: number): void {
    this.#reserve(4);
    this.#u32(value >>> 0);
  }

  /** Whole numbers up to 2^53, in 64 bits; negative ones in two's complement. */
  i64(value: number): void {
    this.#reserve(8);
    const high = Math.floor(value / 4_294_967_296);
    this.#u32(value - high * 4_294_967_296);
    this.#u32(high >>> 0);
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  /** DateTime64(9) of 19 decimal digits, without BigInt: two halves, each exact in a double. */
  nanos(value: string): void {
    this.#reserve(8);
    // value = high * 10^9 + low; as 64 bits: 10^9 * high in two products of at most 53 bits.
    const high = Number(value.slice(0, 10));
    const low = Number(value.slice(10));
    const lowProduct = (high % 65_536) * 1_000_000_000 + low;
    const highProduct = Math.floor(high / 65_536) * 1_000_000_000;
    // highProduct carries a factor of 2^16.
    const bottom = lowProduct + (highProduct % 65_536) * 65_536;
    const top = Math.floor(highProduct / 65_536) + Math.floor(bottom / 4_294_967_296);
    this.#u32(bottom % 4_294_967_296);
    this.#u32(top);
  }

  optionalI64(value: number | undefined): void {
    if (value === undefined) this.u8(1);
    else {
      this.u8(0);
      this.i64(value);
    }
  }

  optionalI32(value: number | undefined): void {
    if (value === undefined) this.u8(1);
    else {
      this.u8(0);
      this.i32(value);
    }
  }

  optionalF64(value: number | undefined): void {
    if (value === undefined) this.u8(1);
    else {
      this.u8(0);
      this.f64(value);
    }
  }

  #u32(value: number): void {
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = value;
    buffer[at++] = value >>> 8;
    buffer[at++] = value >>> 16;
    buffer[at++] = value >>> 24;
    this.#length = at;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function varintBytes(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  if (value < 2_097_152) return 3;
  return value < 268_435_456 ? 4 : 5;
}
