/** Reads the body of a write to the admin API, up to a limit. */
import type { IncomingMessage } from 'node:http';

/** A change is a few words; what is larger is none. */
export const BODY_LIMIT_BYTES = 16 * 1024;

/**
 * Reads a body as UTF-8. How long that may take is bounded by the listener's time for a whole request.
 *
 * @param done called once, unless the client leaves before: with the text, or with null when it is too large
 */
export function readBody(request: IncomingMessage, done: (text: string | null) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_LIMIT_BYTES) {
      chunks.push(chunk);
      return;
    }
    request.removeAllListeners('data').removeAllListeners('end').resume();
    done(null);
  });
  request.once('end', () => done(Buffer.concat(chunks).toString('utf8')));
}
