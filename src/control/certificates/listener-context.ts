/** One native context that workers accept with, and what was put into it. */
import { isDeepStrictEqual } from 'node:util';
import type { ListenerPlan } from '../../config/plan.js';
import type { ListenerTlsPlan } from '../../config/tls-plan.js';
import type { TlsAddon, TlsCertificate, TlsServer, TlsServerSettings } from '../../engine/tls.js';
import type { KnownCertificate, ListenerMaterial } from './material.js';
import type { ObtainedCertificate } from './obtained.js';

/** An obtained certificate, or the answer to a challenge, as the engine takes it. */
export function obtainedText({ chain, key }: ObtainedCertificate): TlsCertificate {
  return { chain, key, passphrase: '', ocsp: null, names: [] };
}

/** Of one listener; another one takes its place when its settings change. Thread: primary. */
export class ListenerContext {
  readonly settings: TlsServerSettings;
  readonly #server: TlsServer;
  #listener: ListenerPlan;
  #tls: ListenerTlsPlan;
  #certificates: readonly KnownCertificate[] = [];
  #obtained: KnownCertificate | null = null;
  readonly #challenges = new Map<string, ObtainedCertificate>();

  /** @throws Error what OpenSSL says of the settings or certificates; nothing stays open then */
  constructor(
    addon: Pick<TlsAddon, 'TlsServer'>,
    listener: ListenerPlan,
    tls: ListenerTlsPlan,
    material: ListenerMaterial,
    obtained: KnownCertificate | null,
  ) {
    this.settings = material.settings;
    this.#listener = listener;
    this.#tls = tls;
    this.#server = new addon.TlsServer(material.settings);
    try {
      this.put(material.certificates, obtained);
    } catch (error) {
      this.#server.close();
      throw error;
    }
  }

  get number(): number {
    return this.#server.number;
  }

  /** The listener, as the plan that counts has it. */
  get listener(): ListenerPlan {
    return this.#listener;
  }

  get tls(): ListenerTlsPlan {
    return this.#tls;
  }

  /** Those of the configuration, in its order. */
  get certificates(): readonly KnownCertificate[] {
    return this.#certificates;
  }

  get obtained(): KnownCertificate | null {
    return this.#obtained;
  }

  /** All, in the order of the engine. */
  get all(): readonly KnownCertificate[] {
    return allOf(this.#certificates, this.#obtained);
  }

  get challenges(): ReadonlyMap<string, ObtainedCertificate> {
    return this.#challenges;
  }

  /** Another plan has the same settings for it. */
  follow(listener: ListenerPlan, tls: ListenerTlsPlan): void {
    this.#listener = listener;
    this.#tls = tls;
  }

  /** New handshakes get these. @returns whether that changes anything @throws Error what is wrong; then nothing has changed */
  put(certificates: readonly KnownCertificate[], obtained: KnownCertificate | null): boolean {
    const texts = allOf(certificates, obtained).map(({ certificate }) => certificate);
    const before = this.all.map(({ certificate }) => certificate);
    const isOther = !isDeepStrictEqual(texts, before);
    if (isOther && texts.length > 0) this.#server.setCertificates(texts);
    this.#certificates = certificates;
    this.#obtained = obtained;
    return isOther;
  }

  /** @param keys the first seals, all open */
  putTicketKeys(keys: readonly Uint8Array[]): void {
    this.#server.setTicketKeys(keys);
  }

  /** @throws Error what is wrong; then nothing has changed */
  setChallenge(name: string, certificate: ObtainedCertificate): void {
    this.#server.setChallenge(name, obtainedText(certificate));
    this.#challenges.set(name, certificate);
  }

  dropChallenge(name: string): void {
    if (this.#challenges.delete(name)) this.#server.dropChallenge(name);
  }

  /** Idempotent. */
  close(): void {
    this.#server.close();
  }
}

function allOf(
  certificates: readonly KnownCertificate[],
  obtained: KnownCertificate | null,
): readonly KnownCertificate[] {
  return obtained === null ? certificates : [...certificates, obtained];
}
