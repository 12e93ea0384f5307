/** How users say how failure and overload are borne: what it compiles to, what is wrong with it, what is warned of. */
import { describe, expect, it } from 'vitest';
import { MOST_QUEUE_ENTRIES } from '../../../src/board/capacities.js';
import { compilePlan } from '../../../src/config/compile.js';
import { ResilienceNumbers } from '../../../src/config/compile-resilience.js';
import { effectiveYaml } from '../../../src/config/effective.js';
import type { HealthCheckPlan, Plan } from '../../../src/config/plan.js';
import { FreshRecords } from '../../../src/config/plan-records.js';
import { QUEUED_MAX } from '../../../src/config/resilience-checks.js';
import { configOf, problemsOf, SMALLEST, SMALLEST_L4, warningsOf } from './loading.js';

function planOf(text: string): Plan {
  let slot = 0;
  const assignSlot = () => ({ slot: slot++, generation: 1 });
  return compilePlan(configOf(text), {
    assignSlot,
    records: new FreshRecords(),
    epoch: 1,
    processors: 1,
    affinitySecret: 'sixteen-letters!',
  });
}

/** What a plan asks of the board. */
function countsOf(text: string): FreshRecords {
  const records = new FreshRecords();
  new ResilienceNumbers(configOf(text), records);
  return records;
}

const file = (upstream: string, route = '', caps = '') => `
listeners:
  - { name: web, bind: "127.0.0.1:8080", routes: [ { upstream: api${route === '' ? '' : `, ${route}`} } ] }
upstreams:
  api:
    ${upstream === '' ? '' : `${upstream}\n    `}endpoints:
      - { address: "10.0.0.1:9001"${caps} }
      - { address: "10.0.0.2:9001"${caps} }
  other: { endpoints: [ { address: "10.0.1.1:1" }, { address: "10.0.1.2:1", maxConns: 5 } ] }
`;
const upstreamOf = (setting: string, caps = '') => planOf(file(setting, '', caps)).upstreams[0]!;
const routeOf = (route: string) => {
  const [listener] = planOf(file('', route)).listeners;
  return listener?.mode === 'l7' ? listener.routes[0] : undefined;
};
/** Without where it stands, and without the upstream that nobody uses. */
const told = (all: readonly string[], root: string): string[] =>
  all
    .filter((text) => !text.includes('is not used'))
    .map((text) => text.replace(/^sluice\.yaml:\d+:\d+ /, '').replace(root, ''));
const wrongUpstream = (setting: string) => told(problemsOf(file(setting)), 'upstreams.api.');
const wrongRoute = (route: string) => told(problemsOf(file('', route)), 'listeners[0].routes[0].');

