/** The bodies that every endpoint answers with, by path. */
import { createHash } from 'node:crypto';
import { BODY_BYTES } from '../scenarios/scenario.mjs';

const SENTENCE = 'The quick brown fox jumps over the lazy dog';

/** The body of a path. @param {string} path one of BODY_BYTES @returns {Buffer} */
export function bodyOf(path) {
  if (path === '/') return Buffer.from(SENTENCE);
  const body = Buffer.alloc(BODY_BYTES[path]);
  // Not a run of one byte: a body whose parts changed places must not pass. A multiplicative generator, the same everywhere.
  for (let offset = 0, state = 1; offset + 4 <= body.length; offset += 4) {
    state = Math.imul(state, 48271) >>> 0;
    body.writeUInt32LE(state, offset);
  }
  return body;
}

/** SHA-256 in hex. @param {Uint8Array} bytes */
export function hashOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
