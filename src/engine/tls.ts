/**
 * The TypeScript face of TLS in the engine: contexts that workers accept and connect with. Thread: primary makes and changes them; workers
 * know them by number.
 *
 * The engine uses the OpenSSL that the node binary exports. Where one of the functions that it needs is not exported, `tlsSupport` says so
 * and nothing here may be called.
 */
import { FIRST_HANDSHAKE_FAILURE, HANDSHAKE_ENDS, type HandshakeEnd } from '../core/handshake-ends.js';

/** What of TLS and HTTP/2 this Node lets the engine use. */
export interface TlsSupport {
  /** The version of OpenSSL, e.g. 'OpenSSL 3.0.19'; null: TLS cannot be used. */
  readonly tls: string | null;
  /** The version of nghttp2, e.g. '1.61.0'; null: HTTP/2 cannot be used. */
  readonly http2: string | null;
  /** Names of functions that are missing; empty: none is. */
  readonly missing: readonly string[];
}

/** A certificate as PEM text. */
export interface TlsCertificate {
  readonly chain: string;
  readonly key: string;
  /** '': the key is not encrypted. */
  readonly passphrase: string;
  /** DER; null: nothing is stapled. */
  readonly ocsp: Uint8Array | null;
  /** Lower case; exact, or *.suffix for one label. Empty: those of the certificate. */
  readonly names: readonly string[];
}

/** How clients are spoken to; names of OpenSSL. */
export interface TlsServerSettings {
  readonly minVersion: '1.2' | '1.3';
  readonly ciphers: string;
  readonly cipherSuites: string;
  readonly curves: string;
  /** By the server's preference. A client that offers ALPN with none of these is refused (RFC 7301); empty: ALPN is not answered. */
  readonly alpn: readonly string[];
  readonly clientAuth: 'none' | 'optional' | 'required';
  /** PEM; '' with 'none'. */
  readonly clientCa: string;
  /** PEM; '': none. */
  readonly clientCrl: string;
  readonly clientDepth: number;
  readonly tickets: boolean;
  /** Sessions kept for all workers; 0: none. */
  readonly sessionCache: number;
  /** 0: early data is refused. */
  readonly earlyDataBytes: number;
}

/** A context to accept with. Changes count for handshakes that begin afterwards; no connection is touched. */
export interface TlsServer {
  /** For openListener of front ends and session engines of all threads. */
  readonly number: number;
  /** @throws Error what is wrong, with the index of the certificate in front ("1: …"); then nothing has changed */
  setCertificates(certificates: readonly TlsCertificate[]): void;
  /** Keys of 80 bytes: the first seals, all open. */
  setTicketKeys(keys: readonly Uint8Array[]): void;
  /** Answers `acme-tls/1` for a name (RFC 8737). @throws Error as setCertificates */
  setChallenge(name: string, certificate: TlsCertificate): void;
  dropChallenge(name: string): void;
  /** Nobody finds it by its number any more; who has it goes on. Idempotent. */
  close(): void;
}

/** How endpoints are spoken to. */
export interface TlsClientSettings {
  readonly isVerified: boolean;
  /** PEM of all authorities that are believed. */
  readonly ca: string;
  readonly minVersion: '1.2' | '1.3';
  readonly ciphers: string;
  readonly cipherSuites: string;
  readonly curves: string;
  readonly resumes: boolean;
  readonly certificate: TlsCertificate | null;
}

/** A context to connect with. */
export interface TlsClient {
  /** For openPool of engines and connections of session engines of all threads. */
  readonly number: number;
  /** Counts for connections that begin afterwards. @throws Error what is wrong; then nothing has changed */
  replace(settings: TlsClientSettings): void;
  close(): void;
}

/** Why a handshake failed; numbers of tls/channel.h. */
export const TlsFailure = {
  NONE: 0,
  PEER_LEFT: 1,
  NOT_TLS: 2,
  VERSION: 3,
  CIPHER: 4,
  NO_CERTIFICATE: 5,
  BAD_CERTIFICATE: 6,
  ALERT: 7,
  ALPN: 8,
  OTHER: 9,
} as const;

/** @param failure one of TlsFailure but NONE. @returns its name in HANDSHAKE_ENDS */
export function handshakeFailure(failure: number): HandshakeEnd {
  return HANDSHAKE_ENDS[FIRST_HANDSHAKE_FAILURE + failure - 1] ?? 'other';
}

/** What the certificate that a client has shown, and that was believed, says of it. */
export interface ClientCertificate {
  /** Names as in RFC 2253. */
  readonly subject: string;
  readonly issuer: string;
  /** Hex digits. */
  readonly serial: string;
  /** SHA-256 of the DER form, 64 hex digits. */
  readonly fingerprint: string;
}

/** TLS with the clients of a listener, for workers. */
export interface ListenerTlsSettings {
  /** TlsServer.number. */
  readonly context: number;
  /** Counted from accept. */
  readonly handshakeTimeoutMs: number;
  /** Most handshakes in progress, of the worker and of one client address in it; 0: unlimited. Those beyond are reset. */
  readonly handshakes: number;
  readonly handshakesPerClient: number;
}

/** What the .node file exports of TLS. */
export interface TlsAddon {
  tlsSupport(): TlsSupport;
  /** @throws Error what is wrong with the settings */
  readonly TlsServer: new (
    settings: TlsServerSettings,
  ) => TlsServer;
  readonly TlsClient: new (settings: TlsClientSettings) => TlsClient;
}
