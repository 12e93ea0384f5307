/** One active health check of one endpoint, over a connection of its own. */
import type { EndpointPlan, HealthCheckPlan } from '../../config/plan.js';
import { grpcProbe } from './grpc-probe.js';
import { httpProbe } from './http-probe.js';
import { http2Probe } from './http2-probe.js';
import { connectProbe } from './probe-connection.js';
import {
  type AttemptResult,
  type ConnectTarget,
  heldAgainstSlowness,
  type ProbeResult,
  SUCCEEDED,
  timedOut,
} from './probe-result.js';

/** Sends a probe. Never rejects; ends at once, with any result, when the signal says so. */
export type Probe = (
  endpoint: EndpointPlan,
  addresses: readonly string[],
  check: HealthCheckPlan,
  signal: AbortSignal,
) => Promise<ProbeResult>;

/**
 * Probes an endpoint: a connection that is accepted (with TLS: whose handshake is good), or an answer that the check expects, before the timeout. The addresses are tried in
 * turn until one is good; the timeout covers all of them, `slowerThan` is for each. Thread: primary.
 *
 * @param addresses as the engine takes them, at least one
 */
export const probe: Probe = async (endpoint, addresses, check, signal) => {
  const beganAt = performance.now();
  const elapsedMs = (): number => performance.now() - beganAt;
  let last: AttemptResult = { succeeded: false, reason: 'the endpoint has no address' };
  for (const address of addresses) {
    const leftMs = check.timeoutMs - elapsedMs();
    if (signal.aborted) break;
    if (leftMs <= 0) return { ...timedOut(check), elapsedMs: elapsedMs() };
    last = await attempt(endpoint, probeTarget(address, check), leftMs, check, signal);
    if (last.succeeded) break;
  }
  return { ...last, elapsedMs: elapsedMs() };
};

/** Takes 'a.b.c.d:port', '[v6]:port' or 'unix:/path' apart. */
export function connectTarget(address: string): ConnectTarget {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(address.slice(colon + 1)) };
}

/** The check's own port takes the place of the endpoint's; a unix socket has none. */
function probeTarget(address: string, { port }: HealthCheckPlan): ConnectTarget {
  const target = connectTarget(address);
  return 'path' in target || port === null ? target : { ...target, port };
}

async function attempt(
  endpoint: EndpointPlan,
  target: ConnectTarget,
  leftMs: number,
  check: HealthCheckPlan,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const beganAt = performance.now();
  const result = await ask(endpoint, target, leftMs, check, signal);
  return heldAgainstSlowness(result, performance.now() - beganAt, check);
}

/** Connects and, but for tcp, asks on that connection. */
async function ask(
  endpoint: EndpointPlan,
  target: ConnectTarget,
  timeoutMs: number,
  check: HealthCheckPlan,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const beganAt = performance.now();
  const connection = await connectProbe(endpoint, target, timeoutMs, check, signal);
  if ('succeeded' in connection) return connection;
  const { socket, isHttp2 } = connection;
  if (check.kind === 'tcp') {
    socket.destroy();
    return SUCCEEDED;
  }
  const leftMs = timeoutMs - (performance.now() - beganAt);
  if (check.kind === 'grpc') return grpcProbe(endpoint, socket, leftMs, check, signal);
  return isHttp2
    ? http2Probe(endpoint, socket, leftMs, check, signal)
    : httpProbe(endpoint, socket, leftMs, check, signal);
}