describe('resilience in a plan', () => {
  it.each([
    [
      'timeouts: { attempt: 2s, queue: 100ms }',
      { timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 60_000, attemptMs: 2_000, queueMs: 100 } },
    ],
    ['retry: { attempts: 3, on: [ reset, connect, reset ] }', { retry: { attempts: 3, on: ['reset', 'connect'] } }],
    ['retry: { statuses: [ 503, 429, 503 ] }', { retry: { statuses: [429, 503] } }],
    ['retry: { nonIdempotent: true, bodyBytes: 0B }', { retry: { nonIdempotent: true, bodyBytes: 0 } }],
    ['retry: { backoff: { base: off } }', { retry: { backoff: { baseMs: 0, mostMs: 250 } } }],
    ['retry: { budget: off, maxRetryAfter: off }', { retry: { budget: null, mostRetryAfterMs: 0 } }],
    ['retry: { budget: { share: 5%, perSecond: 0 } }', { retry: { budget: { share: 0.05, perSecond: 0 } } }],
    ['hedge: { after: 50ms }', { hedge: { kind: 'delay', afterMs: 50 } }],
    ['hedge: { quantile: 95% }', { hedge: { kind: 'quantile', quantile: 0.95, leastMs: 5 } }],
    ['concurrency: {}', { concurrency: { least: 20, most: 200, initial: 20 } }],
    ['concurrency: { min: 2, max: 9, initial: 4 }', { concurrency: { least: 2, most: 9, initial: 4 } }],
    ['outlier: off', { outlier: null }],
    [
      'outlier: { gatewayFailures: off, failures: 3, failureRatio: {}, successRate: {}, latency: {}, maxEjected: 30%, trials: 2 }',
      {
        outlier: {
          failuresInRow: 3,
          gatewayFailuresInRow: 0,
          failureRatio: { above: 0.85, leastRequests: 50 },
          successRate: { deviations: 1.9, leastRequests: 100, leastEndpoints: 5 },
          latency: { factor: 3, leastRequests: 50, leastEndpoints: 3 },
          mostEjected: 0.3,
          trials: 2,
        },
      },
    ],
    [
      'breaker: {}',
      {
        breaker: {
          errorRatio: 0.5,
          leastRequests: 20,
          windowMs: 10_000,
          failuresInRow: 0,
          latency: null,
          openMs: 10_000,
          mostOpenMs: 300_000,
          probes: 1,
        },
      },
    ],
    [
      'breaker: { errorRatio: off, failures: 4, latency: { quantile: 95%, above: 2s } }',
      { breaker: { errorRatio: 0, failuresInRow: 4, latency: { quantile: 0.95, aboveMs: 2_000 } } },
    ],
  ])('has what an upstream says: %s', (setting, expected) => {
    expect(upstreamOf(setting)).toMatchObject(expected);
  });

  it.each([
    ['', '', null],
    ['', ', maxConns: 3', { length: 1024, record: 0, firstEntry: 0 }],
    ['queue: off', ', maxConns: 3', null],
    ['queue: { length: 7 }', ', maxConns: 3', { length: 7, record: 0, firstEntry: 0 }],
    ['concurrency: {}', '', { length: 1024, record: 0, firstEntry: 0 }],
    ['weights: { agent: { port: 9100 } }', '', { length: 1024, record: 0, firstEntry: 0 }],
  ])('has a queue only where an endpoint can be full: %s%s', (setting, caps, queue) => {
    expect(upstreamOf(setting, caps).queue).toEqual(queue);
  });

  it('measures no endpoint that has sessions only: what it takes to connect says nothing of its work', () => {
    const text = SMALLEST_L4.replace('pg: { ', 'pg: { concurrency: {}, ');
    expect(planOf(text).upstreams[0]).toMatchObject({ concurrency: null, queue: null });
    expect(countsOf(text).countOf('queue entry')).toBe(0);
  });

  it('numbers the entries of all queues and the breakers of all routes', () => {
    const text = `
listeners:
  - name: web
    bind: "127.0.0.1:8080"
    routes:
      - { match: { path: /a }, upstream: one, breaker: {} }
      - { match: { path: /b }, upstream: one }
      - { match: { path: /c }, upstream: two, breaker: { failures: 3 } }
upstreams:
  one: { queue: { length: 5 }, endpoints: [ { address: "h:1", maxConns: 1 }, { address: "h:2" } ] }
  two: { queue: { length: 9 }, endpoints: [ { address: "h:1", maxConns: 1 }, { address: "h:2" } ] }
`;
    const plan = planOf(text);
    expect(plan.upstreams.map(({ queue }) => queue?.firstEntry)).toEqual([0, 5]);
    const [listener] = plan.listeners;
    const records = listener?.mode === 'l7' ? listener.routes.map(({ breaker }) => breaker?.record) : [];
    expect(records).toEqual([0, undefined, 1]);
    const counts = countsOf(text);
    expect([counts.countOf('queue entry'), counts.countOf('route breaker')]).toEqual([14, 2]);
  });

  it.each([
    ['priority: 0, priorityHeader: X-Priority', { priority: 0, priorityHeader: 'x-priority' }],
    [
      'timeouts: { exchange: 9s, attempt: off, idle: 1s }',
      { exchangeTimeoutMs: 9_000, timeouts: { attemptMs: 0, idleMs: 1_000 } },
    ],
    ['retry: { attempts: 1, statuses: [ 502 ] }', { retry: { attempts: 1, statuses: [502] } }],
    ['hedge: off', { hedge: null }],
    ['fallback: { upstream: other }', { fallback: { upstream: 1, response: null } }],
    [
      'fallback: { response: { headers: { Content-Type: text/plain }, body: "back soon" } }',
      {
        fallback: {
          upstream: -1,
          response: { status: 503, headers: { 'content-type': 'text/plain' }, body: 'back soon' },
        },
      },
    ],
  ])('has what a route says: %s', (route, expected) => {
    expect(routeOf(route)).toMatchObject(expected);
  });

  it('has nothing in a route that leaves all of it to its upstream', () => {
    const route = routeOf('');
    expect([route?.timeouts, route?.retry, route?.breaker, route?.fallback]).toEqual([{}, {}, null, null]);
    expect(route).not.toHaveProperty('hedge');
  });

  it('has all of a health check', () => {
    const check =
      'healthCheck: { path: /up, method: POST, host: a.test, headers: { X-Probe: "1" }, expect: { statuses: "200-204, 301", body: ok }, port: 81, interval: 2s, unhealthyInterval: 1s, jitter: 20%, slowerThan: 500ms, initial: unknown }';
    expect(upstreamOf(check).healthCheck).toEqual({
      kind: 'http',
      path: '/up',
      method: 'POST',
      host: 'a.test',
      headers: { 'x-probe': '1' },
      expect: {
        statuses: [
          [200, 204],
          [301, 301],
        ],
        body: 'ok',
      },
      port: 81,
      intervalMs: 2_000,
      unhealthyIntervalMs: 1_000,
      timeoutMs: 1_000,
      healthyAfter: 2,
      unhealthyAfter: 3,
      jitter: 0.2,
      slowerThanMs: 500,
      initial: 'unknown',
      tls: null,
      protocol: 'h1',
    });
  });

  it('speaks to endpoints in a health check as traffic does', () => {
    const upstream = 'tls: { serverName: a.test }\n    protocol: auto\n    healthCheck:';
    const { tls, ...check } = upstreamOf(`${upstream} { kind: grpc, service: shop.Cart, headers: { X-A: b } }`)
      .healthCheck as HealthCheckPlan;
    expect(check).toMatchObject({ kind: 'grpc', service: 'shop.Cart', host: null, headers: { 'x-a': 'b' } });
    expect(check.protocol).toBe('auto');
    expect(tls).toMatchObject({ serverName: 'a.test', isVerified: true });
    expect(tls).not.toHaveProperty('context');
    expect(upstreamOf(`${upstream} { kind: tcp, port: 81, tls: off }`).healthCheck?.tls).toBeNull();
  });

  it.each([
    ['hedge: { quantile: 99.5% }, '],
    ['breaker: { latency: { quantile: 90%, above: 1s } }, outlier: { failures: 9 }, '],
    ['healthCheck: { kind: tcp, port: 81 }, '],
    ['healthCheck: { path: /, expect: { statuses: "204" } }, '],
    ['healthCheck: { kind: grpc, service: a.B, host: a.test, headers: { x-a: b } }, '],
    ['healthCheck: { path: /, tls: off }, '],
  ])('loads to the same from its printed form: %s', (settings) => {
    const text = SMALLEST.replace('api: { ', `api: { ${settings}`);
    expect(configOf(effectiveYaml(configOf(text)))).toEqual(configOf(text));
  });
});

