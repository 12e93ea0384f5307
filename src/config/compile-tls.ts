/** Compiles how clients and endpoints are spoken to: TLS and HTTP/2. */
import type { ListenerHttp2, UpstreamHttp2 } from './schema/http2.js';
import type { ListenerTls, UpstreamTls } from './schema/tls.js';
import {
  type AcmePlan,
  type CertificatePlan,
  type ClientAuthPlan,
  type ListenerHttp2Plan,
  type ListenerTlsPlan,
  NO_TLS_CONTEXT,
  type UpstreamHttp2Plan,
  type UpstreamTlsPlan,
} from './tls-plan.js';

/** Directories of authorities that have a name. */
const DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
};

/** ALPN of listeners that say nothing of it. */
const DEFAULT_ALPN = { native: ['h2', 'http/1.1'], uws: ['http/1.1'], l4: [] } as const;

/** @param speaker what answers the clients @returns null: plain. Pure. */
export function compileListenerTls(tls: ListenerTls, speaker: keyof typeof DEFAULT_ALPN): ListenerTlsPlan | null {
  if (tls === 'off') return null;
  return {
    context: NO_TLS_CONTEXT,
    certificates: tls.certificates.map(compileCertificate),
    acme: tls.acme === undefined ? null : compileAcme(tls.acme),
    minVersion: tls.minVersion,
    ciphers: tls.ciphers,
    cipherSuites: tls.cipherSuites,
    curves: tls.curves,
    alpn: [...(tls.alpn ?? DEFAULT_ALPN[speaker])],
    clientAuth: compileClientAuth(tls.clientAuth),
    tickets: tls.tickets === 'off' ? null : { rotateMs: tls.tickets.rotate, file: tls.tickets.file ?? null },
    sessionCache: tls.sessionCache,
    earlyDataBytes: tls.earlyData,
    handshakeTimeoutMs: tls.handshakeTimeout,
    handshakes: tls.handshakes,
    handshakesPerClient: tls.handshakesPerClient,
  };
}

/** @returns null: plain. Pure. */
export function compileUpstreamTls(tls: UpstreamTls): UpstreamTlsPlan | null {
  if (tls === 'off') return null;
  const { cert, key } = tls;
  const hasCertificate = cert !== undefined && key !== undefined;
  return {
    context: NO_TLS_CONTEXT,
    isVerified: tls.verify,
    ca: tls.ca ?? null,
    serverName: tls.serverName ?? null,
    certificate: hasCertificate ? compileCertificate({ cert, key, passphrase: tls.passphrase }) : null,
    minVersion: tls.minVersion,
    ciphers: tls.ciphers,
    cipherSuites: tls.cipherSuites,
    curves: tls.curves,
    resumes: tls.resume,
  };
}

/** Pure. */
export function compileListenerHttp2(http2: ListenerHttp2): ListenerHttp2Plan {
  return {
    isClearText: http2.clearText,
    streams: http2.streams,
    streamWindowBytes: http2.streamWindow,
    connectionWindowBytes: http2.connectionWindow,
    resets: { ...http2.resets },
    continuations: http2.continuations,
    controlFrames: { ...http2.controlFrames },
    ackTimeoutMs: http2.ackTimeout,
  };
}

/** Pure. */
export function compileUpstreamHttp2(http2: UpstreamHttp2): UpstreamHttp2Plan {
  return {
    streams: http2.streams,
    streamWindowBytes: http2.streamWindow,
    connectionWindowBytes: http2.connectionWindow,
    pingMs: http2.ping,
  };
}

type TlsSection = Exclude<ListenerTls, 'off'>;

function compileCertificate(certificate: {
  cert: string;
  key: string;
  passphrase?: string | undefined;
  ocsp?: string | undefined;
}): CertificatePlan {
  const { cert, key, passphrase, ocsp } = certificate;
  return { cert, key, passphrase: passphrase ?? null, ocsp: ocsp ?? null };
}

function compileAcme(acme: Exclude<TlsSection['acme'], undefined>): AcmePlan {
  return {
    directory: DIRECTORIES[acme.directory] ?? acme.directory,
    email: acme.email ?? null,
    names: [...new Set(acme.names)],
    challenge: acme.challenge,
    storage: acme.storage,
    keyType: acme.keyType,
    renewBeforeMs: acme.renewBefore,
    ca: acme.ca ?? null,
    accountBinding: acme.accountBinding === undefined ? null : { ...acme.accountBinding },
  };
}

function compileClientAuth(clientAuth: TlsSection['clientAuth']): ClientAuthPlan | null {
  if (clientAuth === 'off') return null;
  const { subject, fingerprint } = clientAuth.headers;
  return {
    mode: clientAuth.mode,
    ca: clientAuth.ca,
    crl: clientAuth.crl ?? null,
    depth: clientAuth.depth,
    headers: { subject: subject ?? null, fingerprint: fingerprint ?? null },
  };
}
