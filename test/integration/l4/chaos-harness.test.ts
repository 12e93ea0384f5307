/** The chaos clients and their endpoint against each other, and against relays that break what a proxy must keep. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRng } from '../../../src/core/rng.js';
import { type ChaosCounts, runChaosClients } from '../../harness/chaos-clients.js';
import { type ChaosEndpoint, startChaosEndpoint } from '../../harness/chaos-endpoint.js';
import { randomScript, readScript, SCRIPT_BYTES, writeScript } from '../../harness/chaos-script.js';
import { until } from '../../harness/wire.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function chaosEndpoint(): Promise<ChaosEndpoint> {
  const endpoint = await startChaosEndpoint();
  closers.push(() => endpoint.close());
  return endpoint;
}

/** What a relay does to a session; each breaks one thing that a proxy promises. */
interface Tampering {
  readonly change?: (chunk: Buffer) => Buffer;
  readonly hidesResets?: boolean;
  readonly cutsHalfClosed?: boolean;
}

/** A relay in plain node:net. @returns its port */
async function relayTo(
  port: number,
  { change = (chunk) => chunk, hidesResets, cutsHalfClosed }: Tampering,
): Promise<number> {
  const sockets = new Set<Socket>();
  const passOn = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('close', () => sockets.delete(from));
    from.on('data', (chunk: Buffer) => {
      if (!to.write(change(chunk))) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => {
      to.end();
      if (cutsHalfClosed) from.destroy();
    });
    from.on('error', () => (hidesResets ? to.end() : to.resetAndDestroy()));
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const endpoint = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    passOn(client, endpoint);
    passOn(endpoint, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

function run(port: number, durationMs = 400): Promise<ChaosCounts> {
  return runChaosClients({ port, seed: 7, durationMs, sessionsAtOnce: 12, sessionTimeoutMs: 5_000 });
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

describe('a chaos script', () => {
  it('reads back as it was written', () => {
    const rng = seededRng(1);
    for (let round = 0; round < 200; round++) {
      const script = randomScript(rng, 100_000);
      expect(readScript(writeScript(script))).toEqual(script);
    }
    expect(readScript(Buffer.alloc(SCRIPT_BYTES))).toBeUndefined();
  });
});

/** tcpmux (RFC 1078): nobody listens there, and no client gets it. */
const UNUSED_PORT = 1;

describe('chaos clients and their endpoint', () => {
  it('find no fault in each other, in sessions of every kind', async () => {
    const endpoint = await chaosEndpoint();
    const socketsBefore = openSockets();
    const counts = await run(endpoint.port, 1_500);

    expect([...counts.faults, ...endpoint.counts.faults]).toEqual([]);
    expect(counts.refused).toBe(0);
    const { intact, clientResets, clientCloses, silent, endpointBreaks } = counts;
    expect(intact + clientResets + clientCloses + silent + endpointBreaks).toBe(counts.opened);
    expect(Math.min(intact, clientResets, clientCloses, silent, endpointBreaks)).toBeGreaterThan(0);
    await until('every connection of the endpoint is closed', () => endpoint.counts.open === 0);
    expect(endpoint.counts.intact).toBe(intact);
    expect(endpoint.counts.clientResets).toBeGreaterThan(0);
    await until('every socket is closed', () => openSockets() <= socketsBefore);
  });

  it('come from all of nine addresses', async () => {
    const seen = new Set<string>();
    const server = createServer((socket) => {
      if (socket.remoteAddress !== undefined) seen.add(socket.remoteAddress); // reset before it was accepted
      socket.on('error', () => {});
      socket.resetAndDestroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(async () => {
      server.close();
      await once(server, 'close');
    });
    await run((server.address() as AddressInfo).port);
    expect([...seen].sort()).toEqual(Array.from({ length: 9 }, (_, index) => `127.0.0.${index + 1}`));
  });

  it('find no byte amiss in a plain relay of node:net, which passes some resets on as ends', async () => {
    const endpoint = await chaosEndpoint();
    const counts = await run(await relayTo(endpoint.port, {}), 800);
    const faults = [...counts.faults, ...endpoint.counts.faults];
    expect(faults.filter((fault) => !fault.includes('has reset the connection, but here it ended'))).toEqual([]);
    expect(counts.intact).toBeGreaterThan(0);
  });

  it.each<[string, RegExp, Tampering]>([
    ['changes a byte', /wrong bytes/, { change: flipMiddle }],
    [
      'loses a byte',
      /wrong bytes|ended after|not over/,
      { change: (chunk) => (chunk.length > 2_000 ? chunk.subarray(1) : chunk) },
    ],
    ['turns resets into ends', /has reset the connection, but here it ended/, { hidesResets: true }],
    ['closes both directions when one has ended', /ended after|ECONNRESET|EPIPE/, { cutsHalfClosed: true }],
  ])('find faults in a relay that %s', async (_, fault, tampering) => {
    const endpoint = await chaosEndpoint();
    const counts = await runChaosClients({
      port: await relayTo(endpoint.port, tampering),
      seed: 7,
      durationMs: 400,
      sessionsAtOnce: 12,
      sessionTimeoutMs: 1_000,
    });
    expect([...counts.faults, ...endpoint.counts.faults].filter((text) => fault.test(text))).not.toEqual([]);
  });

  it('count what cannot be connected to', async () => {
    const endpoint = await startChaosEndpoint();
    await endpoint.close();
    await endpoint.close();
    // Not the port of the endpoint: among those that the system gives to clients, one may be connected to itself.
    const counts = await run(UNUSED_PORT, 50);
    expect(counts.opened).toBe(0);
    expect(counts.refused).toBeGreaterThan(0);
  });
});

function flipMiddle(chunk: Buffer): Buffer {
  const changed = Buffer.from(chunk);
  const at = Math.floor(chunk.length / 2);
  changed.writeUInt8((chunk[at] as number) ^ 1, at);
  return chunk.length > 2_000 ? changed : chunk;
}
