/** Probes against real sockets. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpEndpoint, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpEndpoint, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { EndpointPlan, HealthCheckPlan } from '../../../src/config/plan.js';
import { probe } from '../../../src/control/health/probe.js';
import { PLAIN_CHECK, PLAIN_PROBE } from '../../unit/control/plans.js';

const open: (() => unknown)[] = [];

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

  it('fails when the connection becomes another protocol', async () => {
    const address = await listening(
      createTcpEndpoint((socket) => {
        socket.on('error', () => {});
        socket.once('data', () =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
        );
      }),
      FREE,
    );
    expect(await probe(endpointPlan(address), [address], http)).toEqual({
      succeeded: false,
      reason: 'the connection closed without a final response',
    });
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
