/** How users say how endpoints are picked: what it compiles to, what is wrong with it, what is warned of. */
import { describe, expect, it } from 'vitest';
import { compilePlan } from '../../../src/config/compile.js';
import { effectiveYaml } from '../../../src/config/effective.js';
import type { Plan } from '../../../src/config/plan.js';
import { FreshRecords } from '../../../src/config/plan-records.js';
import { configOf, problemsOf, SMALLEST, SMALLEST_L4, warningsOf } from './loading.js';

const SECRET = 'random at each start';
const HIDDEN_SECRET = 'sixteen letters!';

function planOf(text: string): Plan {
  let slot = 0;
  const assignSlot = () => ({ slot: slot++, generation: 1 });
  return compilePlan(configOf(text), {
    assignSlot,
    records: new FreshRecords(),
    epoch: 1,
    processors: 1,
    affinitySecret: SECRET,
  });
}

const file = (upstream: string, route = 'upstream: api', root = '') => `
${root}
listeners:
  - { name: web, bind: "127.0.0.1:8080", routes: [ { ${route} } ] }
upstreams:
  api:
    ${upstream === '' ? '' : `${upstream}\n    `}endpoints:
      - { address: "10.0.0.1:9001", labels: { zone: a, version: v1, cores: "8" } }
      - { address: "10.0.0.2:9001", weight: 2, priority: 4, labels: { zone: b, version: v2, cores: "2" } }
      - { address: "10.0.0.3:9001", labels: { zone: b, version: v2, cores: "4" } }
      - { address: "10.0.0.4:9001", backup: true, labels: { version: spare, cores: "1" } }
  other: { endpoints: [ { address: "10.0.1.1:1" }, { address: "10.0.1.2:1" } ] }
`;
const upstreamOf = (setting: string, root = '') => planOf(file(setting, 'upstream: api', root)).upstreams[0]!;
const routeOf = (route: string) => {
  const [listener] = planOf(file('', route)).listeners;
  return listener?.mode === 'l7' ? listener.routes[0] : undefined;
};

