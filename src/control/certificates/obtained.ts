/** What comes of certificates that no file of the configuration names: obtained by ACME, and answers to its challenges; and who hears of changes. */
import type { TlsCertificate } from '../../engine/tls.js';

/** A certificate with its chain and its key, as PEM text. */
export interface ObtainedCertificate {
  /** The certificate, then those that lead from it to the authority. */
  readonly chain: string;
  /** Not encrypted. */
  readonly key: string;
}

/**
 * The face of the keeper that ACME sees. Listeners are known by name; one that does not exist (any more), or has no TLS, is passed over.
 * Thread: primary.
 */
export interface ObtainedCertificates {
  /**
   * New handshakes of the listener get it, after the certificates that the configuration names; it takes the place of the former one and stays
   * over reloads as long as the listener has `acme`.
   *
   * @throws Error what is wrong with it, a sentence; then nothing has changed
   */
  setObtained(listener: string, certificate: ObtainedCertificate): void;
  /** Handshakes for `name` with ALPN acme-tls/1 get it (RFC 8737). @throws Error as setObtained */
  setChallenge(listener: string, name: string, certificate: ObtainedCertificate): void;
  /** They are refused again. Idempotent. */
  dropChallenge(listener: string, name: string): void;
}

/** The face of the keeper that is for whoever cannot accept with a native context: front ends that take texts. Thread: primary. */
export interface CertificateTexts {
  /** In their order, obtained ones last; passphrases are those of the keys. Empty for a listener without TLS, or with none yet. */
  textsOf(listener: string): readonly TlsCertificate[];
  /** Calls back after the certificates of a listener have changed. @returns what ends that; idempotent */
  onChanged(changed: (listener: string) => void): () => void;
}
