/** TLS of WebSockets to endpoints through Node's sockets, by the same settings and files as the engine's connections. Thread: worker. */
import { readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls';
import type { UpstreamTlsPlan } from '../../../config/tls-plan.js';
import { readPassphrase } from '../../../core/passphrase.js';

/** Made from the files of a plan as they were; `stamp` says how. */
interface Kept {
  readonly stamp: string;
  readonly context: SecureContext;
}

const kept = new WeakMap<UpstreamTlsPlan, Kept>();

/**
 * Begins the handshake on a connected socket. WebSockets go over HTTP/1.1, whatever `protocol` of the upstream says.
 *
 * @param name asked for and verified: what UpstreamTlsPlan.serverName says, else the endpoint's host
 * @returns null: the files cannot be used, and never could be
 */
export function beginTls(socket: Socket, tls: UpstreamTlsPlan, name: string): TLSSocket | null {
  const secureContext = contextOf(tls);
  if (secureContext === null) return null;
  return connect({
    socket,
    secureContext,
    servername: isIP(name) === 0 ? name : '', // RFC 6066 section 3: no SNI for addresses
    rejectUnauthorized: tls.isVerified,
    ALPNProtocols: ['http/1.1'],
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  });
}

/** Of the files as they are now: they may change under a plan that stays. Where they cannot be used, what they were goes on. */
function contextOf(tls: UpstreamTlsPlan): SecureContext | null {
  const before = kept.get(tls);
  try {
    const { ca, certificate } = tls;
    const paths = [ca, certificate?.cert, certificate?.key].filter((path) => typeof path === 'string');
    const stamp = paths.map(stampOf).join();
    if (before?.stamp === stamp) return before.context;
    const context = createSecureContext(optionsOf(tls));
    kept.set(tls, { stamp, context });
    return context;
  } catch {
    return before?.context ?? null;
  }
}

function stampOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path);
  return `${mtimeMs}/${size}/${ino}`;
}

/** @throws Error where a file cannot be read */
function optionsOf(tls: UpstreamTlsPlan): SecureContextOptions {
  const { ca, certificate } = tls;
  const read = readPassphrase(certificate?.passphrase ?? null, process.env);
  if (!read.ok) throw new Error(read.sentence);
  return {
    ...(ca === null ? {} : { ca: readFileSync(ca) }),
    ...(certificate === null ? {} : { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }),
    ...(read.passphrase === null ? {} : { passphrase: read.passphrase }),
    minVersion: `TLSv${tls.minVersion}`,
    ciphers: `${tls.cipherSuites}:${tls.ciphers}`,
    ecdhCurve: tls.curves,
  };
}
