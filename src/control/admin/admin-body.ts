/** Reads the body of a write to the admin API, up to a limit. */
import type { IncomingMessage } from 'node:http';
import { type AdminAnswer, failure } from './answer.js';

/** A change is a few words, a question about a request at most a head; what is larger is none. */
const BODY_LIMIT_BYTES = 16 * 1024;

/** The rest of the body is not waited for: the connection closes. */
export const TOO_LARGE: AdminAnswer = failure(413, 'body-too-large', `a body has at most ${BODY_LIMIT_BYTES} bytes`, {
  headers: { connection: 'close' },
});

/**
 * Reads a body as UTF-8. How long that may take is bounded by the listener's time for a whole request.
 *
 * @returns the text, or null: it is too large. Where the client leaves before, nobody needs an answer, and none comes
 */
export function readBody(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_LIMIT_BYTES) {
        chunks.push(chunk);
        return;
      }
      request.removeAllListeners('data').removeAllListeners('end').resume();
      resolve(null);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}
