/** Keys of sessions: the address of their client, or what it has shown as its certificate, where TLS with it ends here. */
import type { PickKey } from '../balancing/balancer.js';
import type { KeyHasher } from '../balancing/key-hasher.js';
import type { KeyWish } from '../balancing/key-source.js';
import type { CertificateFacts } from '../config/picking-plan.js';
import type { AddressWords } from '../core/peer-address.js';

/** What is looked at of a session: whose it is, and its number in the engine. */
export interface KeyedSession extends AddressWords {
  readonly session: number;
}

/** Thread: worker; one for each. */
export class SessionKeys {
  readonly #hasher: KeyHasher;
  readonly #certificateOf: (session: number) => CertificateFacts | null;

  /** @param certificateOf as SessionEngine.clientCertificate */
  constructor(hasher: KeyHasher, certificateOf: (session: number) => CertificateFacts | null) {
    this.#hasher = hasher;
    this.#certificateOf = certificateOf;
  }

  /**
   * Fills in the hash of a session that is open. Whatever else its balancer wants, of requests, it gets the client's address for it. HOT,
   * but for certificates, which a handshake has come before.
   *
   * @returns false: it has no such key, and `key` is as it was
   */
  hash(session: KeyedSession, wish: KeyWish, key: PickKey): boolean {
    const { source, isCrc } = wish;
    if (source?.kind !== 'client-certificate') return this.#hasher.hashClient(session, wish, key);
    const text = this.#certificateOf(session.session)?.[source.name] ?? '';
    if (text === '') return false;
    this.#hasher.hash(text, isCrc, key);
    return true;
  }
}
