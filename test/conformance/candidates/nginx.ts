/** nginx, set up as an edge proxy. */
import { findProgram } from '../../harness/programs.js';
import { LIMITS, type ProfileName, SHORT_TIMEOUT_MS } from '../case-format.js';
import { type Candidate, filled, freePorts, PROFILES, startConfigured } from './candidate.js';

const PATH = findProgram('nginx', 'nginx-light');

const SHORT = `${SHORT_TIMEOUT_MS}ms`;

/** nginx counts neither fields nor bytes of a head: its one bound is the buffer. */
const SETTINGS: Readonly<Record<ProfileName, string>> = {
  usual: '',
  limits: `client_header_buffer_size ${LIMITS.requestLineBytes}; large_client_header_buffers 4 ${LIMITS.requestLineBytes}; client_max_body_size ${LIMITS.bodyBytes}; keepalive_requests ${LIMITS.requests};`,
  times: `client_header_timeout ${SHORT}; client_body_timeout ${SHORT}; keepalive_timeout ${SHORT}; proxy_read_timeout ${SHORT}; proxy_send_timeout ${SHORT};`,
  trusting:
    'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Host $http_host; proxy_set_header Connection $connection_option; proxy_set_header Upgrade $http_upgrade;',
};

export const nginx: Candidate = {
  name: 'nginx',
  missing: () => (PATH === undefined ? 'nginx is not installed' : ''),
  start: async (endpointPorts) => {
    const ports = await freePorts(endpointPorts.length * PROFILES.length);
    const portOf = (lane: number, profile: ProfileName): number | undefined =>
      ports[lane * PROFILES.length + PROFILES.indexOf(profile)];
    const servers = endpointPorts.flatMap((port, lane) => [
      `upstream e${lane} { server 127.0.0.1:${port}; keepalive 16; }`,
      ...PROFILES.map(
        (profile) =>
          `server { listen 127.0.0.1:${portOf(lane, profile)}; ${SETTINGS[profile]} location / { proxy_pass http://e${lane}; } }`,
      ),
    ]);
    const stop = await startConfigured(
      PATH ?? 'nginx',
      ['-c', '{}'],
      (directory) => filled('nginx.conf', { directory, servers: servers.join('\n') }),
      ports,
    );
    return { portOf, stop };
  },
};
