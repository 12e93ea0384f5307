/** Compiling: a configuration becomes plain data with slots, indexes and times in ms. */
import { describe, expect, it } from 'vitest';
import { endpointSlotsFor, layoutFor } from '../../../src/board/layout.js';
import { compilePlan } from '../../../src/config/compile.js';
import { ENDPOINTS_MAX } from '../../../src/config/cross-checks.js';
import { WORKERS_MAX } from '../../../src/config/schema/config.js';
import { configOf, SMALLEST } from './loading.js';

const FULL = `
listeners:
  - name: web
    bind: "[::1]:0"
    trustedProxies: [ 10.0.0.0/8 ]
    timeouts: { requestHead: 1s, bodyIdle: 2s, keepAlive: 3s, tunnelIdle: 4s }
    limits: { headBytes: 2KiB, headers: 7, bodyBytes: 5MiB }
    routes:
      - { upstream: web }
      - { match: { host: Example.com, path: /api/ }, upstream: api, timeouts: { exchange: 30s } }
upstreams:
  api:
    balance: least-time
    endpoints: [ { address: "10.0.0.1:9001", weight: 2, maxConns: 9 }, { address: "[::1]:1", backup: true }, { address: "unix:/run/a.sock" } ]
    timeouts: { connect: 1s, firstByte: 2s, idle: 3s }
    retry: { attempts: 3 }
    pool: { maxIdle: 1, maxConnections: 2, keepAliveIdle: 3s }
    responseLimits: { headBytes: 4KiB, headers: 5 }
    healthCheck: { path: /health }
  web: { endpoints: [ { address: "h:1" } ], healthCheck: { kind: tcp, interval: 9s } }
workers: 3
shutdownTimeout: 5s
admin: off
log: { level: warn }
`;

const countingSlots = () => {
  let next = 10;
  return (upstream: string, endpoint: string) => ({ slot: next++, generation: upstream.length + endpoint.length });
};

describe('compiled plan', () => {
  it('has everything the data planes need, as plain data', () => {
    const plan = compilePlan(configOf(FULL), { assignSlot: countingSlots(), epoch: 4, processors: 8 });
    expect(structuredClone(plan)).toEqual(plan);
    expect(plan).toEqual({
      epoch: 4,
      workers: 3,
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          frontend: 'uws',
          accept: 'primary',
          host: '::1',
          port: 0,
          timeouts: { requestHeadMs: 1_000, bodyIdleMs: 2_000, keepAliveMs: 3_000, tunnelIdleMs: 4_000 },
          limits: { headBytes: 2_048, headers: 7, bodyBytes: 5 * 1024 ** 2 },
          trustedProxies: ['10.0.0.0/8'],
          routes: [
            { host: '*', path: '/', upstream: 1, exchangeTimeoutMs: 0 },
            { host: 'example.com', path: '/api/', upstream: 0, exchangeTimeoutMs: 30_000 },
          ],
        },
      ],
      upstreams: [
        {
          name: 'api',
          index: 0,
          balance: 'least-time',
          endpoints: [
            {
              name: '10.0.0.1:9001',
              slot: 10,
              generation: 16,
              target: { kind: 'tcp', host: '10.0.0.1', port: 9001 },
              weight: 2,
              backup: false,
              maxConns: 9,
            },
            {
              name: '[::1]:1',
              slot: 11,
              generation: 10,
              target: { kind: 'tcp', host: '::1', port: 1 },
              weight: 1,
              backup: true,
              maxConns: 0,
            },
            {
              name: 'unix:/run/a.sock',
              slot: 12,
              generation: 19,
              target: { kind: 'unix', path: '/run/a.sock' },
              weight: 1,
              backup: false,
              maxConns: 0,
            },
          ],
          timeouts: { connectMs: 1_000, firstByteMs: 2_000, idleMs: 3_000 },
          retry: { attempts: 3 },
          pool: { maxIdle: 1, maxConnections: 2, keepAliveIdleMs: 3_000 },
          responseLimits: { headBytes: 4_096, headers: 5 },
          healthCheck: {
            kind: 'http',
            path: '/health',
            intervalMs: 5_000,
            timeoutMs: 1_000,
            healthyAfter: 2,
            unhealthyAfter: 3,
          },
        },
        {
          name: 'web',
          index: 1,
          balance: 'round-robin',
          endpoints: [
            {
              name: 'h:1',
              slot: 13,
              generation: 6,
              target: { kind: 'tcp', host: 'h', port: 1 },
              weight: 1,
              backup: false,
              maxConns: 0,
            },
          ],
          timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 60_000 },
          retry: { attempts: 2 },
          pool: { maxIdle: 256, maxConnections: 0, keepAliveIdleMs: 4_000 },
          responseLimits: { headBytes: 32_768, headers: 100 },
          healthCheck: { kind: 'tcp', intervalMs: 9_000, timeoutMs: 1_000, healthyAfter: 2, unhealthyAfter: 3 },
        },
      ],
      shutdownTimeoutMs: 5_000,
      admin: null,
      log: { level: 'warn', accessLog: null },
    });
  });

  it.each([
    [8, 8],
    [1, 1],
    [1000, WORKERS_MAX],
  ])('has a worker for each of %i processors with workers: auto', (processors, workers) => {
    expect(compilePlan(configOf(SMALLEST), { assignSlot: countingSlots(), epoch: 1, processors }).workers).toBe(
      workers,
    );
  });

  it('asks for the slots in the order of the file, by names', () => {
    const asked: string[] = [];
    const assignSlot = (upstream: string, endpoint: string) => ({
      slot: asked.push(`${upstream} ${endpoint}`),
      generation: 0,
    });
    compilePlan(configOf(FULL), { assignSlot, epoch: 1, processors: 1 });
    expect(asked).toEqual(['api 10.0.0.1:9001', 'api [::1]:1', 'api unix:/run/a.sock', 'web h:1']);
  });

  it('fits the board at its largest', () => {
    const capacities = {
      endpointSlots: endpointSlotsFor(ENDPOINTS_MAX),
      upstreams: ENDPOINTS_MAX,
      workers: WORKERS_MAX,
    };
    expect(() => layoutFor(capacities)).not.toThrow();
  });
});
