/** Compiling: a configuration becomes plain data with slots, indexes and times in ms. */

import { describe, expect, it } from 'vitest';
import { compilePlan } from '../../../src/config/compile.js';
import { FreshRecords } from '../../../src/config/plan-records.js';
import type { ResiliencePlan } from '../../../src/config/resilience-plan.js';
import { WORKERS_MAX } from '../../../src/config/schema/config.js';
import {
  PLAIN_CHECK,
  PLAIN_HTTP2,
  PLAIN_PICKING,
  PLAIN_PROBE,
  PLAIN_SPEECH,
  WHOLE_UPSTREAM,
} from '../control/plans.js';
import { configOf, SMALLEST, SMALLEST_L4 } from './loading.js';

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
    retry: { attempts: 3, connectAttempts: 4 }
    proxyProtocol: v2
    keepAlive: { idle: 20s, interval: 5s, probes: 2 }
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
  return ({ name }: { readonly name: string }, endpoint: string) => ({
    slot: next++,
    generation: name.length + endpoint.length,
  });
};

/** What an upstream has that says nothing of failure and overload. */
const DEFAULT_RESILIENCE: ResiliencePlan = {
  timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 60_000, attemptMs: 0, queueMs: 5_000 },
  retry: {
    attempts: 2,
    connectAttempts: 3,
    on: ['connect', 'reset', 'timeout', 'bad-response'],
    statuses: [],
    nonIdempotent: false,
    bodyBytes: 65_536,
    backoff: { baseMs: 25, mostMs: 250 },
    mostRetryAfterMs: 1_000,
    budget: { share: 0.2, perSecond: 10 },
  },
  hedge: null,
  queue: null,
  concurrency: null,
  outlier: {
    failuresInRow: 0,
    gatewayFailuresInRow: 5,
    failureRatio: null,
    successRate: null,
    latency: null,
    intervalMs: 10_000,
    ejectionMs: 10_000,
    mostEjectionMs: 300_000,
    mostEjected: 0.5,
    trials: 1,
  },
  breaker: null,
};

