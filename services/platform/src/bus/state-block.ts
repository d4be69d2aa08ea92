import { AppError } from '../errors.ts';

/**
 * A block of a changelog: format (1 byte), then entries in the order of writing, each with key length (uint16), value
 * length (uint32, TOMBSTONE for a removed key), key, value. Of one key the last entry counts.
 */
const FORMAT = 1;
const BLOCK_HEADER_BYTES = 1;
const ENTRY_HEADER_BYTES = 6;
const TOMBSTONE = 0xffff_ffff;

/** Builds one block after the other in one buffer, because the engine copies before `put` returns. */
export class BlockEncoder {
  #buffer = Buffer.alloc(64 * 1024);
  #end = BLOCK_HEADER_BYTES;

  /** Where the next entry begins, and what the block takes so far. */
  get end(): number {
    return this.#end;
  }

  reset(): void {
    this.#end = BLOCK_HEADER_BYTES;
  }

  add(key: string, value: Buffer | null): void {
    const most = entryBytes(key, value);
    if (this.#end + most > this.#buffer.length) {
      this.#buffer = Buffer.concat([this.#buffer.subarray(0, this.#end)], (this.#end + most) * 2);
    }
    const buffer = this.#buffer;
    const at = this.#end;
    const keyBytes = buffer.write(key, at + ENTRY_HEADER_BYTES, 'utf8');
    buffer.writeUInt16BE(keyBytes, at);
    buffer.writeUInt32BE(value === null ? TOMBSTONE : value.length, at + 2);
    const valueAt = at + ENTRY_HEADER_BYTES + keyBytes;
    if (value !== null) value.copy(buffer, valueAt);
    this.#end = valueAt + (value?.length ?? 0);
  }

  /** The bytes to store: valid until the next `add`. */
  bytes(): Buffer {
    this.#buffer[0] = FORMAT;
    return this.#buffer.subarray(0, this.#end);
  }
}

/** The most an entry can take. */
export function entryBytes(key: string, value: Buffer | null): number {
  return ENTRY_HEADER_BYTES + key.length * 3 + (value?.length ?? 0);
}

/**
 * Visits the entries of a block: key, where the entry begins, its bytes (0 for a tombstone, which holds no value).
 * @throws AppError EYRIE_DATA_DIR_NEWER, EYRIE_DATA_DIR_DAMAGED
 */
export function visitBlock(block: Buffer, visit: (key: string, at: number, bytes: number) => void): void {
  if (block[0] !== FORMAT) throw new AppError('EYRIE_DATA_DIR_NEWER', `state block of format ${block[0]}`);
  let at = BLOCK_HEADER_BYTES;
  while (at < block.length) {
    const keyAt = at + ENTRY_HEADER_BYTES;
    if (keyAt > block.length) throw cutOff();
    const keyEnd = keyAt + block.readUInt16BE(at);
    const length = block.readUInt32BE(at + 2);
    const end = keyEnd + (length === TOMBSTONE ? 0 : length);
    if (end > block.length) throw cutOff();
    visit(block.toString('utf8', keyAt, keyEnd), at, length === TOMBSTONE ? 0 : end - at);
    at = end;
  }
}

/** The value of the entry that begins at `at`: a view into the block. */
export function valueAt(block: Buffer, at: number): Buffer {
  const start = at + ENTRY_HEADER_BYTES + block.readUInt16BE(at);
  return block.subarray(start, start + block.readUInt32BE(at + 2));
}

/** A copy of it, so that whoever keeps one value does not keep its whole block. */
export function copyValue(block: Buffer, at: number): Buffer {
  const start = at + ENTRY_HEADER_BYTES + block.readUInt16BE(at);
  const value = Buffer.allocUnsafe(block.readUInt32BE(at + 2));
  block.copy(value, 0, start, start + value.length);
  return value;
}

function cutOff(): AppError {
  return new AppError(
    'EYRIE_DATA_DIR_DAMAGED',
    'a state block is cut off. Restore a backup, or move the data directory away and start with an empty one',
  );
}
