/** HAProxy, set up as an edge proxy. */
import { findProgram } from '../../harness/programs.js';
import { LIMITS, type ProfileName, SHORT_TIMEOUT_MS } from '../case-format.js';
import { type Candidate, filled, freePorts, PROFILES, startConfigured } from './candidate.js';

const PATH = findProgram('haproxy', 'haproxy');

const SHORT = `${SHORT_TIMEOUT_MS}ms`;

/** HAProxy has a bound for the bytes of a head in `global` only (tune.bufsize), and none for fields that is per listener. */
const SETTINGS: Readonly<Record<ProfileName, readonly string[]>> = {
  usual: ['http-request del-header x-forwarded-for'],
  limits: [`http-request deny deny_status 413 if { req.body_size gt ${LIMITS.bodyBytes} }`],
  times: [`timeout client ${SHORT}`, `timeout http-request ${SHORT}`, `timeout http-keep-alive ${SHORT}`],
  trusting: [],
};

export const haproxy: Candidate = {
  name: 'haproxy',
  missing: () => (PATH === undefined ? 'haproxy is not installed' : ''),
  start: async (endpointPorts) => {
    const ports = await freePorts(endpointPorts.length * PROFILES.length);
    const portOf = (lane: number, profile: ProfileName): number | undefined =>
      ports[lane * PROFILES.length + PROFILES.indexOf(profile)];
    const sections = endpointPorts.flatMap((port, lane) => [
      `backend usual${lane}\n  server e 127.0.0.1:${port}`,
      `backend times${lane}\n  timeout server ${SHORT}\n  server e 127.0.0.1:${port}`,
      ...PROFILES.map((profile) =>
        [
          `frontend ${profile}-${lane}`,
          `bind 127.0.0.1:${portOf(lane, profile)}`,
          ...SETTINGS[profile],
          'option forwardfor',
          'http-request set-header x-forwarded-proto http',
          'http-request set-header x-forwarded-host %[req.hdr(host)]',
          'http-request set-header x-request-id %[uuid()]',
          'http-request add-header via "1.1 haproxy"',
          `default_backend ${profile === 'times' ? 'times' : 'usual'}${lane}`,
        ].join('\n  '),
      ),
    ]);
    const stop = await startConfigured(
      PATH ?? 'haproxy',
      ['-q', '-f', '{}'],
      () => filled('haproxy.cfg', { sections: sections.join('\n') }),
      ports,
    );
    return { portOf, stop };
  },
};
