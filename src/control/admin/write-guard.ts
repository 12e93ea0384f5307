/** Refuses what a web page of a stranger could have made the operator's browser ask of the admin API: writes (cross-site request forgery), streams. */
import { type AdminAnswer, failure } from './answer.js';

/** What of a request's head tells where it comes from; as received, undefined: absent. */
export interface OriginHead {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Sec-Fetch-Site: what a browser says of who made it ask. */
  readonly fetchSite: string | undefined;
}

/** What of a write's head is looked at. */
export interface WriteHead extends OriginHead {
  readonly contentType: string | undefined;
}

const STRANGER = failure(
  403,
  'origin-not-allowed',
  'a page of another origin may neither change nor watch anything here',
);

/** May a page of where this comes from ask for more than an answer that it cannot read? @returns the refusal, or null: go on */
export function originRefusal({ host, origin, fetchSite }: OriginHead): AdminAnswer | null {
  const isOwn = origin === undefined || isOwnOrigin(origin, host);
  const isSameSite = fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none';
  return isOwn && isSameSite ? null : STRANGER;
}

/**
 * May a request change something? A page can send a form anywhere, but JSON only after it was asked whether the other side takes it (which the
 * admin API never says); and every write of a page has an Origin, which only a page of this very host may have.
 *
 * @param hasBody false: there is none, and hence nothing to say of it
 * @returns the refusal, or null: go on
 */
export function writeRefusal({ contentType, ...head }: WriteHead, hasBody: boolean): AdminAnswer | null {
  const refusal = originRefusal(head);
  if (refusal !== null) return refusal;
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