describe('a problem of resilience', () => {
  it.each([
    ['hedge: {}', ['hedge says neither after nor quantile | write after: 50ms or quantile: 95%, or off']],
    ['hedge: { after: 1s, quantile: 95% }', ['hedge.quantile stands beside after | write one of the two']],
    ['concurrency: { min: 300 }', ['concurrency.min makes min (300) higher than max (200)']],
    ['concurrency: { initial: 5 }', ['concurrency.initial is 5, but must be from min (20) to max (200)']],
    [
      'outlier: { ejectionTime: 10m }',
      ['outlier.ejectionTime makes ejectionTime (10m) longer than maxEjectionTime (5m)'],
    ],
    ['outlier: { gatewayFailures: off }', ['outlier ejects for nothing | switch one of its rules on, or write off']],
    ['breaker: { openTime: 10m }', ['breaker.openTime makes openTime (10m) longer than maxOpenTime (5m)']],
    [
      'breaker: { errorRatio: off }',
      ['breaker has nothing to open for | switch on errorRatio, failures or latency, or write off'],
    ],
    ['retry: { backoff: { base: 1s } }', ['retry.backoff.base makes base (1s) longer than max (250ms)']],
    [
      'retry: { on: [ error ] }',
      ['retry.on[0] is "error", but must be one of connect, reset, timeout or bad-response | did you mean reset?'],
    ],
    ['retry: { statuses: [ 200 ] }', ['retry.statuses[0] is 200, but must be a whole number from 400 to 599']],
    [
      'healthCheck: { kind: tcp, method: GET }',
      ['healthCheck.method does not belong to a TCP check | remove method, or write kind: http'],
    ],
    [
      'healthCheck: { kind: grpc, path: /a }',
      ['healthCheck.path does not belong to a gRPC check | remove path, or write kind: http'],
    ],
    [
      'healthCheck: { path: /a, service: a.B }',
      ['healthCheck.service does not belong to an HTTP check | remove service, or write kind: grpc'],
    ],
    [
      'healthCheck: { kind: tcp, host: a.test }',
      ['healthCheck.host does not belong to a TCP check | remove host, or write kind: http or grpc'],
    ],
    [
      'healthCheck: { path: /a, headers: { Trailer: x } }',
      ['healthCheck.headers.Trailer is for the proxy to write | remove it'],
    ],
    [
      'healthCheck: { path: /a, method: HEAD, expect: { body: ok } }',
      ['healthCheck.expect.body is never found: an answer to HEAD has no body | write method: GET, or remove it'],
    ],
    [
      'healthCheck: { path: /, slowerThan: 1s }',
      ['healthCheck.slowerThan is not below the timeout (1s), where every probe ends | raise timeout, or lower this'],
    ],
    [
      'healthCheck: { path: /, unhealthyInterval: 500ms }',
      [
        'healthCheck.unhealthyInterval makes the timeout (1s) longer than this interval (500ms) | a probe must end before the next begins',
      ],
    ],
    [
      'healthCheck: { path: /, expect: { statuses: 2xx } }',
      [
        'healthCheck.expect.statuses is "2xx", but must be statuses such as "200", "200-399" or "200-299, 404", from 200 to 599 | write "200-299"',
      ],
    ],
  ])('is told for %s', (setting, problems) => {
    expect(wrongUpstream(setting)).toEqual(problems);
  });

  it.each([
    ['fallback: {}', ['fallback says neither upstream nor response | write one of them, or off']],
    [
      'fallback: { upstream: api }',
      [
        'fallback.upstream is where the requests of this route go already | name another upstream, or remove it: retries try the other endpoints',
      ],
    ],
    [
      'fallback: { upstream: othr }',
      ['fallback.upstream is "othr", but there is no upstream of that name | did you mean other?'],
    ],
    [
      'fallback: { response: { status: 204, body: x } }',
      ['fallback.response.body cannot be sent: a 204 has no body | remove it'],
    ],
    [
      'fallback: { response: { headers: { Content-Length: "3" } } }',
      ['fallback.response.headers.Content-Length is for the proxy to write | remove it'],
    ],
    ['priority: 8', ['priority is 8, but must be a whole number from 0 to 7']],
  ])('is told of a route with %s', (route, problems) => {
    expect(wrongRoute(route)).toEqual(problems);
  });

  it('is told of queues that are too long together for the board', () => {
    const upstream = 'queue: { length: 65536 }, endpoints: [ { address: "10.0.0.1:1", maxConns: 1 } ]';
    const text = (queues: number) =>
      SMALLEST + Array.from({ length: queues }, (_, index) => `  u${index}: { ${upstream} }\n`).join('');
    const most = QUEUED_MAX / 65_536;
    expect(countsOf(text(most)).countOf('queue entry')).toBe(MOST_QUEUE_ENTRIES);
    expect(problemsOf(text(most + 1))[0]).toContain(
      'upstreams let 4259840 requests wait in all queues together, but this version takes at most 4194304',
    );
  });

  it('is told of keys of requests in a route of sessions', () => {
    const text = SMALLEST_L4.replace('upstream: pg }', 'routes: [ { upstream: pg, fallback: { upstream: pg } } ] }');
    expect(problemsOf(text)[0]).toContain('fallback belongs to mode l7: an l4 listener sees no answers');
  });
});

