/** The body with as many of the entries, from the first on, as fit; with none of them at least. `maximum`: bytes. */
export function fitBody<T>(entries: readonly T[], maximum: number, make: (kept: readonly T[]) => string): string {
  for (let kept = entries; ; kept = kept.slice(0, Math.floor(kept.length / 2))) {
    const body = make(kept);
    if (Buffer.byteLength(body) < maximum || kept.length === 0) return body;
  }
}
