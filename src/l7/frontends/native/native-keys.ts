/** Keys of requests of the native front end: hashed where the request lies, or by the client that a trusted proxy names. */
import type { PickKey } from '../../../balancing/balancer.js';
import type { KeyHasher } from '../../../balancing/key-hasher.js';
import { type KeySource, networkOf } from '../../../balancing/key-source.js';
import type { CertificateFact } from '../../../config/picking-plan.js';
import type { L7ListenerPlan } from '../../../config/plan.js';
import type { FrontEnd } from '../../../engine/front-end.js';
import { KeyAnswer, KeyKind } from '../../../engine/request-key.js';
import { ForwardedClients } from '../../client-address.js';

const KINDS = {
  'client-ip': KeyKind.CLIENT_ADDRESS,
  'client-network': KeyKind.CLIENT_NETWORK,
  header: KeyKind.HEADER,
  cookie: KeyKind.COOKIE,
  query: KeyKind.QUERY,
  path: KeyKind.PATH,
  uri: KeyKind.URI,
} as const satisfies Record<Exclude<KeySource['kind'], 'client-certificate'>, number>;

const FACTS = {
  subject: KeyKind.CERTIFICATE_SUBJECT,
  fingerprint: KeyKind.CERTIFICATE_FINGERPRINT,
} as const satisfies Record<CertificateFact, number>;

/** What it works with. */
export interface NativeKeysParts {
  readonly frontEnd: Pick<FrontEnd, 'openKey' | 'hashKey' | 'keyText' | 'header'>;
  /** FrontEndOptions.keyWords of that front end. */
  readonly keyWords: Int32Array;
  readonly hasher: KeyHasher;
}

/** Thread: worker; one for each front end. */
export class NativeKeys {
  readonly #parts: NativeKeysParts;
  // The front end's numbers of the sources, which are objects of plans.
  readonly #xxHashes = new Map<KeySource, number>();
  readonly #crcs = new Map<KeySource, number>();
  /** The same over all plans, by what the sources say: the front end keeps its keys for good. */
  readonly #numbers = new Map<string, number>();
  readonly #clients = new Map<L7ListenerPlan, ForwardedClients>();

  constructor(parts: NativeKeysParts) {
    this.#parts = parts;
  }

  /** Another plan counts: sources and listeners are other objects from now on. */
  forget(): void {
    this.#xxHashes.clear();
    this.#crcs.clear();
    this.#clients.clear();
  }

  /** As Exchange.hashKey. HOT: one call of the engine, but for clients behind a trusted proxy. @param exchange its number */
  hash(exchange: number, listener: L7ListenerPlan, source: KeySource, isCrc: boolean, key: PickKey): boolean {
    const { frontEnd, keyWords, hasher } = this.#parts;
    const answer = frontEnd.hashKey(exchange, this.#numberOf(source, isCrc));
    const client = (answer & KeyAnswer.FORWARDED) === 0 ? null : this.#clientOf(exchange, listener, source);
    if (client !== null) {
      hasher.hash(client, isCrc, key);
      return true;
    }
    if ((answer & KeyAnswer.HASHED) === 0) return false;
    key.hash = keyWords[0] as number; // two words
    key.hashHigh = keyWords[1] as number;
    return true;
  }

  /** As Exchange.keyText. */
  text(exchange: number, listener: L7ListenerPlan, source: KeySource): string | null {
    const { frontEnd } = this.#parts;
    const number = this.#numberOf(source, false);
    const isForwarded = (frontEnd.hashKey(exchange, number) & KeyAnswer.FORWARDED) !== 0;
    const client = isForwarded ? this.#clientOf(exchange, listener, source) : null;
    return client ?? frontEnd.keyText(exchange, number);
  }

  #numberOf(source: KeySource, isCrc: boolean): number {
    const numbers = isCrc ? this.#crcs : this.#xxHashes;
    let number = numbers.get(source);
    if (number === undefined) {
      number =
        source.kind === 'client-certificate'
          ? this.#openKey(FACTS[source.name], '', isCrc)
          : this.#openKey(KINDS[source.kind], 'name' in source ? bytesOf(source.name) : '', isCrc);
      numbers.set(source, number);
    }
    return number;
  }

  #openKey(kind: number, name: string, isCrc: boolean): number {
    const text = JSON.stringify([kind, name, isCrc]);
    const number = this.#numbers.get(text) ?? this.#parts.frontEnd.openKey(kind, name, isCrc);
    this.#numbers.set(text, number);
    return number;
  }

  /** The key by the client that a trusted peer names, or null. */
  #clientOf(exchange: number, listener: L7ListenerPlan, source: KeySource): string | null {
    const client = this.clientIn(listener, this.#parts.frontEnd.header(exchange, 'x-forwarded-for') ?? '');
    return client !== null && source.kind === 'client-network' ? networkOf(client) : client;
  }

  /** As ForwardedClients.clientIn. @param forwardedFor of a peer that is trusted */
  clientIn(listener: L7ListenerPlan, forwardedFor: string): string | null {
    let clients = this.#clients.get(listener);
    if (clients === undefined) {
      clients = new ForwardedClients(listener.trustedProxies);
      this.#clients.set(listener, clients);
    }
    return clients.clientIn(forwardedFor);
  }
}

/** A name of the configuration as requests spell it, a character for each byte. */
function bytesOf(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1');
}
