/** Silence: what neither side uses any more is closed after the listener's timeouts, and not before. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionFailures, startSessionProxy, untilFailed, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';

const started = endAfterEach();

/** Waits until the session has been closed. @returns ms since now */
async function closedAfterMs(client: SocketPeer): Promise<number> {
  const startedAt = performance.now();
  await client.ended();
  return performance.now() - startedAt;
}

describe('timeouts.sessionIdle', () => {
  it('ends a session in which nothing moves, on both sides with a reset', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts: { sessionIdle: '1s' } } }));
    const client = await started(SocketPeer.open(proxy.port));
    const peer = await endpoint.peer(0);
    const elapsedMs = await closedAfterMs(client);
    expect(elapsedMs).toBeGreaterThan(800);
    expect(elapsedMs).toBeLessThan(4_000);
    expect(client.ending).toBe('reset');
    expect(await peer.ended()).toBe('reset');
    await untilNoSessions(proxy);
    expect(await sessionFailures(proxy)).toEqual({ SLUICE_SESSION_IDLE: 1 });
  });

  it.each(['client', 'endpoint'])('begins anew with each byte of the %s', async (side) => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts: { sessionIdle: '1s' } } }));
    const client = await started(SocketPeer.open(proxy.port));
    const peer = await endpoint.peer(0);
    const [sender, receiver] = side === 'client' ? [client, peer] : [peer, client];
    for (let sent = 1; sent <= 8; sent++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      sender.send('x');
      await receiver.when('the byte', () => receiver.receivedBytes === sent);
    }
    expect(client.ending).toBe('open');
    const elapsedMs = await closedAfterMs(client);
    expect(elapsedMs).toBeGreaterThan(700);
    expect(elapsedMs).toBeLessThan(4_000);
  });

  it('lets a session be whose reader takes its time, as long as something moves', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts: { sessionIdle: '1s' } } }));
    const client = await started(SocketPeer.open(proxy.port, false));
    const peer = await endpoint.peer(0);
    client.socket.pause();
    const totalBytes = 24 * 1024 * 1024;
    peer.send(Buffer.alloc(totalBytes));
    peer.end();
    // Takes a piece, and looks away for longer than a turn of the relay, and shorter than the timeout.
    while (client.ending === 'open') {
      client.socket.resume();
      const before = client.receivedBytes;
      await client.when('a piece', () => client.receivedBytes > before + 4_000_000 || client.ending !== 'open');
      client.socket.pause();
      if (client.receivedBytes < totalBytes) await new Promise((resolve) => setTimeout(resolve, 400));
      else client.socket.resume();
    }
    expect(client.receivedBytes).toBe(totalBytes);
  });

  it('ends a session whose reader has stopped', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts: { sessionIdle: '1s' } } }));
    const client = await started(SocketPeer.open(proxy.port, false));
    client.socket.pause();
    const peer = await endpoint.peer(0);
    const block = Buffer.alloc(64 * 1024);
    while (peer.socket.write(block)) {}
    for (let filled = 0; filled < 16 * 1024 * 1024; filled += block.length) peer.socket.write(block);
    expect(await peer.ended()).toBe('reset');
    await untilNoSessions(proxy);
  });
});

describe('timeouts.linger', () => {
  const timeouts = { linger: '1s', sessionIdle: '60s' };

  it.each(['client', 'endpoint'])(
    'ends a session in which only the %s has finished and nothing moves',
    async (side) => {
      const endpoint = await started(startSessionEndpoint());
      const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts } }));
      const client = await started(SocketPeer.open(proxy.port));
      const peer = await endpoint.peer(0);
      const [first, other] = side === 'client' ? [client, peer] : [peer, client];
      const startedAt = performance.now();
      first.end();
      expect(await other.ended()).toBe('ended');
      expect(await first.ended()).toBe('reset');
      expect(performance.now() - startedAt).toBeGreaterThan(800);
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      await untilNoSessions(proxy);
      expect(await sessionFailures(proxy)).toEqual({ SLUICE_SESSION_LINGER: 1 });
    },
  );

  it('does not touch a session that goes on in the other direction', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts } }));
    const client = await started(SocketPeer.open(proxy.port));
    const peer = await endpoint.peer(0);
    client.end();
    await peer.ended();
    for (let sent = 1; sent <= 8; sent++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      peer.send('x');
      await client.when('the byte', () => client.receivedBytes === sent);
    }
    peer.end();
    expect(await client.ended()).toBe('ended');
    await untilNoSessions(proxy);
  });
});

describe('timeouts.preface', () => {
  const timeouts = { preface: '1s', sessionIdle: '60s' };
  const prefaces = [
    ['a PROXY header', { proxyProtocol: true, trustedProxies: ['127.0.0.1/32'] }, 'PROXY TCP4 192.0.2.1 '],
    ['a ClientHello', { routes: [{ match: { sni: 'a.test' }, upstream: 'app' }], upstream: undefined }, '\x16\x03\x01'],
  ] as const;

  it.each(prefaces)('closes a connection on which %s does not come', async (_what, listener) => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts, ...listener } }));
    const client = await started(SocketPeer.open(proxy.port));
    const elapsedMs = await closedAfterMs(client);
    expect(elapsedMs).toBeGreaterThan(800);
    expect(elapsedMs).toBeLessThan(4_000);
    expect(client.ending).toBe('reset');
    expect(endpoint.peers).toHaveLength(0);
    await untilFailed(proxy, 'SLUICE_PREFACE_TIMEOUT', 1);
  });

  it.each(prefaces)('is not lengthened by single bytes of %s', async (_what, listener, beginning) => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts, ...listener } }));
    const client = await started(SocketPeer.open(proxy.port));
    const startedAt = performance.now();
    client.send(beginning[0] as string);
    let sent = 1;
    const timer = setInterval(() => client.send(beginning[sent++ % beginning.length] as string), 300);
    await client.ended().finally(() => clearInterval(timer));
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(endpoint.peers).toHaveLength(0);
  });

  it('does not touch a session once its preface has come', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const [, listener] = prefaces[0];
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { timeouts, ...listener } }));
    const client = await started(SocketPeer.open(proxy.port));
    client.send('PROXY UNKNOWN\r\n');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    client.send('still here');
    await client.gets('still here');
  });
});
