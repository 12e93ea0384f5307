/** Refuses writes to the admin API that a web page of a stranger could have made the operator's browser send (cross-site request forgery). */
import { type AdminAnswer, failure } from './answer.js';

/** What of a request's head is looked at; as received, undefined: absent. */
export interface WriteHead {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly contentType: string | undefined;
}

/**
 * May a request change something? A page can send a form anywhere, but JSON only after it was asked whether the other side takes it (which the
 * admin API never says); and every write of a page has an Origin, which only a page of this very host may have.
 *
 * @returns the refusal, or null: go on
 */
export function writeRefusal({ host, origin, contentType }: WriteHead): AdminAnswer | null {
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return failure(403, 'origin-not-allowed', 'a page of another origin may not change anything here');
  }
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/json') return null;
  return failure(
    415,
    'unsupported-media-type',
    'a change is written in JSON: send it with Content-Type: application/json',
  );
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !origin.startsWith('http://')) return false;
  return withPort(origin.slice('http://'.length)) === withPort(host);
}

/** `localhost` and `localhost:80` are the same. */
function withPort(authority: string): string {
  const lower = authority.toLowerCase();
  return /:\d+$/.test(lower) ? lower : `${lower}:80`;
}