describe('compiled plan', () => {
  it('has everything the data planes need, as plain data', () => {
    const plan = compilePlan(configOf(FULL), {
      assignSlot: countingSlots(),
      records: new FreshRecords(),
      epoch: 4,
      processors: 8,
      affinitySecret: 'sixteen-letters!',
    });
    expect(structuredClone(plan)).toEqual(plan);
    expect(plan).toEqual({
      epoch: 4,
      workers: 3,
      listeners: [
        {
          name: 'web',
          number: 0,
          isLogged: true,
          mode: 'l7',
          frontend: 'native',
          accept: 'primary',
          bind: { kind: 'tcp', host: '::1', port: 0 },
          proxyProtocol: false,
          deferAcceptMs: 0,
          keepAlive: { idleMs: 60_000, intervalMs: 10_000, probes: 6 },
          timeouts: {
            requestHeadMs: 1_000,
            bodyIdleMs: 2_000,
            keepAliveMs: 3_000,
            tunnelIdleMs: 4_000,
            writeStallMs: 60_000,
            prefaceMs: 5_000,
          },
          limits: {
            headBytes: 2_048,
            targetBytes: 2_048,
            headers: 7,
            bodyBytes: 5 * 1024 ** 2,
            minBodyRate: 0,
            requestsPerConnection: 10_000,
            sessions: 0,
            sessionsPerClient: 0,
            newSessionsPerClient: null,
          },
          trustedProxies: ['10.0.0.0/8'],
          tls: null,
          http2: PLAIN_HTTP2,
          redirectPort: 0,
          hsts: '',
          explains: false,
          routes: [
            { host: '*', path: '/', upstream: 1, ...WHOLE_UPSTREAM, exchangeTimeoutMs: 0 },
            {
              host: 'example.com',
              path: '/api/',
              upstream: 0,
              ...WHOLE_UPSTREAM,
              record: 1,
              exchangeTimeoutMs: 30_000,
            },
          ],
        },
      ],
      upstreams: [
        {
          name: 'api',
          index: 0,
          record: 0,
          ...PLAIN_PICKING,
          panicShare: 0.5,
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
              level: 0,
              labels: {},
            },
            {
              name: '[::1]:1',
              slot: 11,
              generation: 10,
              target: { kind: 'tcp', host: '::1', port: 1 },
              weight: 1,
              backup: true,
              maxConns: 0,
              level: 0,
              labels: {},
            },
            {
              name: 'unix:/run/a.sock',
              slot: 12,
              generation: 19,
              target: { kind: 'unix', path: '/run/a.sock' },
              weight: 1,
              backup: false,
              maxConns: 0,
              level: 0,
              labels: {},
            },
          ],
          ...DEFAULT_RESILIENCE,
          timeouts: { connectMs: 1_000, firstByteMs: 2_000, idleMs: 3_000, attemptMs: 0, queueMs: 5_000 },
          retry: { ...DEFAULT_RESILIENCE.retry, attempts: 3, connectAttempts: 4 },
          queue: { length: 1024, record: 0, firstEntry: 0 },
          ...PLAIN_SPEECH,
          proxyProtocol: 'v2',
          keepAlive: { idleMs: 20_000, intervalMs: 5_000, probes: 2 },
          pool: { maxIdle: 1, maxConnections: 2, keepAliveIdleMs: 3_000 },
          responseLimits: { headBytes: 4_096, headers: 5 },
          healthCheck: {
            ...PLAIN_CHECK,
            ...PLAIN_PROBE,
            path: '/health',
            intervalMs: 5_000,
            unhealthyIntervalMs: 5_000,
            timeoutMs: 1_000,
            healthyAfter: 2,
            unhealthyAfter: 3,
          },
        },
        {
          name: 'web',
          index: 1,
          record: 1,
          ...PLAIN_PICKING,
          panicShare: 0.5,
          turn: 1,
          endpoints: [
            {
              name: 'h:1',
              slot: 13,
              generation: 6,
              target: { kind: 'tcp', host: 'h', port: 1 },
              weight: 1,
              backup: false,
              maxConns: 0,
              level: 0,
              labels: {},
            },
          ],
          ...DEFAULT_RESILIENCE,
          ...PLAIN_SPEECH,
          proxyProtocol: 'off',
          keepAlive: { idleMs: 60_000, intervalMs: 10_000, probes: 6 },
          pool: { maxIdle: 1024, maxConnections: 0, keepAliveIdleMs: 4_000 },
          responseLimits: { headBytes: 32_768, headers: 100 },
          healthCheck: {
            ...PLAIN_CHECK,
            kind: 'tcp',
            intervalMs: 9_000,
            unhealthyIntervalMs: 9_000,
            timeoutMs: 1_000,
            healthyAfter: 2,
            unhealthyAfter: 3,
          },
        },
      ],
      shutdownTimeoutMs: 5_000,
      admin: null,
      log: { level: 'warn' },
      accessLog: null,
      tracing: null,
    });
  });

  it.each([
    [8, 8],
    [1, 1],
    [1000, WORKERS_MAX],
  ])('has a worker for each of %i processors with workers: auto', (processors, workers) => {
    expect(
      compilePlan(configOf(SMALLEST), {
        assignSlot: countingSlots(),
        records: new FreshRecords(),
        epoch: 1,
        processors,
        affinitySecret: 'sixteen-letters!',
      }).workers,
    ).toBe(workers);
  });

  it('has everything that the native front end needs', () => {
    const text = SMALLEST.replace(
      'name: web, bind: "127.0.0.1:8080"',
      `name: web, frontend: native, bind: "unix:/run/web.sock", socketMode: "0660", deferAccept: 3s, proxyProtocol: true,
      keepAlive: { idle: 30s, interval: 5s, probes: 3 }, timeouts: { writeStall: 7s, preface: 500ms },
      limits: { headBytes: 8KiB, targetBytes: 2KiB, minBodyRate: 100B, requestsPerConnection: unlimited,
      connections: 9, connectionsPerClient: 3, newConnectionsPerClient: { perSecond: 2 } }`,
    );
    const [listener] = compilePlan(configOf(text), {
      assignSlot: countingSlots(),
      records: new FreshRecords(),
      epoch: 1,
      processors: 1,
      affinitySecret: 'sixteen-letters!',
    }).listeners;
    expect(listener).toMatchObject({
      frontend: 'native',
      bind: { kind: 'unix', path: '/run/web.sock', mode: 0o660 },
      deferAcceptMs: 3_000,
      proxyProtocol: true,
      keepAlive: { idleMs: 30_000, intervalMs: 5_000, probes: 3 },
      timeouts: { writeStallMs: 7_000, prefaceMs: 500 },
      limits: {
        headBytes: 8_192,
        targetBytes: 2_048,
        minBodyRate: 100,
        requestsPerConnection: 0,
        sessions: 9,
        sessionsPerClient: 3,
        newSessionsPerClient: { perSecond: 2, burst: 2 },
      },
    });
  });

  it('has everything an l4 data plane needs', () => {
    const text = `
listeners:
  - name: tls
    mode: l4
    accept: reuseport
    bind: "[::1]:0"
    relay: splice
    halfClose: false
    deferAccept: 3s
    proxyProtocol: true
    trustedProxies: [ 10.0.0.0/8 ]
    keepAlive: { idle: 30s, interval: 5s, probes: 3 }
    timeouts: { sessionIdle: 1h, linger: 2s, preface: 500ms }
    limits: { sessions: 9, sessionsPerClient: 3, newSessionsPerClient: { perSecond: 2, burst: 7 } }
    routes: [ { upstream: pg }, { match: { sni: "*.A.example", alpn: [ h2, http/1.1 ] }, upstream: web } ]
  - { name: db, mode: l4, bind: "unix:/run/db.sock", socketMode: "0660", upstream: web, keepAlive: off }
upstreams:
  web: { endpoints: [ { address: "h:1" } ] }
  pg: { endpoints: [ { address: "h:1" } ] }
`;
    const { listeners } = compilePlan(configOf(text), {
      assignSlot: countingSlots(),
      records: new FreshRecords(),
      epoch: 1,
      processors: 1,
      affinitySecret: 'sixteen-letters!',
    });
    expect(structuredClone(listeners)).toEqual(listeners);
    expect(listeners).toEqual([
      {
        name: 'tls',
        number: 0,
        isLogged: true,
        mode: 'l4',
        accept: 'reuseport',
        bind: { kind: 'tcp', host: '::1', port: 0 },
        relay: 'splice',
        halfClose: false,
        deferAcceptMs: 3_000,
        proxyProtocol: true,
        trustedProxies: ['10.0.0.0/8'],
        tls: null,
        keepAlive: { idleMs: 30_000, intervalMs: 5_000, probes: 3 },
        timeouts: { sessionIdleMs: 3_600_000, lingerMs: 2_000, prefaceMs: 500 },
        limits: { sessions: 9, sessionsPerClient: 3, newSessionsPerClient: { perSecond: 2, burst: 7 } },
        routes: [
          { sni: '*', alpn: [], upstream: 1 },
          { sni: '*.a.example', alpn: ['h2', 'http/1.1'], upstream: 0 },
        ],
      },
      {
        name: 'db',
        number: 1,
        isLogged: true,
        mode: 'l4',
        accept: 'primary',
        bind: { kind: 'unix', path: '/run/db.sock', mode: 0o660 },
        relay: 'adaptive',
        halfClose: true,
        deferAcceptMs: 0,
        proxyProtocol: false,
        trustedProxies: [],
        tls: null,
        keepAlive: { idleMs: 0, intervalMs: 10_000, probes: 6 },
        timeouts: { sessionIdleMs: 600_000, lingerMs: 60_000, prefaceMs: 5_000 },
        limits: { sessions: 0, sessionsPerClient: 0, newSessionsPerClient: null },
        routes: [{ sni: '*', alpn: [], upstream: 0 }],
      },
    ]);
  });

  it('gives a UNIX socket the permissions that nginx gives its own', () => {
    const config = configOf(SMALLEST_L4.replace('127.0.0.1:5432', 'unix:@db'));
    const [listener] = compilePlan(config, {
      assignSlot: countingSlots(),
      records: new FreshRecords(),
      epoch: 1,
      processors: 1,
      affinitySecret: 'sixteen-letters!',
    }).listeners;
    expect(listener).toMatchObject({ bind: { kind: 'unix', path: '@db', mode: 0o666 } });
  });

  it('asks for the slots in the order of the file, by names', () => {
    const asked: string[] = [];
    const assignSlot = (upstream: { readonly name: string }, endpoint: string) => ({
      slot: asked.push(`${upstream.name} ${endpoint}`),
      generation: 0,
    });
    compilePlan(configOf(FULL), {
      assignSlot,
      records: new FreshRecords(),
      epoch: 1,
      processors: 1,
      affinitySecret: 'sixteen-letters!',
    });
    expect(asked).toEqual(['api 10.0.0.1:9001', 'api [::1]:1', 'api unix:/run/a.sock', 'web h:1']);
  });
});