describe('a warning of resilience', () => {
  const warned = (setting: string, route = '', caps = '') =>
    told(warningsOf(file(setting, route, caps)), 'upstreams.api.').map((text) => text.replace(/ \|.*$/, ''));

  it.each([
    [
      'hedge: { after: 1s }\n    retry: { attempts: 1 }',
      'hedge has no effect: retry.attempts is 1, so nothing is tried twice',
    ],
    [
      'retry: { attempts: 1, statuses: [ 503 ] }',
      'retry.statuses has no effect: retry.attempts is 1, so nothing is tried twice',
    ],
    ['queue: { length: 5 }', 'queue.length has no effect: no endpoint has a cap, so none is ever full'],
  ])('is given for %s', (setting, warning) => {
    expect(warned(setting)).toEqual([warning]);
  });

  it.each([
    ['priorityHeader: x-p', 'priorityHeader is believed of every client'],
    ['timeouts: { exchange: 1s, attempt: 2s }', 'timeouts.attempt has no effect: the whole exchange may take 1s'],
    [
      'fallback: { response: { status: 200 } }',
      'fallback.response.status is 200: clients take the failure for a success',
    ],
  ])('is given for a route with %s', (route, warning) => {
    expect(warned('', route).map((text) => text.replace('listeners[0].routes[0].', ''))).toEqual([warning]);
  });

  it('is not given for what does something', () => {
    expect(warned('hedge: { after: 1s }\n    queue: { length: 5 }\n    breaker: {}', '', ', maxConns: 2')).toEqual([]);
  });

  it('is given for caps that are measured over requests and sessions', () => {
    const session = '- { name: db, mode: l4, bind: "127.0.0.1:5432", upstream: api }';
    const text = file('concurrency: {}').replace('upstreams:', `  ${session}\nupstreams:`);
    expect(told(warningsOf(text), 'upstreams.api.')).toEqual([
      'concurrency takes the time in which sessions connect for that of answers: it has listeners of both modes | give the l4 listener an upstream of its own',
    ]);
  });

  it('is given for a queue of sessions that no cap fills, though one adapts for requests', () => {
    const text = SMALLEST_L4.replace('pg: { ', 'pg: { queue: { length: 5 }, concurrency: {}, ');
    expect(warningsOf(text).join('\n')).toContain('queue.length has no effect: no endpoint has a cap');
  });

  it('is given for settings of requests where there are sessions only', () => {
    const text = SMALLEST_L4.replace('pg: { ', 'pg: { hedge: { after: 1s }, concurrency: {}, ');
    expect(warningsOf(text).map((warning) => warning.replace(/^\S+ upstreams\.pg\.(\w+) .*$/, '$1'))).toEqual([
      'hedge',
      'concurrency',
    ]);
  });
});
