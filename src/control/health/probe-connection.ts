/** The connection of a probe: TCP or a unix socket, and TLS on it as the upstream's endpoints are spoken to. */
import { readFile, stat } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { EndpointPlan, HealthCheckPlan } from '../../config/plan.js';
import type { ProbeTlsPlan } from '../../config/resilience-plan.js';
import { readPassphrase } from '../../core/passphrase.js';
import { type AttemptResult, type ConnectTarget, failed, timedOut } from './probe-result.js';

/** A connection that whoever gets it owns. */
export interface ProbeConnection {
  readonly socket: Socket;
  /** HTTP/2 is spoken on it, by what the upstream says or ALPN has chosen. */
  readonly isHttp2: boolean;
}

/**
 * Connects to one address, and shakes hands where the check has TLS. Thread: primary.
 *
 * @param timeoutMs what is left of the check's
 * @returns the failure instead; never rejects
 */
export async function connectProbe(
  endpoint: EndpointPlan,
  target: ConnectTarget,
  timeoutMs: number,
  check: HealthCheckPlan,
  signal: AbortSignal,
): Promise<ProbeConnection | AttemptResult> {
  const { tls } = check;
  if (tls === null) {
    const isHttp2 = check.kind === 'grpc' || check.protocol === 'h2';
    return connected(connect(target), 'connect', timeoutMs, check, signal, () => ({ isHttp2 }));
  }
  let secureContext: SecureContext;
  try {
    secureContext = await secureContextOf(tls);
  } catch (error) {
    // A file that cannot be read, or does not fit: nothing that the endpoint could do about.
    return { succeeded: false, reason: `its TLS files cannot be used: ${(error as Error).message}`, isOurs: true };
  }
  const name = serverNameOf(endpoint, tls);
  const socket = connectTls({
    ...target,
    secureContext,
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: tls.isVerified,
    ALPNProtocols: alpnOf(check),
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  });
  return connected(socket, 'secureConnect', timeoutMs, check, signal, () => choiceOf(socket, check));
}

/** Name that is asked for and verified: the configured one, else the host of the endpoint's address. */
function serverNameOf({ target }: EndpointPlan, { serverName }: ProbeTlsPlan): string {
  return serverName ?? (target.kind === 'tcp' ? target.host : 'localhost');
}

function alpnOf({ kind, protocol }: HealthCheckPlan): string[] {
  if (kind === 'grpc' || protocol === 'h2') return ['h2'];
  return protocol === 'auto' ? ['h2', 'http/1.1'] : ['http/1.1'];
}

/** What ALPN has come to. An endpoint without ALPN is spoken to in HTTP/1.1, as traffic is, and cannot be in HTTP/2 (RFC 9113 section 3.2). */
function choiceOf(socket: TLSSocket, { kind, protocol }: HealthCheckPlan): { isHttp2: boolean } | AttemptResult {
  const isHttp2 = socket.alpnProtocol === 'h2';
  const mustBe = kind === 'grpc' || (kind === 'http' && protocol === 'h2');
  if (isHttp2 || !mustBe) return { isHttp2 };
  return { succeeded: false, reason: 'it does not offer HTTP/2 (ALPN h2)' };
}

function connected(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  timeoutMs: number,
  check: HealthCheckPlan,
  signal: AbortSignal,
  choose: () => { readonly isHttp2: boolean } | AttemptResult,
): Promise<ProbeConnection | AttemptResult> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => fail(timedOut(check)), timeoutMs);
    const giveUp = (): void => fail({ succeeded: false, reason: 'the check was given up' });
    const onError = (error: Error): void => fail(failed(error));
    const onEnd = (): void => fail({ succeeded: false, reason: 'it closed the connection during the TLS handshake' });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.off('error', onError).off('close', onEnd);
    };
    const fail = (result: AttemptResult): void => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      resolve(result);
    };
    signal.addEventListener('abort', giveUp);
    socket.on('error', onError).on('close', onEnd);
    if (signal.aborted) giveUp();
    socket.once(event, () => {
      const choice = choose();
      if ('succeeded' in choice) return fail(choice);
      settle();
      // Until its new owner listens.
      socket.on('error', () => {});
      resolve({ socket, ...choice });
    });
  });
}

/** Made from the files of a plan as they were; `stamp` says how. */
interface Kept {
  readonly stamp: string;
  readonly context: SecureContext;
}

const kept = new WeakMap<ProbeTlsPlan, Kept>();

/** The files are looked at before each probe, since they may change under a plan that stays. */
async function secureContextOf(tls: ProbeTlsPlan): Promise<SecureContext> {
  const { ca, certificate } = tls;
  const paths = [ca, certificate?.cert, certificate?.key].filter((path) => typeof path === 'string');
  const facts = await Promise.all(paths.map((path) => stat(path)));
  const stamp = facts.map(({ mtimeMs, size, ino }) => `${mtimeMs}/${size}/${ino}`).join();
  const before = kept.get(tls);
  if (before?.stamp === stamp) return before.context;
  const [caPem, certPem, keyPem] = await Promise.all(
    [ca, certificate?.cert, certificate?.key].map((path) => (typeof path === 'string' ? readFile(path) : undefined)),
  );
  const read = readPassphrase(certificate?.passphrase ?? null, process.env);
  if (!read.ok) throw new Error(`the passphrase ${read.sentence}`);
  const context = createSecureContext({
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(certPem === undefined || keyPem === undefined ? {} : { cert: certPem, key: keyPem }),
    ...(read.passphrase === null ? {} : { passphrase: read.passphrase }),
    minVersion: `TLSv${tls.minVersion}`,
    ciphers: `${tls.cipherSuites}:${tls.ciphers}`,
    ecdhCurve: tls.curves,
  });
  kept.set(tls, { stamp, context });
  return context;
}