describe('picking in a plan', () => {
  it.each([
    ['client-ip', { kind: 'client-ip' }],
    ['path', { kind: 'path' }],
    ['uri', { kind: 'uri' }],
    ['"header:X-User"', { kind: 'header', name: 'x-user' }],
    ['"cookie:Sid"', { kind: 'cookie', name: 'Sid' }],
    ['"query:id[0]"', { kind: 'query', name: 'id[0]' }],
  ])('has the key %s', (written, hashKey) => {
    expect(upstreamOf(`hashKey: ${written}`)).toMatchObject({ hashKey });
  });

  it.each([
    ['loadFactor: 1.25', { loadFactor: 1.25 }],
    ['latencyOf: last-byte', { latencyOf: 'last-byte' }],
    ['slowStart: { window: 30s }', { slowStart: { windowMs: 30_000, aggression: 1, leastShare: 0.1 } }],
    [
      'slowStart: { window: 1m, aggression: 0.5, minWeight: 33.5% }',
      { slowStart: { windowMs: 60_000, aggression: 0.5, leastShare: 0.335 } },
    ],
    ['panicThreshold: 70%', { panicShare: 0.7 }],
    ['panicThreshold: off', { panicShare: 0 }],
    ['weights: performance', { weights: { kind: 'performance' } }],
    ['weights: reported', { weights: { kind: 'reported' } }],
    ['weights: { label: cores }', { weights: { kind: 'fixed' } }],
    [
      'weights: { agent: { port: 9100 } }',
      { weights: { kind: 'agent', port: 9100, intervalMs: 2_000, timeoutMs: 1_000 } },
    ],
    ['affinity: { key: "header:A" }', { affinity: { kind: 'key', key: { kind: 'header', name: 'a' } } }],
    [
      'affinity: { cookie: {} }',
      {
        affinity: {
          kind: 'cookie',
          name: 'sluice-api',
          path: '/',
          domain: null,
          maxAgeS: 0,
          isSecure: false,
          isHttpOnly: true,
          sameSite: 'Lax',
          secret: SECRET,
        },
      },
    ],
    [
      `affinity: { cookie: { name: at, path: /x, domain: example.com, maxAge: 1h, secure: true, httpOnly: false, sameSite: none, secret: "${HIDDEN_SECRET}" } }`,
      {
        affinity: {
          kind: 'cookie',
          name: 'at',
          path: '/x',
          domain: 'example.com',
          maxAgeS: 3_600,
          isSecure: true,
          isHttpOnly: false,
          sameSite: 'None',
          secret: HIDDEN_SECRET,
        },
      },
    ],
  ])('has %s', (written, plan) => {
    expect(upstreamOf(written)).toMatchObject(plan);
  });

  it('takes weights from a label, times the weight', () => {
    expect(upstreamOf('weights: { label: cores }').endpoints.map(({ weight }) => weight)).toEqual([8, 4, 4, 1]);
  });

  it('makes levels of priorities, and of zones where the own one is preferred', () => {
    const levels = (setting: string) => upstreamOf(setting, 'zone: b').endpoints.map(({ level }) => level);
    expect(levels('')).toEqual([0, 1, 0, 0]);
    expect(levels('preferOwnZone: true')).toEqual([1, 2, 0, 0]);
  });

  it('numbers tables and cursors over all upstreams', () => {
    const text = file('balance: maglev').replace('other: {', 'other: { balance: ketama,');
    expect(planOf(text).upstreams.map(({ turn, hashTable }) => [turn, hashTable])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(planOf(file('balance: hash')).upstreams.map(({ hashTable }) => hashTable)).toEqual([-1, -1]);
  });

  it('has a subset once, with a cursor of its own', () => {
    const routes =
      'upstream: api, subset: { version: v2 } }, { match: { path: /b }, upstream: api, subset: { version: v2 }';
    const { upstreams, listeners } = planOf(file('', routes));
    expect(upstreams[0]?.subsets).toEqual([{ labels: { version: 'v2' }, endpoints: [1, 2], turn: 2 }]);
    expect(listeners[0]?.routes).toMatchObject([{ subset: 0 }, { subset: 0 }]);
  });

  it('has the targets of a split', () => {
    const split = 'split: [ { upstream: api, weight: 95, subset: { version: v1 } }, { upstream: other, weight: 5 } ]';
    expect(routeOf(`${split}, splitKey: "cookie:id"`)).toMatchObject({
      upstream: 0,
      subset: 0,
      split: {
        key: { kind: 'cookie', name: 'id' },
        targets: [
          { upstream: 0, subset: 0, weight: 95 },
          { upstream: 1, subset: -1, weight: 5 },
        ],
      },
    });
    expect(routeOf('upstream: other')).toMatchObject({ upstream: 1, subset: -1, split: null });
  });

  it('tells why only where a listener says so', () => {
    const explaining = file('').replace('name: web,', 'name: web, explain: header,');
    expect([file(''), explaining].map((text) => planOf(text).listeners[0])).toMatchObject([
      { explains: false },
      { explains: true },
    ]);
  });

  it('is printed in a form that reads the same', () => {
    const text = file(
      'affinity: { cookie: { maxAge: 1h } }\n    hashKey: "query:a"\n    panicThreshold: 35%\n    loadFactor: 1.5\n    slowStart: { window: 30s, minWeight: 7% }\n    weights: { agent: { port: 1 } }\n    preferOwnZone: true',
      'split: [ { upstream: api, subset: { zone: a } }, { upstream: other } ]',
      'zone: a',
    );
    expect(configOf(effectiveYaml(configOf(text)))).toEqual(configOf(text));
  });
});

describe('a problem of picking', () => {
  const problems = (text: string) =>
    problemsOf(text).map((problem) => problem.replace(/^\S+ (upstreams\.api\.|listeners\[0\]\.routes\[0\]\.)/, ''));

  it.each([
    [
      'hashKey: header',
      'must be client-ip, path, uri, header:NAME, cookie:NAME, query:NAME, client-certificate:subject or client-certificate:fingerprint | write header:NAME',
    ],
    ['hashKey: "header:a b"', '| a b is no name of a header'],
    ['hashKey: $remote_addr', 'query:NAME'],
    ['hashKey: heder:x', 'did you mean header:NAME?'],
    ['loadFactor: 1', 'loadFactor is 1, but must be a number from 1.01 to 100, or off'],
    ['loadFactor: "1.5"', 'write the number without quotes: 1.5'],
    [
      'panicThreshold: 50',
      'panicThreshold is 50, but must be a share such as 50%, from 0% to 100%, or off | write 50%',
    ],
    ['panicThreshold: 101%', 'from 0% to 100%'],
    ['slowStart: { window: 1ms }', 'slowStart.window'],
    ['slowStart: { minWeight: 10% }', 'slowStart.window is missing'],
    ['slowStart: { window: 1s, minWeight: 0% }', 'from 1% to 100%'],
    ['affinity: {}', 'affinity says neither cookie nor key | write cookie: {} or key: client-ip, or off'],
    ['affinity: { cookie: {}, key: path }', 'affinity.key stands beside cookie | write one of the two'],
    ['affinity: { cookie: { sameSite: none } }', 'affinity.cookie.sameSite needs secure'],
    ['affinity: { cookie: { name: "a;b" } }', 'affinity.cookie.name is "a;b", but must be the name of a cookie'],
    ['affinity: { cookie: { path: "/; Domain=x" } }', 'affinity.cookie.path'],
    ['affinity: { cookie: { path: app } }', 'affinity.cookie.path'],
    ['affinity: { cookie: { secret: short } }', 'affinity.cookie.secret'],
    ['weights: {}', 'weights says neither label nor agent'],
    ['weights: { label: cores, agent: { port: 1 } }', 'weights.label stands beside agent'],
    ['weights: { label: zone }', 'endpoints[0].labels.zone is "a", but must be a whole number of at most 1000'],
    ['weights: { label: disks }', 'endpoints[0].labels.disks is missing: weights come from this label'],
    ['weights: { agent: {} }', 'weights.agent.port is missing'],
    ['weights: agent', 'weights is "agent", but must be fixed, performance, reported or a section'],
    ['weights: preformance', 'did you mean performance?'],
    ['preferOwnZone: true', 'preferOwnZone needs to know the zone of this sluice | write zone: at the top'],
  ])('is told for an upstream with %s', (setting, problem) => {
    expect(problems(file(setting)).join('\n')).toContain(problem);
  });

  it('is told when a label gives nobody a weight', () => {
    const text = file('weights: { label: cores }').replaceAll(/cores: "[248]"/g, 'cores: "0"');
    expect(problems(text)).toEqual([
      expect.stringContaining('weights.label gives no endpoint a weight above 0, backups aside'),
    ]);
  });

  it.each([
    ['match: { path: /a }', 'upstream is missing: it must be the name of an upstream'],
    ['upstream: api, split: [ { upstream: other } ]', 'split stands beside upstream | write one of the two'],
    ['upstream: api, splitKey: path', 'splitKey needs a split'],
    ['split: []', 'split is an empty list'],
    [
      'split: [ { upstream: apo } ]',
      'split[0].upstream is "apo", but there is no upstream of that name | did you mean api?',
    ],
    ['split: [ { upstream: api, weight: 0 } ]', 'split holds no target with a weight above 0'],
    ['split: [ { upstream: api } ], subset: { version: v1 }', 'subset stands beside split'],
    [
      'upstream: api, subset: { version: v9 }',
      'subset matches no endpoint of the upstream api | version is v1, v2 or spare there',
    ],
    ['upstream: other, subset: { version: v1 }', 'no endpoint of other has the label version'],
    ['upstream: api, subset: { version: spare }', 'matches only endpoints of the upstream api that are backups'],
    ['upstream: api, subset: {}', 'subset names no label'],
    ['split: [ { upstream: other, subset: { a: b } } ]', 'split[0].subset matches no endpoint of the upstream other'],
  ])('is told for a route with %s', (route, problem) => {
    expect(problems(file('', route)).join('\n')).toContain(problem);
  });

  it('is told for subset, split and explain of an l4 listener', () => {
    const withRoute = (settings: string) =>
      SMALLEST_L4.replace('upstream: pg', `routes: [ { upstream: pg, ${settings} } ]`);
    for (const setting of ['subset: { a: b }', 'split: []', 'splitKey: path'])
      expect(problems(withRoute(setting)).join()).toContain('belongs to mode l7: an l4 route leads to');
    expect(problems(SMALLEST_L4.replace('name: db,', 'name: db, explain: header,')).join()).toContain(
      'explain belongs to mode l7',
    );
  });
});

describe('a warning of picking', () => {
  const warnings = (text: string) => warningsOf(text).join('\n');
  const withSetting = (setting: string) => SMALLEST.replace('api: {', `api: { ${setting},`);

  it.each([
    ['hashKey: path', 'hashKey has no effect with round-robin'],
    ['loadFactor: 2', 'loadFactor has no effect with round-robin'],
    ['balance: ip-hash, hashKey: path', 'hashKey has no effect with ip-hash'],
    ['latencyOf: last-byte', 'latencyOf has no effect with round-robin'],
    ['balance: maglev, slowStart: { window: 1s }', 'slowStart changes maxConns only, with maglev'],
    ['balance: first', 'is first, but an endpoint has no maxConns'],
    ['affinity: { cookie: {} }', 'affinity.cookie has no secret: a random one is taken at each start'],
    ['balance: ketama, weights: reported', 'weights has no effect with ketama'],
    ['balance: first, weights: performance', 'weights has no effect with first'],
    ['outlier: off, slowStart: { window: 1s }', 'slowStart has no effect: without health checks and outlier detection'],
    ['outlier: off, panicThreshold: 70%', 'panicThreshold has no effect: without health checks and outlier'],
    ['balance: peak-ewma, weights: performance', 'weights counts latency a second time'],
  ])('is told for an upstream with %s', (setting, warning) => {
    expect(warnings(withSetting(setting))).toContain(warning);
  });

  it.each([
    'balance: ketama, hashKey: path, loadFactor: 1.25',
    'balance: ip-hash, loadFactor: 1.25',
    'weights: performance, latencyOf: last-byte',
    'balance: least-time, weights: reported',
    'balance: ketama, weights: { agent: { port: 9100 } }',
    'balance: least-time, latencyOf: last-byte, slowStart: { window: 1s }, healthCheck: { kind: tcp }',
    'weights: { agent: { port: 9100 } }, slowStart: { window: 1s }, panicThreshold: off',
    `affinity: { cookie: { secret: "${HIDDEN_SECRET}" } }`,
  ])('is not told for %s', (setting) => {
    expect(warningsOf(withSetting(setting))).toEqual([]);
  });

  it('is told of zones that decide nothing', () => {
    const own = (setting: string, zone: string) => warnings(file(setting, 'upstream: api', `zone: ${zone}`));
    expect(own('preferOwnZone: true', 'c')).toContain('preferOwnZone has no effect: no endpoint has the label zone: c');
    expect(own('', 'a')).toContain('zone is not used: no upstream has preferOwnZone');
    expect(own('preferOwnZone: true', 'a')).not.toContain('zone');
  });

  it('is not told of slow start of endpoints whose names may be resolved later', () => {
    const text = withSetting('slowStart: { window: 1s }').replace('10.0.0.1:', 'api.example.com:');
    expect(warnings(text)).not.toContain('slowStart');
  });

  it.each([
    ['balance: hash, hashKey: path', 'hashKey is path, which sessions (mode l4) do not have'],
    [`affinity: { cookie: { secret: "${HIDDEN_SECRET}" } }`, 'affinity.cookie has no effect'],
    ['weights: reported', 'weights has no effect: endpoints report in headers'],
  ])('is told for sessions with %s', (setting, warning) => {
    expect(warnings(SMALLEST_L4.replace('pg: {', `pg: { ${setting},`))).toContain(warning);
  });
});
