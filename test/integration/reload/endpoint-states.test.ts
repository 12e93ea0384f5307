/** What is known of endpoints that stay, by probes, by traffic and by the operator: a reload takes none of it back. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { BY_SIGNAL_ONLY, reloadWith } from '../../harness/reloads.js';
import { failing, HEALTH_PATH, StoryEndpoint } from '../../harness/story-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const started = endAfterEach();

/** The part of an endpoint's view that these tests look at. */
interface View {
  readonly address: string;
  readonly state: string;
  readonly healthy: boolean;
  readonly draining: boolean;
  readonly weight: number;
  readonly outlier: { readonly ejection: string; readonly ejections: number } | null;
  readonly healthCheck: { readonly verdict: string; readonly lastProbe: { readonly elapsedMs: number } | null } | null;
  readonly latencyEwmaUs: number | null;
  readonly requests: number;
}

async function viewOf(proxy: ProxyProcess, { address }: StoryEndpoint): Promise<View> {
  const { endpoints } = await proxy.admin<{ endpoints: View[] }>('/api/v1/upstreams/app/endpoints');
  return endpoints.find((endpoint) => endpoint.address === address) as View;
}

async function operate(proxy: ProxyProcess, { address }: StoryEndpoint, change: object): Promise<void> {
  const url = `http://127.0.0.1:${proxy.adminPort}/api/v1/upstreams/app/endpoints/${address}`;
  const headers = { 'content-type': 'application/json' };
  const { status } = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(change) });
  expect(status).toBe(200);
}

/** Enough for both workers, each on a connection of its own. */
async function ask(proxy: ProxyProcess, count = 12): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < count) statuses.push(statusOf(await requestOnce(proxy.port, get('/'))));
  return statuses;
}

describe.each(FRONT_ENDS)('after reloads (%s)', (frontend) => {
  it('endpoints that stay are what they were, wherever they stand and however they are balanced', async () => {
    const names = ['ill', 'ejected', 'drained', 'weighted', 'sound', 'fresh'] as const;
    const stories = await Promise.all(names.map((name) => started(StoryEndpoint.start(name))));
    const [ill, ejected, drained, weighted, sound, fresh] = stories as [
      StoryEndpoint,
      StoryEndpoint,
      StoryEndpoint,
      StoryEndpoint,
      StoryEndpoint,
      StoryEndpoint,
    ];
    const configOf = (of: readonly StoryEndpoint[], more: object = {}, weightOf: object = {}): object =>
      configFor([], {
        frontend,
        upstream: {
          endpoints: of.map((each) => ({ address: each.address, ...(each === weighted ? weightOf : {}) })),
          // One probe decides, and the next one is not due before the test is over.
          healthCheck: {
            path: HEALTH_PATH,
            interval: '10m',
            unhealthyInterval: '10m',
            unhealthyAfter: 1,
            healthyAfter: 1,
            initial: 'unknown',
          },
          outlier: { gatewayFailures: 2, ejectionTime: '10m', maxEjectionTime: '10m' },
          retry: { attempts: 1 },
          ...more,
        },
        ...BY_SIGNAL_ONLY,
      });
    ill.isIll = true;
    ejected.failure = failing(503);
    sound.latencyMs = 30;
    const before = [ill, ejected, drained, weighted, sound];
    const proxy = await started(startProxy(configOf(before)));
    await until('the verdict', async () => !(await viewOf(proxy, ill)).healthy);
    await until('the ejection', async () => {
      await ask(proxy, 1);
      return proxy.log.some(({ event }) => event === 'endpoint-ejected');
    });
    await operate(proxy, drained, { state: 'draining' });
    await operate(proxy, weighted, { weight: 7 });
    await ask(proxy);
    // From here on they would serve, if anything came.
    ejected.failure = null;

    const checked = async () => {
      const { healthy, healthCheck } = await viewOf(proxy, ill);
      // The time that its only probe took tells that probe from another one.
      return { healthy, verdict: healthCheck?.verdict, probeMs: healthCheck?.lastProbe?.elapsedMs };
    };
    const facts = async () => ({
      ill: await checked(),
      ejected: (await viewOf(proxy, ejected)).outlier,
      drained: (await viewOf(proxy, drained)).draining,
      weight: (await viewOf(proxy, weighted)).weight,
      latencyUs: (await viewOf(proxy, sound)).latencyEwmaUs,
      requests: (await viewOf(proxy, sound)).requests,
    });
    const known = await facts();
    const { ejectedForMs: _then, ...ejection } = known.ejected as View['outlier'] & { ejectedForMs: number };
    expect(known).toMatchObject({ ill: { healthy: false }, drained: true, weight: 7 });
    expect(ejection).toMatchObject({ ejection: 'ejected', ejections: 1 });
    expect(known.latencyUs).toBeGreaterThan(20_000);
    const closed = [ill, ejected, drained].map(({ requests }) => requests);

    for (const [of, more] of [
      [[fresh, ...before], { balance: 'least-conn' }],
      [[...before].reverse(), { balance: 'peak-ewma', timeouts: { idle: '50s' } }],
      [[sound, fresh, weighted, drained, ejected, ill], { outlier: { gatewayFailures: 3, ejectionTime: '4m' } }],
      [before, { balance: 'least-time' }],
    ] as const) {
      const seen = await facts();
      await reloadWith(proxy, configOf(of, more));
      const now = await facts();
      expect(now).toEqual({ ...seen, ejected: now.ejected });
      expect(now.ejected).toMatchObject(ejection);
      expect(now).toMatchObject({ ill: known.ill, drained: true, weight: 7 });
      expect(new Set(await ask(proxy))).toEqual(new Set([200]));
      expect([ill, ejected, drained].map(({ requests }) => requests)).toEqual(closed);
    }

    // Another weight in the file is the newer word.
    await reloadWith(proxy, configOf(before, {}, { weight: 3 }));
    expect((await facts()).weight).toBe(3);
    await operate(proxy, drained, { state: 'enabled' });
    await ask(proxy);
    expect(drained.requests).toBeGreaterThan(closed[2] as number);
  });
});
