/** sluice behind either of its front ends. */
import { startProxy } from '../../harness/proxy-process.js';
import { LIMITS, type ProfileName, SHORT_TIMEOUT_MS } from '../case-format.js';
import { type Candidate, PROFILES } from './candidate.js';

type FrontEndName = 'native' | 'uws';

const SHORT = `${SHORT_TIMEOUT_MS}ms`;

/** What a listener of a profile has besides name, address and route. The uws front end has times and some limits of its own and refuses the keys. */
function listenerOf(profile: ProfileName, frontend: FrontEndName): object {
  const isNative = frontend === 'native';
  const { headBytes, requestLineBytes, headers, bodyBytes, requests } = LIMITS;
  const limits = { headBytes: `${headBytes}B`, headers, bodyBytes: `${bodyBytes}B` };
  const ofNative = { targetBytes: `${requestLineBytes}B`, requestsPerConnection: requests };
  switch (profile) {
    case 'limits':
      return { limits: { ...limits, ...(isNative ? ofNative : {}) } };
    case 'times':
      return isNative ? { timeouts: { requestHead: SHORT, bodyIdle: SHORT, keepAlive: SHORT } } : {};
    case 'trusting':
      return { trustedProxies: ['127.0.0.0/8'] };
    case 'usual':
      return {};
  }
}

function configuration(frontend: FrontEndName, endpointPorts: readonly number[]): object {
  const lanes = [...endpointPorts.entries()];
  return {
    workers: 1,
    listeners: lanes.flatMap(([lane]) =>
      PROFILES.map((profile) => ({
        name: `${profile}-${lane}`,
        frontend,
        bind: '127.0.0.1:0',
        routes: [{ upstream: profile === 'times' ? `times-${lane}` : `usual-${lane}` }],
        ...listenerOf(profile, frontend),
      })),
    ),
    upstreams: Object.fromEntries(
      lanes.flatMap(([lane, port]) => {
        const endpoints = [{ address: `127.0.0.1:${port}` }];
        return [
          [`usual-${lane}`, { endpoints }],
          [`times-${lane}`, { endpoints, timeouts: { firstByte: SHORT, idle: SHORT } }],
        ];
      }),
    ),
  };
}

/** @param frontend of all listeners */
export function sluice(frontend: FrontEndName): Candidate {
  return {
    name: frontend,
    missing: () => '',
    start: async (endpointPorts) => {
      const proxy = await startProxy(configuration(frontend, endpointPorts));
      await proxy.lineWhere((line) => line.event === 'ready');
      const ports = new Map<unknown, number>();
      for (const line of proxy.log) if (line.event === 'listening') ports.set(line['listener'], Number(line['port']));
      return { portOf: (lane, profile) => ports.get(`${profile}-${lane}`), stop: () => proxy.stop() };
    },
  };
}
