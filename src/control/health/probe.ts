/** One active health request to one endpoint, over a connection of its own. */
import { request } from 'node:http';
import { connect } from 'node:net';
import type { EndpointPlan, HealthCheckPlan } from '../../config/plan.js';

/** How a probe ended; `reason` is one short sentence for the log. */
export type ProbeResult = { readonly succeeded: true } | { readonly succeeded: false; readonly reason: string };

/** Sends a probe. Never rejects. */
export type Probe = (
  endpoint: EndpointPlan,
  addresses: readonly string[],
  check: HealthCheckPlan,
) => Promise<ProbeResult>;

const SUCCEEDED: ProbeResult = { succeeded: true };

/** Where to connect, in the words of node:net and node:http. */
type ConnectTarget = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Probes an endpoint: a TCP connection that is accepted, or a GET answered with 2xx or 3xx (nginx Plus, Traefik) before the
 * timeout. The addresses are tried in turn until one accepts; the timeout covers all of them. Thread: primary.
 *
 * @param addresses as the engine takes them, at least one
 */
export const probe: Probe = async (endpoint, addresses, check) => {
  const deadlineAt = performance.now() + check.timeoutMs;
  let last: ProbeResult = { succeeded: false, reason: 'the endpoint has no address' };
  for (const address of addresses) {
    const leftMs = deadlineAt - performance.now();
    if (leftMs <= 0) return timedOut(check);
    const target = connectTarget(address);
    last =
      check.kind === 'tcp' ? await tcpProbe(target, leftMs, check) : await httpProbe(endpoint, target, leftMs, check);
    if (last.succeeded) return last;
  }
  return last;
};

/** Takes 'a.b.c.d:port', '[v6]:port' or 'unix:/path' apart. */
export function connectTarget(address: string): ConnectTarget {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(address.slice(colon + 1)) };
}

function tcpProbe(target: ConnectTarget, timeoutMs: number, check: HealthCheckPlan): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect(target);
    const timer = setTimeout(() => end(timedOut(check)), timeoutMs);
    const end = (result: ProbeResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(SUCCEEDED));
    socket.on('error', (error) => end(failed(error)));
  });
}

function httpProbe(
  endpoint: EndpointPlan,
  target: ConnectTarget,
  timeoutMs: number,
  check: HealthCheckPlan & { readonly kind: 'http' },
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const connectTo = 'path' in target ? { socketPath: target.path } : { host: target.host, port: target.port };
    const sent = request({
      ...connectTo,
      method: 'GET',
      path: check.path,
      agent: false,
      headers: { host: hostHeader(endpoint), 'user-agent': 'sluice health check', accept: '*/*', connection: 'close' },
    });
    const timer = setTimeout(() => {
      resolve(timedOut(check));
      sent.destroy();
    }, timeoutMs);
    sent.once('response', (response) => {
      const status = response.statusCode ?? 0;
      resolve(
        status >= 200 && status < 400 ? SUCCEEDED : { succeeded: false, reason: `it answered with status ${status}` },
      );
      // The body is read to its end so that the endpoint does not log a reset; the timer still bounds how long.
      response.on('error', () => {});
      response.resume();
    });
    sent.on('error', (error) => resolve(failed(error)));
    sent.once('close', () => {
      clearTimeout(timer);
      // Without effect after a result. Nothing but 'close' comes of a 101: node:http ends the connection without a word.
      resolve({ succeeded: false, reason: 'the connection closed without a final response' });
    });
    sent.end();
  });
}

function hostHeader(endpoint: EndpointPlan): string {
  return endpoint.target.kind === 'unix' ? 'localhost' : endpoint.name;
}

function timedOut(check: HealthCheckPlan): ProbeResult {
  return { succeeded: false, reason: `no answer within ${check.timeoutMs} ms` };
}

function failed(error: NodeJS.ErrnoException): ProbeResult {
  return { succeeded: false, reason: error.code === undefined ? error.message : `${error.code}: ${error.message}` };
}
