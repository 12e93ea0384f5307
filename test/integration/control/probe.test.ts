/** Probes against real sockets. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpEndpoint, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpEndpoint, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { EndpointPlan, HealthCheckPlan } from '../../../src/config/plan.js';
import { probe as probeOnce } from '../../../src/control/health/probe.js';
import type { ProbeResult } from '../../../src/control/health/probe-result.js';
import { PLAIN_CHECK, PLAIN_PROBE } from '../../unit/control/plans.js';

const open: (() => unknown)[] = [];

/** Probes, and leaves out how long it took. */
async function probe(endpoint: EndpointPlan, addresses: readonly string[], check: HealthCheckPlan) {
  const result: ProbeResult = await probeOnce(endpoint, addresses, check, new AbortController().signal);
  expect(result.elapsedMs).toBeGreaterThan(0);
  return result.succeeded ? { succeeded: true } : { succeeded: false, reason: result.reason };
}

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const limits = {
  ...PLAIN_CHECK,
  intervalMs: 1000,
  unhealthyIntervalMs: 1000,
  timeoutMs: 10_000,
  healthyAfter: 1,
  unhealthyAfter: 1,
};
const http: HealthCheckPlan = { ...limits, ...PLAIN_PROBE, path: '/health' };
const impatient: HealthCheckPlan = { ...http, timeoutMs: 300 };
const tcp: HealthCheckPlan = { ...limits, kind: 'tcp' };

function endpointPlan(address: string): EndpointPlan {
  const target = { kind: 'tcp', host: 'api.test', port: 80 } as const;
  return { name: address, slot: 0, generation: 1, target, weight: 1, backup: false, level: 0, labels: {}, maxConns: 0 };
}

