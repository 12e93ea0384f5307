/** The parts of the plan that say how clients and endpoints are spoken to: TLS, its certificates, and HTTP/2. Plain data, as the rest of the plan. */

export const TLS_VERSIONS = ['1.2', '1.3'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** A certificate with its chain and its key: paths of PEM files. */
export interface CertificatePlan {
  readonly cert: string;
  readonly key: string;
  /** Of an encrypted key; null: the key is not. */
  readonly passphrase: string | null;
  /** A DER file of the OCSP response that is stapled; null: none. */
  readonly ocsp: string | null;
}

/** Clients show a certificate. */
export interface ClientAuthPlan {
  /** optional: clients without one are served, those with a bad one are not. */
  readonly mode: 'required' | 'optional';
  /** PEM file of the authorities that are believed. */
  readonly ca: string;
  /** PEM file of revocation lists; null: none. */
  readonly crl: string | null;
  /** Most certificates between the client's and an authority. */
  readonly depth: number;
  /** Fields that tell endpoints of it, lower case; null: not told. What clients send under these names is taken off. L7 only. */
  readonly headers: { readonly subject: string | null; readonly fingerprint: string | null };
}

/** Certificates that come by ACME (RFC 8555). */
export interface AcmePlan {
  /** URL of the directory. */
  readonly directory: string;
  readonly email: string | null;
  /** Exact names, lower case; at least one. One certificate has all of them. */
  readonly names: readonly string[];
  readonly challenge: 'http-01' | 'tls-alpn-01';
  /** Directory where the account's key, keys and certificates lie. */
  readonly storage: string;
  readonly keyType: 'ecdsa' | 'rsa';
  readonly renewBeforeMs: number;
  /** PEM file of authorities of the ACME server itself; null: those of Node. */
  readonly ca: string | null;
  /** External account binding; null: none. */
  readonly accountBinding: { readonly keyId: string; readonly hmacKey: string } | null;
}

/** TLS of a listener. */
export interface ListenerTlsPlan {
  /**
   * Number of the native context that workers accept with: the primary makes it, and puts its number in before workers see the plan. Listeners
   * of the uws front end have one, too, that nobody accepts with. NO_TLS_CONTEXT until then.
   */
  readonly context: number;
  /** In the order of the configuration: the first is what clients get that name no known name, or none. */
  readonly certificates: readonly CertificatePlan[];
  readonly acme: AcmePlan | null;
  readonly minVersion: TlsVersion;
  /** Names of OpenSSL, of TLS 1.2, then of TLS 1.3; curves in their order. */
  readonly ciphers: string;
  readonly cipherSuites: string;
  readonly curves: string;
  /** By preference; empty: ALPN is not answered. */
  readonly alpn: readonly string[];
  readonly clientAuth: ClientAuthPlan | null;
  /** null: no tickets. `file`: keys that other proxies share, 80 bytes each, the first encrypts; null: made here, renewed every rotateMs. */
  readonly tickets: { readonly rotateMs: number; readonly file: string | null } | null;
  /** Sessions kept for clients without tickets, over all workers; 0: none. */
  readonly sessionCache: number;
  /** Most bytes of early data (0-RTT) of a connection; 0: refused. */
  readonly earlyDataBytes: number;
  readonly handshakeTimeoutMs: number;
  /** Most handshakes in progress, of a worker and of one client address over its worker; 0: unlimited. */
  readonly handshakes: number;
  readonly handshakesPerClient: number;
}

/** `context` of a plan that the primary has not completed. */
export const NO_TLS_CONTEXT = -1;

/** HTTP/2 of a listener: what clients may do. Each passed limit ends the connection (GOAWAY, ENHANCE_YOUR_CALM) unless said otherwise. */
export interface ListenerHttp2Plan {
  /** Prior knowledge without TLS (h2c). */
  readonly isClearText: boolean;
  /** SETTINGS_MAX_CONCURRENT_STREAMS; further ones are refused (REFUSED_STREAM). */
  readonly streams: number;
  /** Flow-control windows in bytes: of a stream and of a connection, of what clients send. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Streams that a client resets (CVE-2023-44487): so many at once, then so many a second. */
  readonly resets: { readonly burst: number; readonly perSecond: number };
  /** CONTINUATION frames of one header block. */
  readonly continuations: number;
  /** SETTINGS, PING and other frames that are answered or only read (empty DATA, PRIORITY, WINDOW_UPDATE of little): so many at once, then so many a second. */
  readonly controlFrames: { readonly burst: number; readonly perSecond: number };
  /** SETTINGS and PINGs must be answered after this; 0: no limit. */
  readonly ackTimeoutMs: number;
}

/** What speaks to endpoints: h1, h2, or what ALPN says (without TLS: h1). */
export type EndpointProtocol = 'h1' | 'h2' | 'auto';

/** TLS to the endpoints of an upstream. */
export interface UpstreamTlsPlan {
  /** As ListenerTlsPlan.context. */
  readonly context: number;
  readonly isVerified: boolean;
  /** PEM file of authorities; null: those that Node comes with. */
  readonly ca: string | null;
  /** Name that is asked for (SNI) and verified; null: the host of each endpoint's address, where an address needs no SNI. */
  readonly serverName: string | null;
  readonly certificate: CertificatePlan | null;
  readonly minVersion: TlsVersion;
  readonly ciphers: string;
  readonly cipherSuites: string;
  readonly curves: string;
  /** Sessions are taken up again. */
  readonly resumes: boolean;
}

/** HTTP/2 to the endpoints of an upstream. */
export interface UpstreamHttp2Plan {
  /** Most streams of one connection; the endpoint's own limit counts, too. */
  readonly streams: number;
  /** Windows in bytes of what endpoints send. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** A connection with streams whose endpoint has sent nothing for so long is asked (PING), and closed if it stays silent for as long; 0: off. */
  readonly pingMs: number;
}
