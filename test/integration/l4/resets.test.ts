/** Broken connections: a reset of one side is a reset for the other, never a clean end, and nothing of the session stays. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionFailures, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

describe.each(['adaptive', 'copy', 'splice'])('a session relayed by %s', (relay) => {
  const startPair = async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay } }));
    const client = await started(SocketPeer.open(proxy.port));
    return { endpoint, proxy, client, peer: await endpoint.peer(0) };
  };

  it('passes a reset of the client on', async () => {
    const { proxy, client, peer } = await startPair();
    client.send('half a message');
    await peer.gets('half a message');
    client.reset();
    expect(await peer.ended()).toBe('reset');
    expect(peer.errorCode).toBe('ECONNRESET');
    await untilNoSessions(proxy);
    expect(await sessionFailures(proxy)).toEqual({ SLUICE_CLIENT_GONE: 1 });
  });

  it('passes a reset of the endpoint on', async () => {
    const { proxy, client, peer } = await startPair();
    peer.send('half an answer');
    await client.gets('half an answer');
    peer.reset();
    expect(await client.ended()).toBe('reset');
    expect(client.errorCode).toBe('ECONNRESET');
    await untilNoSessions(proxy);
    expect(await sessionFailures(proxy)).toEqual({ SLUICE_ENDPOINT_RESET: 1 });
  });

  it('passes a reset on after the other direction has ended', async () => {
    const { proxy, client, peer } = await startPair();
    client.end();
    expect(await peer.ended()).toBe('ended');
    peer.send('and then');
    await client.gets('and then');
    peer.reset();
    expect(await client.ended()).toBe('reset');
    await untilNoSessions(proxy);
  });

  it('blames no endpoint that has finished and closed for not reading what comes then', async () => {
    const { proxy, client, peer } = await startPair();
    peer.send('all there is to say');
    peer.end();
    expect(await client.ended()).toBe('ended');
    peer.close();
    client.send('thanks'); // as the close_notify of a TLS client
    await untilNoSessions(proxy);
    expect(client.text).toBe('all there is to say');
    expect(await sessionFailures(proxy)).toEqual({});
    expect(await proxy.admin('/api/v1/upstreams/app/endpoints')).toMatchObject({ endpoints: [{ failures: 0 }] });
  });

  it('breaks a download off with a reset when the endpoint dies in the middle of it', async () => {
    const { proxy, client, peer } = await startPair();
    const block = Buffer.alloc(64 * 1024, 'd');
    const pump = (): void => {
      while (!peer.socket.destroyed && peer.socket.write(block)) {}
    };
    peer.socket.on('drain', pump);
    pump();
    await client.when('some megabytes', () => client.receivedBytes > 4_000_000);
    peer.reset();
    expect(await client.ended()).toBe('reset');
    await untilNoSessions(proxy);
  });

  it('breaks an upload off with a reset when the endpoint dies in the middle of it', async () => {
    const { proxy, client, peer } = await startPair();
    const block = Buffer.alloc(64 * 1024, 'u');
    const pump = (): void => {
      while (!client.socket.destroyed && client.socket.write(block)) {}
    };
    client.socket.on('drain', pump);
    pump();
    await peer.when('some megabytes', () => peer.receivedBytes > 4_000_000);
    peer.reset();
    expect(await client.ended()).toBe('reset');
    await untilNoSessions(proxy);
  });

  it('tells the endpoint of a client that is gone while the endpoint does not read', async () => {
    const { proxy, client, peer } = await startPair();
    peer.socket.pause();
    const block = Buffer.alloc(64 * 1024, 'u');
    while (client.socket.write(block)) {}
    client.reset();
    await untilNoSessions(proxy);
    peer.socket.resume();
    expect(await peer.ended()).toBe('reset');
  });
});

describe('a client that leaves at once', () => {
  it('with a reset leaves nothing open', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([endpoint.port]));
    for (let round = 0; round < 50; round++) (await SocketPeer.open(proxy.port)).reset();
    await untilNoSessions(proxy);
    await until('the endpoint has no connection', () => endpoint.openPeers === 0);
    const client = await started(SocketPeer.open(proxy.port));
    client.send('still there?');
    await client.gets('still there?');
  });
});
