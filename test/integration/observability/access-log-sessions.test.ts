/** The access log of sessions as it is written: lines of both formats, for sessions that went well, failed, or were refused. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { startProxy } from '../../harness/proxy-process.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionConfig, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';

const started = endAfterEach();
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-access-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** One session that is echoed five bytes, and one whose endpoint is not there. @returns the lines, and the endpoints' ports */
async function sessionsWith(accessLog: { file: string; format?: string; share?: string }): Promise<{
  lines: readonly string[];
  there: number;
  away: number;
}> {
  const endpoint = await started(startSessionEndpoint(echo));
  const nobody = await started(startSessionEndpoint());
  await nobody.close();
  const config = sessionConfig([endpoint.port], { workers: 1 }) as { listeners: object[]; upstreams: object };
  const listeners = [
    ...config.listeners,
    { name: 'lost', mode: 'l4', bind: '127.0.0.1:0', upstream: 'nobody' },
    { name: 'quiet', mode: 'l4', bind: '127.0.0.1:0', upstream: 'nobody', accessLog: false },
  ];
  const upstreams = {
    ...config.upstreams,
    nobody: { endpoints: [{ address: `127.0.0.1:${nobody.port}` }], healthCheck: 'off', outlier: 'off' },
  };
  const proxy = await started(startProxy({ ...config, listeners, upstreams, accessLog }));
  const portOf = async (name: string): Promise<number> =>
    Number((await proxy.lineWhere((line) => line.event === 'listening' && line['listener'] === name))['port']);
  const client = await started(SocketPeer.open(proxy.port));
  client.send('hello');
  await client.gets('hello');
  client.end();
  await client.ended();
  await untilNoSessions(proxy);
  for (const name of ['lost', 'quiet']) {
    const refused = await started(SocketPeer.open(await portOf(name)));
    await refused.ended();
  }
  expect(await proxy.stop()).toBe(0);
  const lines = readFileSync(accessLog.file, 'utf8').split('\n').slice(0, -1);
  return { lines, there: endpoint.port, away: nobody.port };
}

describe('access log of sessions', () => {
  it('has combined lines with listener and endpoint where a request has its path', async () => {
    const { lines, there } = await sessionsWith({ file: join(directory, 'sessions.log') });
    const time = String.raw`\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\]`;
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(
          String.raw`^127\.0\.0\.1 - - ${time} "TCP tcp/127\.0\.0\.1:${there} L4" 200 5 "-" "-" - \d+\.\d{3}$`,
        ),
      ),
      expect.stringMatching(
        new RegExp(String.raw`^127\.0\.0\.1 - - ${time} "TCP lost L4" 502 0 "-" "-" - \d+\.\d{3}$`),
      ),
    ]);
  });

  it('has lines of JSON without what only requests have', async () => {
    const { lines, there } = await sessionsWith({ file: join(directory, 'sessions.json'), format: 'json' });
    const [first, second, ...others] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(others).toEqual([]);
    expect(first).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      listener: 'tcp',
      client: '127.0.0.1',
      upstream: 'app',
      endpoint: `127.0.0.1:${there}`,
      attempts: 1,
      bytesFromClient: 5,
      bytesToClient: 5,
      durationMs: expect.any(Number),
      connectMs: expect.any(Number),
    });
    expect(second).toMatchObject({
      listener: 'lost',
      client: '127.0.0.1',
      code: 'SLUICE_CONNECT_REFUSED',
      upstream: 'nobody',
      bytesToClient: 0,
    });
    expect(second).not.toHaveProperty('status');
  });

  it('has failures whatever its share is', async () => {
    const { lines } = await sessionsWith({ file: join(directory, 'share.json'), format: 'json', share: '0%' });
    expect(lines.map((line) => (JSON.parse(line) as { listener: string }).listener)).toEqual(['lost']);
  });
});
