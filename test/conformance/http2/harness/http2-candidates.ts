/** The proxies that the HTTP/2 set is run against: sluice with prior knowledge and over TLS, nginx, HAProxy; each in front of HTTP/1.1 endpoints. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../../harness/certificate-maker.js';
import { findProgram } from '../../../harness/programs.js';
import { startProxy } from '../../../harness/proxy-process.js';
import { filled, freePorts, startConfigured } from '../../candidates/candidate.js';
import { LIMITS } from '../../case-format.js';
import type { Http2Candidate, RunningHttp2Candidate } from './run-http2.js';

type PortOf = RunningHttp2Candidate['portOf'];

const NGINX = findProgram('nginx', 'nginx-light');
const HAPROXY = findProgram('haproxy', 'haproxy');

/** First number with dots that a program says of itself. */
function versionOf(program: string | undefined): string {
  if (program === undefined) return '';
  const { stdout, stderr } = spawnSync(program, ['-v'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? '';
}

/** A listener for each lane and profile. */
async function portsFor(endpointPorts: readonly number[]): Promise<{ ports: number[]; portOf: PortOf }> {
  const ports = await freePorts(endpointPorts.length * 2);
  return { ports, portOf: (lane, profile) => ports[lane * 2 + (profile === 'usual' ? 0 : 1)] };
}

/** @param isTls over TLS with ALPN, else with prior knowledge */
function sluiceHttp2(isTls: boolean): Http2Candidate {
  return {
    name: isTls ? 'tls' : 'native',
    isTls,
    missing: () => '',
    version: () => '',
    start: async (endpointPorts) => {
      const directory = mkdtempSync(join(tmpdir(), 'conformance-'));
      const certificate = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
      const { cert, key } = makeCertificate({ name: 'a.test' });
      writeFileSync(certificate.cert, cert);
      writeFileSync(certificate.key, key);
      const overTls = isTls ? { tls: { certificates: [certificate] } } : { http2: { clearText: true } };
      const listener = (lane: number, profile: 'usual' | 'limits'): object => ({
        name: `${profile}-${lane}`,
        frontend: 'native',
        bind: '127.0.0.1:0',
        routes: [{ upstream: `e${lane}` }],
        ...(profile === 'limits' ? { limits: { headBytes: `${LIMITS.headBytes}B` } } : {}),
        ...overTls,
      });
      const proxy = await startProxy({
        workers: 1,
        listeners: endpointPorts.flatMap((_, lane) => [listener(lane, 'usual'), listener(lane, 'limits')]),
        upstreams: Object.fromEntries(
          endpointPorts.map((port, lane) => [`e${lane}`, { endpoints: [{ address: `127.0.0.1:${port}` }] }]),
        ),
      });
      await proxy.lineWhere((line) => line.event === 'ready');
      const ports = new Map<unknown, number>();
      for (const line of proxy.log) if (line.event === 'listening') ports.set(line['listener'], Number(line['port']));
      const stop = async (): Promise<void> => {
        await proxy.stop();
        rmSync(directory, { recursive: true, force: true });
      };
      return { portOf: (lane, profile) => ports.get(`${profile}-${lane}`), stop };
    },
  };
}

export const clearTextHttp2 = sluiceHttp2(false);
export const tlsHttp2 = sluiceHttp2(true);

export const nginxHttp2: Http2Candidate = {
  name: 'nginx',
  isTls: false,
  missing: () => (NGINX === undefined ? 'nginx is not installed' : ''),
  version: () => versionOf(NGINX),
  start: async (endpointPorts) => {
    const { ports, portOf } = await portsFor(endpointPorts);
    const limits = `large_client_header_buffers 1 ${LIMITS.headBytes};`;
    const servers = endpointPorts.flatMap((port, lane) => [
      `upstream e${lane} { server 127.0.0.1:${port}; keepalive 16; }`,
      `server { listen 127.0.0.1:${portOf(lane, 'usual')} http2; location / { proxy_pass http://e${lane}; } }`,
      `server { listen 127.0.0.1:${portOf(lane, 'limits')} http2; ${limits} location / { proxy_pass http://e${lane}; } }`,
    ]);
    const stop = await startConfigured(
      NGINX ?? 'nginx',
      ['-c', '{}'],
      (directory) =>
        filled(new URL('../../candidates/nginx.conf', import.meta.url).href, {
          directory,
          servers: servers.join('\n'),
        }),
      ports,
    );
    return { portOf, stop };
  },
};

export const haproxyHttp2: Http2Candidate = {
  name: 'haproxy',
  isTls: false,
  missing: () => (HAPROXY === undefined ? 'haproxy is not installed' : ''),
  version: () => versionOf(HAPROXY),
  start: async (endpointPorts) => {
    const ports = await freePorts(endpointPorts.length);
    const sections = endpointPorts.map((port, lane) =>
      [
        `frontend f${lane}`,
        `bind 127.0.0.1:${ports[lane]} proto h2`,
        `default_backend e${lane}`,
        `backend e${lane}`,
        `server e 127.0.0.1:${port}`,
      ].join('\n  '),
    );
    const stop = await startConfigured(
      HAPROXY ?? 'haproxy',
      ['-q', '-f', '{}'],
      () => filled(new URL('../../candidates/haproxy.cfg', import.meta.url).href, { sections: sections.join('\n') }),
      ports,
    );
    // HAProxy bounds the bytes of a head in `global` only.
    return { portOf: (lane, profile) => (profile === 'usual' ? ports[lane] : undefined), stop };
  },
};
