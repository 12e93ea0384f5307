/** WebSockets whose sides are of different speed: what waits is bounded, nothing is lost, and others are not held up. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { forgetPeak, peakMemoryBytes } from '../../harness/process-facts.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { WEB_SOCKET_FRONT_ENDS } from '../../harness/web-socket-front-ends.js';
import {
  socketOf,
  startWebSocketEndpoint,
  type WebSocketEndpointOptions,
  WebSocketPeer,
} from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 32 * 1024;
const TOTAL_BYTES = 192 * MIB;
/** What may wait between two sides: in the kernel, in the proxy, and in Node's streams of the test itself. */
const WAITING_BYTES = 48 * MIB;
/** Of the whole process with one WebSocket: Node, its worker, and all that waits. */
const LIMIT_BYTES = 220 * MIB;

const kept = endAfterEach();

/** Sends numbered messages as fast as they are taken. */
function pump(from: WebSocketPeer, totalBytes = TOTAL_BYTES): { readonly sentBytes: () => number } {
  let sentBytes = 0;
  const next = (error?: Error | null): void => {
    if (error instanceof Error || sentBytes >= totalBytes) return;
    const message = Buffer.alloc(MESSAGE_BYTES, sentBytes / MESSAGE_BYTES);
    message.writeUInt32BE(sentBytes / MESSAGE_BYTES, 0);
    sentBytes += MESSAGE_BYTES;
    from.socket.send(message, next);
  };
  next();
  return { sentBytes: () => sentBytes };
}

/** Checks numbers as they come. */
function countInOrder(peer: WebSocketPeer): { readonly isInOrder: () => boolean } {
  let expected = 0;
  let isInOrder = true;
  peer.socket.on('message', (message: Buffer) => {
    const isRight = message.readUInt32BE(0) === expected && message[4] === expected % 256;
    if (!isRight || message.length !== MESSAGE_BYTES) isInOrder = false;
    expected++;
  });
  return { isInOrder: () => isInOrder };
}

/** Waits until a figure has stopped growing. */
async function standsStill(what: string, figure: () => number): Promise<void> {
  let before = -1;
  let since = performance.now();
  await until(
    what,
    () => {
      if (figure() !== before) since = performance.now();
      before = figure();
      return performance.now() - since > 300;
    },
    15_000,
  );
}

describe.each(WEB_SOCKET_FRONT_ENDS)('a WebSocket of %s', (frontend) => {
  const start = async (options: WebSocketEndpointOptions = {}) => {
    const endpoint = await kept(startWebSocketEndpoint({ isKept: false, ...options }));
    const proxy = await kept(startProxy(configFor([endpoint.port], { workers: 1, listener: { frontend } })));
    const client = await kept(WebSocketPeer.open(proxy.port, { isKept: false }));
    return { endpoint, proxy, client, far: await endpoint.next() };
  };

  it('stops an endpoint whose client takes nothing, and delivers all once the client goes on', async () => {
    const { proxy, client, far } = await start();
    const pid = proxy.child.pid as number;
    const order = countInOrder(client);
    socketOf(client.socket).pause();
    forgetPeak(pid);
    const { sentBytes } = pump(far);
    await standsStill('the endpoint is stopped', sentBytes);
    expect(sentBytes()).toBeLessThan(WAITING_BYTES);
    const other = await kept(WebSocketPeer.open(proxy.port));
    other.socket.ping('meanwhile');
    await until('others are served meanwhile', () => other.pongs.length === 1);
    socketOf(client.socket).resume();
    await until('all has come', () => client.receivedBytes === TOTAL_BYTES, 20_000);
    expect(order.isInOrder()).toBe(true);
    expect(peakMemoryBytes(pid)).toBeLessThan(LIMIT_BYTES);
  }, 60_000);

  it('stops and goes on many times, and loses nothing', async () => {
    const { client, far } = await start();
    const order = countInOrder(client);
    const total = 64 * MIB;
    pump(far, total);
    const socket = socketOf(client.socket);
    for (let part = 1; part <= 16; part++) {
      await until('another part has come', () => client.receivedBytes >= (part * total) / 17, 20_000);
      socket.pause();
      setTimeout(() => socket.resume(), 20);
    }
    await until('all has come', () => client.receivedBytes === total, 20_000);
    expect(order.isInOrder()).toBe(true);
  }, 60_000);

  it('delivers what waits for a slow client before the close frame of its endpoint', async () => {
    const { proxy, client, far } = await start();
    const order = countInOrder(client);
    const total = 8 * MIB;
    socketOf(client.socket).pause();
    const { sentBytes } = pump(far, total);
    await standsStill('the endpoint has sent, or is stopped', sentBytes);
    // What is pumped from here on is behind the close, and not sent.
    const beforeClose = sentBytes();
    far.socket.close(4002, 'that was all');
    socketOf(client.socket).resume();
    expect(await client.ended(15_000)).toEqual({ code: 4002, reason: 'that was all' });
    expect(client.receivedBytes).toBe(beforeClose);
    expect(order.isInOrder()).toBe(true);
    await untilIdle(proxy);
  }, 60_000);

  it('carries much from a client as fast as the endpoint takes it', async () => {
    const { proxy, client, far } = await start();
    const pid = proxy.child.pid as number;
    const order = countInOrder(far);
    forgetPeak(pid);
    pump(client);
    await until('all has come', () => far.receivedBytes === TOTAL_BYTES, 30_000);
    expect(order.isInOrder()).toBe(true);
    expect(peakMemoryBytes(pid)).toBeLessThan(LIMIT_BYTES);
  }, 60_000);

  it('stops a client whose endpoint takes nothing, and delivers all once the endpoint goes on', async () => {
    const { proxy, client, far } = await start();
    const pid = proxy.child.pid as number;
    const order = countInOrder(far);
    socketOf(far.socket).pause();
    forgetPeak(pid);
    const { sentBytes } = pump(client);
    await standsStill('the client is stopped', sentBytes);
    expect(sentBytes()).toBeLessThan(WAITING_BYTES);
    const other = await kept(WebSocketPeer.open(proxy.port));
    other.socket.ping('meanwhile');
    await until('others are served meanwhile', () => other.pongs.length === 1);
    socketOf(far.socket).resume();
    await until('all has come', () => far.receivedBytes === TOTAL_BYTES, 30_000);
    expect(order.isInOrder()).toBe(true);
    expect(peakMemoryBytes(pid)).toBeLessThan(LIMIT_BYTES);
  }, 60_000);

  it('carries much both ways at once', async () => {
    const { client } = await start({ echoes: true });
    const order = countInOrder(client);
    const total = 64 * MIB;
    pump(client, total);
    await until('all has come back', () => client.receivedBytes === total, 30_000);
    expect(order.isInOrder()).toBe(true);
  }, 60_000);

  it('reaches a client that is stopped for its endpoint, and notices when it leaves', async () => {
    const { proxy, client, far } = await start();
    socketOf(far.socket).pause();
    const { sentBytes } = pump(client);
    await standsStill('the client is stopped', sentBytes);
    far.socket.send('for the client');
    await until('the message has come', () => client.receivedBytes === 'for the client'.length);
    socketOf(far.socket).resume();
    await until('the endpoint takes', () => far.receivedBytes > WAITING_BYTES);
    client.close();
    await far.ended(15_000);
    await untilIdle(proxy);
  }, 60_000);
});
