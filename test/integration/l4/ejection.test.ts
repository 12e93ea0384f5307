/** Endpoints of sessions that refuse connections are left alone, whichever worker met them. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../harness/programs.js';
import { greetAs, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionsOfEndpoints, startSessionProxy } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describe('ejection of endpoints of sessions', () => {
  it('ejects one that refuses connections, and takes it back when it accepts', async () => {
    const sick = await freePort();
    const sound = await startSessionEndpoint(greetAs('sound'));
    open.push(() => sound.close());
    const outlier = { gatewayFailures: 3, ejectionTime: '1s', maxEjectionTime: '1s' };
    const proxy = await startSessionProxy([sick, sound.port], { upstream: { outlier } });
    open.push(() => proxy.stop());
    const greeting = async (): Promise<string> => {
      const client = await SocketPeer.open(proxy.port);
      try {
        await client.when('a greeting', () => client.text.endsWith('\n'));
        return client.text.trim();
      } finally {
        client.close();
      }
    };

    for (let session = 0; session < 6; session++) expect(await greeting()).toBe('sound');
    const line = await proxy.lineWhere(({ event }) => event === 'endpoint-ejected');
    expect(line).toMatchObject({ endpoint: `127.0.0.1:${sick}`, reason: 'gateway-failures-in-row', ejections: 1 });
    await proxy.lineWhere(({ event }) => event === 'attempt-failed');
    const server = createServer((socket) => socket.end('back\n'));
    open.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(sick, '127.0.0.1', resolve));
    let greeted = '';
    for (const deadline = performance.now() + 8_000; greeted !== 'back' && performance.now() < deadline; )
      greeted = await greeting();

    expect(greeted).toBe('back');
    await proxy.lineWhere(({ event }) => event === 'endpoint-returned');
    expect(await sessionsOfEndpoints(proxy)).toHaveLength(2);
  });
});
