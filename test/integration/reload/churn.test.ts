/** Endpoints that are replaced, and configurations with problems, while requests run: nobody notices. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { badLines, configFor, startProxy } from '../../harness/proxy-process.js';
import { BY_SIGNAL_ONLY, endOfReload, reloadWith } from '../../harness/reloads.js';
import { SteadyLoad } from '../../harness/steady-load.js';
import { StoryEndpoint } from '../../harness/story-endpoint.js';
import { get, WireClient } from '../../harness/wire-client.js';

const started = endAfterEach();

const REPLACEMENTS = 50;
const LOAD = { perSecond: 200, connections: 8 };

describe.each(FRONT_ENDS)('under load (%s)', (frontend) => {
  it('an endpoint is replaced by another one, fifty times, and no request fails', { timeout: 60_000 }, async () => {
    const start = async (name: string): Promise<StoryEndpoint> => {
      const endpoint = await started(StoryEndpoint.start(name));
      // Some answers of the former one come after the reload.
      endpoint.latencyMs = 5;
      return endpoint;
    };
    let current = await start('0');
    const configOf = ({ address }: StoryEndpoint): object =>
      configFor([], { frontend, upstream: { endpoints: [{ address }] }, ...BY_SIGNAL_ONLY });
    const proxy = await started(startProxy(configOf(current)));
    const load = await started(SteadyLoad.start(proxy.port, LOAD));
    await load.next(10);
    for (let number = 1; number <= REPLACEMENTS; number++) {
      current = await start(String(number));
      const line = await reloadWith(proxy, configOf(current));
      expect(line['endpoints']).toEqual({ added: 1, changed: 0, removed: 1 });
      const reloadedAtMs = performance.now();
      // Once the reload is told of, what comes goes to the new one, and to nobody else.
      const served = await load.from(reloadedAtMs, 2);
      expect(served.map(({ status, body }) => [status, body])).toEqual(Array(2).fill([200, String(number)]));
    }
    await load.close();
    expect(load.answers.filter(({ status }) => status !== 200)).toEqual([]);
    await untilIdle(proxy);
    expect(badLines(proxy.log)).toEqual([]);
    expect(proxy.log.filter(({ event }) => event === 'exchange-failed')).toEqual([]);
  });

  it('configurations with problems change nothing at all', async () => {
    const [a, b] = [await started(StoryEndpoint.start('a')), await started(StoryEndpoint.start('b'))];
    const configOf = (more: object = {}): object =>
      configFor([], { frontend, upstream: { endpoints: [{ address: a.address }] }, ...BY_SIGNAL_ONLY, ...more });
    const proxy = await started(startProxy(configOf()));
    const load = await started(SteadyLoad.start(proxy.port, LOAD));
    const idle = await started(WireClient.open(proxy.port));
    await load.next(10);
    const before = await proxy.admin('/api/v1/config');
    const other = { app: { endpoints: [{ address: b.address }] } };
    const listener = (bind: string): object => ({
      name: 'more',
      mode: 'l7',
      frontend,
      bind,
      routes: [{ upstream: 'app' }],
    });
    for (const [config, problem] of [
      [configOf({ upstreams: other, nonsense: true }), 'nonsense is not a known setting'],
      [configOf({ upstreams: { other: other.app } }), 'app'],
      [configOf({ upstreams: { app: { ...other.app, balance: 'by-feeling' } } }), 'balance'],
      [
        configOf({ upstreams: other, listeners: [listener('127.0.0.1:0'), listener('127.0.0.1:0')] }),
        'the name of another listener',
      ],
      // All of it is right, but for what only the system can know.
      [configOf({ upstreams: other, listeners: [listener(b.address)] }), 'is taken'],
    ] as const) {
      const line = await endOfReload(proxy, config);
      expect(line.event).toBe('reload-failed');
      expect(String(line['problems'])).toContain(problem);
      await load.next(4);
    }
    expect(await proxy.admin('/api/v1/config')).toEqual(before);
    await load.next(10);
    await load.close();
    expect(load.answers.filter(({ status, body }) => status !== 200 || body !== 'a')).toEqual([]);
    expect(b.requests).toBe(0);
    idle.send(get('/'));
    expect((await idle.response()).body.toString()).toBe('a');
    // The next good one counts.
    expect(await reloadWith(proxy, configOf({ upstreams: other }))).toMatchObject({ epoch: 2 });
    idle.send(get('/'));
    expect((await idle.response()).body.toString()).toBe('b');
  });
});