async function listening(
  endpoint: Server | TcpServer,
  where: { host: string; port: number } | { path: string },
): Promise<string> {
  endpoint.listen(where);
  await once(endpoint, 'listening');
  open.push(() => {
    if ('closeAllConnections' in endpoint) endpoint.closeAllConnections();
    endpoint.close();
  });
  return 'path' in where ? `unix:${where.path}` : `127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
}

const FREE = { host: '127.0.0.1', port: 0 };

/** An address where nothing listens. */
async function deadAddress(): Promise<string> {
  const endpoint = createTcpEndpoint();
  endpoint.listen(FREE);
  await once(endpoint, 'listening');
  const { port } = endpoint.address() as AddressInfo;
  endpoint.close();
  await once(endpoint, 'close');
  return `127.0.0.1:${port}`;
}

describe('http probe', () => {
  it.each([
    [200, true],
    [204, true],
    [302, true],
    [404, false],
    [503, false],
  ])('takes status %d for %s', async (status, succeeded) => {
    const address = await listening(
      createHttpEndpoint((_request, response) => response.writeHead(status).end()),
      FREE,
    );
    const result = await probe(endpointPlan(address), [address], http);
    expect(result).toEqual(succeeded ? { succeeded } : { succeeded, reason: `it answered with status ${status}` });
  });

  it('asks for the path, with the name of the endpoint as Host, on a connection of its own', async () => {
    const seen: IncomingMessage[] = [];
    const address = await listening(
      createHttpEndpoint((request, response) => {
        seen.push(request);
        response.end();
      }),
      FREE,
    );
    await probe(endpointPlan('api.test:80'), [address], http);
    expect(seen.map(({ method, url, headers }) => [method, url, headers.host, headers.connection])).toEqual([
      ['GET', '/health', 'api.test:80', 'close'],
    ]);
  });

  it('fails when no answer comes in time', async () => {
    const address = await listening(
      createHttpEndpoint(() => {}),
      FREE,
    );
    expect(await probe(endpointPlan(address), [address], impatient)).toEqual({
      succeeded: false,
      reason: 'no answer within 300 ms',
    });
  });

  it('does not wait for the end of an endless body', async () => {
    const address = await listening(
      createHttpEndpoint((_request, response) => void response.write('…')),
      FREE,
    );
    expect(await probe(endpointPlan(address), [address], http)).toEqual({ succeeded: true });
  });

  it('takes what becomes another protocol by its status', async () => {
    const address = await listening(
      createTcpEndpoint((socket) => {
        socket.on('error', () => {});
        socket.once('data', () =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
        );
      }),
      FREE,
    );
    const switched = { ...http, expect: { statuses: [[101, 101]], body: null } } as const;
    expect(await probe(endpointPlan(address), [address], http)).toEqual({
      succeeded: false,
      reason: 'it answered with status 101',
    });
    expect(await probe(endpointPlan(address), [address], switched)).toEqual({ succeeded: true });
  });

  it('sends method, host and headers of the check to its own port', async () => {
    const seen: IncomingMessage[] = [];
    const address = await listening(
      createHttpEndpoint((request, response) => {
        seen.push(request);
        response.end();
      }),
      FREE,
    );
    const port = Number(address.split(':')[1]);
    const check = { ...http, method: 'HEAD', host: 'x.test', port, headers: { 'user-agent': 'me', 'x-a': 'b' } };
    expect(await probe(endpointPlan('api.test:80'), ['127.0.0.1:9'], check)).toEqual({ succeeded: true });
    expect(
      seen.map(({ method, headers }) => [
        method,
        headers.host,
        headers['user-agent'],
        headers['x-a'],
        headers.connection,
      ]),
    ).toEqual([['HEAD', 'x.test', 'me', 'b', 'close']]);
  });

  it('takes only the statuses that are expected', async () => {
    const address = await listening(
      createHttpEndpoint((_request, response) => response.writeHead(404).end()),
      FREE,
    );
    const check = {
      ...http,
      expect: {
        statuses: [
          [200, 200],
          [404, 410],
        ],
        body: null,
      },
    } as const;
    expect(await probe(endpointPlan(address), [address], check)).toEqual({ succeeded: true });
  });

  it('holds a good answer that is too slow against the endpoint, and says so', async () => {
    const address = await listening(
      createHttpEndpoint((_request, response) => void setTimeout(() => response.end(), 60)),
      FREE,
    );
    const result = await probe(endpointPlan(address), [address], { ...http, slowerThanMs: 20 });
    expect(result).toMatchObject({
      succeeded: false,
      reason: expect.stringMatching(/^its answer was good but took \d+ ms, longer than slowerThan \(20 ms\) allows$/),
    });
    expect(await probe(endpointPlan(address), [address], { ...http, slowerThanMs: 9_000 })).toEqual({
      succeeded: true,
    });
  });

  it('ends at once when it is given up', async () => {
    const giveUp = new AbortController();
    let hasAsked: () => void = () => {};
    const asked = new Promise<void>((resolve) => (hasAsked = resolve));
    const address = await listening(
      createHttpEndpoint(() => hasAsked()),
      FREE,
    );
    const probing = probeOnce(endpointPlan(address), [address, address], http, giveUp.signal);
    await asked;
    giveUp.abort();
    expect(await probing).toMatchObject({ succeeded: false });
  });

  it('goes through unix sockets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-probe-'));
    open.push(() => rmSync(folder, { recursive: true }));
    const address = await listening(
      createHttpEndpoint((_request, response) => response.end()),
      { path: join(folder, 's') },
    );
    expect(await probe(endpointPlan(address), [address], http)).toEqual({ succeeded: true });
  });
});

describe('tcp probe', () => {
  it('succeeds when a connection is accepted', async () => {
    const address = await listening(
      createTcpEndpoint((socket) => socket.on('error', () => {})),
      FREE,
    );
    expect(await probe(endpointPlan(address), [address], tcp)).toEqual({ succeeded: true });
  });

  it('fails with the reason when it is refused', async () => {
    const address = await deadAddress();
    const result = await probe(endpointPlan(address), [address], tcp);
    expect(result).toMatchObject({ succeeded: false, reason: expect.stringContaining('ECONNREFUSED') });
  });

  it('tries the next address when one is dead', async () => {
    const alive = await listening(
      createTcpEndpoint((socket) => socket.on('error', () => {})),
      FREE,
    );
    expect(await probe(endpointPlan('api.test:80'), [await deadAddress(), alive], tcp)).toEqual({ succeeded: true });
  });
});

describe('body of a probe', () => {
  const expecting = (body: string, timeoutMs = 10_000): HealthCheckPlan => ({
    ...http,
    timeoutMs,
    expect: { statuses: [[200, 200]], body },
  });

  async function resultOf(answer: (response: ServerResponse) => void, check: HealthCheckPlan) {
    const address = await listening(
      createHttpEndpoint((_request, response) => answer(response)),
      FREE,
    );
    return probe(endpointPlan(address), [address], check);
  }

  it('is searched over its chunks, and no longer than until the text has come', async () => {
    const result = await resultOf((response) => {
      response.write('xx{"status":"gr');
      setTimeout(() => response.write('een"}…'), 20);
    }, expecting('"green"'));
    expect(result).toEqual({ succeeded: true });
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('is searched behind its content coding %s', async (coding, encode) => {
    const body = encode(Buffer.from('all is green'));
    const answer = (response: ServerResponse) => response.writeHead(200, { 'content-encoding': coding }).end(body);
    expect(await resultOf(answer, expecting('is green'))).toEqual({ succeeded: true });
    expect(await resultOf(answer, expecting('is red'))).toEqual({
      succeeded: false,
      reason: 'its body (12 bytes) does not contain "is red"',
    });
  });

  it.each([
    [
      'does not contain the text',
      (response: ServerResponse) => response.end('red'),
      'its body (3 bytes) does not contain "green"',
    ],
    [
      'has it only behind what is read',
      (response: ServerResponse) => response.end(`${'x'.repeat(256 * 1024 - 2)}green`),
      'the first 256 KiB of its body do not contain "green"',
    ],
    [
      'breaks off',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 100 }).write('re');
        setTimeout(() => response.destroy(), 20);
      },
      'the connection closed in the middle of its body',
    ],
    [
      'has a coding that is not known',
      (response: ServerResponse) => response.writeHead(200, { 'content-encoding': 'zstd' }).end('green'),
      'its body has the content coding "zstd", which the check cannot read',
    ],
    [
      'is not coded as it says',
      (response: ServerResponse) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('green'),
      'its body is not what its content coding "gzip" says: incorrect header check',
    ],
  ])('fails the probe when it %s', async (_name, answer, reason) => {
    expect(await resultOf(answer, expecting('green'))).toEqual({ succeeded: false, reason });
  });

  it('must have come before the timeout', async () => {
    const result = await resultOf((response) => void response.write('gr'), expecting('green', 200));
    expect(result).toEqual({ succeeded: false, reason: 'no answer within 200 ms' });
  });

  it('is not looked at when the status is bad', async () => {
    const result = await resultOf((response) => response.writeHead(500).end('green'), expecting('green'));
    expect(result).toEqual({ succeeded: false, reason: 'it answered with status 500' });
  });
});
