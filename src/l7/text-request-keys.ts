/** Keys of requests that TypeScript has as text: those of uWebSockets.js, within its handler, and imagined ones; the same as those of the native front end. */
import type { PickKey } from '../balancing/balancer.js';
import type { KeyHasher } from '../balancing/key-hasher.js';
import { type KeySource, networkOf } from '../balancing/key-source.js';
import type { CertificateFacts } from '../config/picking-plan.js';
import { ForwardedClients, type Peer, UNKNOWN_PEER } from './client-address.js';
import type { RequestKeys } from './relayed-exchange.js';
import { cookieIn, isToldField, parameterIn } from './request-key.js';

/** What is read of a request; that of uWebSockets.js has it. */
export interface KeyedRequest {
  /** The path without its query, undecoded. */
  getUrl(): string;
  /** Without the '?'. Undefined where the target has none. */
  getQuery(): string | undefined;
  /** Every field in order, repeated ones separately, names in lower case. */
  forEach(visit: (name: string, value: string) => void): void;
}

/** A character above what one byte in UTF-8 is. */
const NOT_ASCII = /[^\0-\x7f]/;

const FORWARDED_FOR = 'x-forwarded-for';
const COOKIE = 'cookie';

/** Thread: worker; one for each front end, for one request after the other. */
export class TextRequestKeys implements RequestKeys {
  readonly #hasher: KeyHasher;
  readonly #clients: ForwardedClients;
  #request: KeyedRequest | null = null;
  #peer: Peer = UNKNOWN_PEER;
  #certificate: CertificateFacts | null = null;

  /** @param trustedProxies of the listener */
  constructor(hasher: KeyHasher, trustedProxies: readonly string[]) {
    this.#hasher = hasher;
    this.#clients = new ForwardedClients(trustedProxies);
  }

  /**
   * The request that is being handled now.
   *
   * @param certificate what its client has shown; null: nothing, or nobody knows, as with uWebSockets.js
   */
  begin(request: KeyedRequest, peer: Peer, certificate: CertificateFacts | null = null): void {
    this.#request = request;
    this.#peer = peer;
    this.#certificate = certificate;
  }

  /** Whose request it is, a trusted peer's word included; null: nobody knows, or outside of the handler. */
  client(): string | null {
    return this.#request === null ? null : this.#client(this.#request);
  }

  /** The handler returns: the request may not be touched any more. */
  end(): void {
    this.#request = null;
  }

  /** As Exchange.hashKey; false outside of the handler, too. */
  hash(source: KeySource, isCrc: boolean, key: PickKey): boolean {
    const text = this.text(source);
    if (text === null) return false;
    this.#hasher.hash(text, isCrc, key);
    return true;
  }

  /** As Exchange.keyText; null outside of the handler, too. */
  text(source: KeySource): string | null {
    const request = this.#request;
    const text = request === null ? null : this.#find(request, source);
    if (text === null || text === '') return null;
    return NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
  }

  #find(request: KeyedRequest, source: KeySource): string | null {
    switch (source.kind) {
      case 'client-ip':
        return this.#client(request);
      case 'client-network': {
        const client = this.#client(request);
        return client === null ? null : networkOf(client);
      }
      case 'header':
        return isToldField(source.name) ? fieldOf(request, source.name, ', ') : null;
      case 'cookie':
        return cookieIn(fieldOf(request, COOKIE, ';') ?? '', source.name);
      case 'query':
        return parameterIn(request.getQuery() ?? '', source.name);
      case 'path':
        return request.getUrl();
      case 'uri': {
        const query = request.getQuery();
        return query === undefined ? request.getUrl() : `${request.getUrl()}?${query}`;
      }
      case 'client-certificate':
        return this.#certificate?.[source.name] ?? null;
    }
  }

  #client(request: KeyedRequest): string | null {
    const peer = this.#peer;
    const named = peer.isTrusted ? this.#clients.clientIn(fieldOf(request, FORWARDED_FOR, ', ') ?? '') : null;
    if (named !== null) return named;
    return peer === UNKNOWN_PEER ? null : peer.address;
  }
}

/** All values of a field; null: it is not there. Not by getHeader, which tells only the first. */
function fieldOf(request: KeyedRequest, name: string, separator: string): string | null {
  let joined: string | null = null;
  request.forEach((field, value) => {
    if (field === name) joined = joined === null ? value : joined + separator + value;
  });
  return joined;
}
