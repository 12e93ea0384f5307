/** What a listener answers by itself, before any route is looked at: the last hop's OPTIONS, challenges of ACME, and the redirect to https. */
import type { ErrorCode } from '../core/error-catalog.js';
import { ADMIT } from '../policies/verdict.js';
import { type LocalResponse, optionsResponse, redirectResponse, textResponse } from './error-response.js';
import type { Exchange } from './exchange.js';
import { admit, type RequestFacts } from './request-admission.js';
import type { RequestUrl } from './request-url.js';

/** Where authorities look for the answer to a challenge (RFC 8555 section 8.3). */
const CHALLENGE_PATH = '/.well-known/acme-challenge/';
/** L7ListenerPlan.redirectPort of a listener that does not redirect. */
export const NO_REDIRECT = 0;
const HTTPS_PORT = 443;
/** A port behind a name, or behind an IPv6 address in brackets; it may be empty. */
const PORT = /:[0-9]*$/;
const BEYOND_ASCII = /[^\0-\x7f]/g;

/** Thread: worker; one for each pipeline. */
export class ListenerAnswers {
  /** Key authorizations by token. */
  readonly #challenges = new Map<string, string>();

  /** From now on every listener without TLS answers this challenge. @param keyAuthorization null: no more */
  setChallenge(token: string, keyAuthorization: string | null): void {
    if (keyAuthorization === null) this.#challenges.delete(token);
    else this.#challenges.set(token, keyAuthorization);
  }

  /** HOT: a few loads for nearly every request. @returns the answer, what is wrong with the request, or null: it goes its way */
  to(exchange: Exchange, facts: RequestFacts): LocalResponse | ErrorCode | null {
    // The last hop that Max-Forwards allows answers for itself (RFC 9110 section 7.6.2).
    if (facts.maxForwards === 0 && exchange.method === 'OPTIONS') return optionsResponse();
    const { redirectPort, tls } = exchange.listener;
    if (redirectPort === NO_REDIRECT && this.#challenges.size === 0) return null;
    const url = exchange.url();
    const challenge = tls === null ? this.#challengeAt(url.target) : undefined;
    if (challenge === undefined && redirectPort === NO_REDIRECT) return null;
    const verdict = admit(exchange, facts);
    if (verdict !== ADMIT) return verdict;
    if (challenge !== undefined) return textResponse(challenge);
    // Nobody knows where to, without a name.
    return url.host === '' ? 'SLUICE_BAD_HOST' : redirectResponse(httpsUrlOf(url, redirectPort));
  }

  #challengeAt(target: string): string | undefined {
    if (this.#challenges.size === 0 || !target.startsWith(CHALLENGE_PATH)) return undefined;
    return this.#challenges.get(target.slice(CHALLENGE_PATH.length));
  }
}

/** The same URL with https. Bytes that are no ASCII are percent-encoded, since a field may not hold them; everything else stays. Pure. */
export function httpsUrlOf({ host, target }: RequestUrl, port: number): string {
  const name = host.replace(PORT, '');
  const place = port === HTTPS_PORT ? name : `${name}:${port}`;
  // An empty path is how a URL says what OPTIONS * asks for (RFC 9112 section 3.2.4).
  return `https://${place}${target === '*' ? '' : target.replace(BEYOND_ASCII, percentEncoded)}`;
}

function percentEncoded(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
