/** Tunnels of the native front end at the end of their process: they are the one thing that a drain cannot finish by itself. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { startWebSocketEndpoint, WebSocketPeer } from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';

const kept = endAfterEach();

describe('a tunnel', () => {
  it('may go on while its process drains, and lets it end with 0 when it is over', async () => {
    const endpoint = await kept(startWebSocketEndpoint({ echoes: true }));
    const proxy = await kept(startProxy(configFor([endpoint.port], { workers: 2, listener: { frontend: 'native' } })));
    const client = await kept(WebSocketPeer.open(proxy.port));
    const ended = proxy.stop('SIGTERM');
    await until('the proxy drains', () => proxy.log.some(({ event }) => event === 'signal'));
    client.socket.send('still there?');
    await client.gets(1);
    client.socket.close();
    expect(await ended).toBe(0);
    expect(proxy.log.some(({ event }) => event === 'shutdown-timeout')).toBe(false);
  });

  it('is cut when the time for draining is over', async () => {
    const endpoint = await kept(startWebSocketEndpoint());
    const config = { ...configFor([endpoint.port], { listener: { frontend: 'native' } }), shutdownTimeout: '300ms' };
    const proxy = await kept(startProxy(config));
    const client = await kept(WebSocketPeer.open(proxy.port));
    const far = await endpoint.next();
    await proxy.stop('SIGTERM');
    expect((await client.ended()).code).toBe(1006);
    expect((await far.ended()).code).toBe(1006);
    expect(proxy.log.some(({ event }) => event === 'shutdown-timeout')).toBe(true);
  });
});
