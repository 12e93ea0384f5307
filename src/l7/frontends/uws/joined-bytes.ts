/** Bytes that a slow client has not taken, and those that come behind them. */

/** A copy: what uWebSockets.js hands out is gone when its handler returns. @param first null: nothing was kept */
export function joinedBytes(first: Uint8Array | null, second: Uint8Array): Uint8Array {
  if (first === null) return second.slice();
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
