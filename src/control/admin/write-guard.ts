/** Refuses writes to the admin API that a web page of a stranger could have made the operator's browser send (cross-site request forgery). */
import { type AdminAnswer, failure } from './answer.js';

/** What of a request's head is looked at; as received, undefined: absent. */
export interface WriteHead {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Sec-Fetch-Site: what a browser says of who made it ask. */
  readonly fetchSite: string | undefined;
  readonly contentType: string | undefined;
}

/**
 * May a request change something? A page can send a form anywhere, but JSON only after it was asked whether the other side takes it (which the
 * admin API never says); and every write of a page has an Origin, which only a page of this very host may have.
 *
 * @param hasBody false: there is none, and hence nothing to say of it
 * @returns the refusal, or null: go on
 */
export function writeRefusal(
  { host, origin, fetchSite, contentType }: WriteHead,
  hasBody: boolean,
): AdminAnswer | null {
  const isOwn = origin === undefined || isOwnOrigin(origin, host);
  const isSameSite = fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none';
  if (!isOwn || !isSameSite) {
    return failure(403, 'origin-not-allowed', 'a page of another origin may not change anything here');
  }
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase();
  if (!hasBody || mediaType === 'application/json') return null;
  return failure(
    415,
    'unsupported-media-type',
    'a change is written in JSON: send it with Content-Type: application/json',
  );
}

/** Ports that a browser leaves out. A page over https has come through something in front that speaks TLS for us. */
const PORTS: Readonly<Record<string, string>> = { 'http://': '80', 'https://': '443' };

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const [scheme = ''] = /^[a-z]+:\/\//.exec(origin) ?? [];
  const port = PORTS[scheme];
  if (host === undefined || port === undefined) return false;
  return withPort(origin.slice(scheme.length), port) === withPort(host, port);
}

/** `localhost` and `localhost:80` are the same. */
function withPort(authority: string, port: string): string {
  const lower = authority.toLowerCase();
  return /:\d+$/.test(lower) ? lower : `${lower}:${port}`;
}
