/**
 * What each request of the load is, by its number: load, endpoints and judge work it out from the same seed, so that nobody has to tell
 * the others.
 */

/** Methods of the load. All but the last are idempotent (RFC 9110 section 9.2.2). */
export const METHODS = ['GET', 'PUT', 'DELETE', 'POST'];

/** The field by which endpoints know a request. */
export const ID_FIELD = 'x-chaos-id';

/** Where the share of each method ends, per mille: reads above all, as in most applications, and enough POSTs for a sound count. */
const SHARES_END = [600, 750, 850, 1000];
const SMALL_BODY_BYTES = 1024;
/** One body in so many is large: more than one read, and less than what is held for a retry (64 KiB). */
const LARGE_ONE_IN = 32;
const LARGE_BODY_BYTES = 24 * 1024;
const ANSWER_PAD_BYTES = 512;

/** 32 well-mixed bits of a number (the finalizer of MurmurHash3). @param {number} seed @param {number} id @returns {number} */
export function bitsOf(seed, id) {
  let bits = Math.imul(id ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** @param {number} seed @param {number} id @returns {string} one of METHODS */
export function methodOf(seed, id) {
  const place = bitsOf(seed, id) % 1000;
  return METHODS[SHARES_END.findIndex((end) => place < end)];
}

/** @param {string} method */
export function isIdempotent(method) {
  return method !== 'POST';
}

/** Bytes of the request's body. @param {number} seed @param {number} id @param {string} method @returns {number} */
export function requestBodyBytes(seed, id, method) {
  if (method !== 'PUT' && method !== 'POST') return 0;
  const bits = bitsOf(seed + 1, id);
  return bits % LARGE_ONE_IN === 0 ? LARGE_BODY_BYTES : 1 + (bits % SMALL_BODY_BYTES);
}

/** The right answer to a request: nobody else's, and of a length of its own. @param {number} id @param {string} endpointName */
export function answerTo(id, endpointName) {
  return `${id} ${endpointName} ${'.'.repeat(bitsOf(2, id) % ANSWER_PAD_BYTES)}`;
}

/** Numbers in [0, 1) from a seed (Tommy Ettinger's mulberry32). @param {number} seed @returns {() => number} */
export function drawsFrom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes of one entry of a journal: the request's number and the lower 32 bits of the time (Unix, ms). */
export const ENTRY_BYTES = 8;
