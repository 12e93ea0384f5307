/** Clients stay with their endpoints by key, among those that their route and their level allow, as endpoints see it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const USERS = 12;

describe.each(FRONT_ENDS)('affinity by key with the front end %s', (frontend) => {
  const names = ['a', 'b', 'c', 'd'];
  let endpoints: RequestEndpoint[];
  let proxy: ProxyProcess;

  beforeAll(async () => {
    endpoints = await Promise.all(names.map((name) => startRequestEndpoint(ok(name))));
    const picking = { balance: 'round-robin', affinity: { key: 'header:x-user' } };
    const of = (more: (index: number) => object) => ({
      ...picking,
      endpoints: endpoints.map(({ port }, index) => ({ address: `127.0.0.1:${port}`, ...more(index) })),
    });
    const routes = [
      { match: { path: '/subset' }, upstream: 'versions', subset: { version: '2' } },
      { match: { path: '/priorities' }, upstream: 'priorities' },
    ];
    proxy = await startProxy({
      ...configFor([], { frontend, listener: { routes } }),
      upstreams: {
        versions: of((index) => ({ labels: { version: index < 2 ? '1' : '2' } })),
        priorities: of((index) => ({ priority: index < 2 ? 0 : 1 })),
      },
    });
  });

  afterAll(async () => {
    await proxy?.stop();
    for (const endpoint of endpoints ?? []) await endpoint.close();
  });

  /** The endpoints that each user reaches in three requests, once each, in their order. */
  async function reachedBy(path: string): Promise<string[]> {
    const reached: string[] = [];
    for (let user = 0; user < USERS; user++) {
      const seen = new Set<string>();
      for (let turn = 0; turn < 3; turn++) {
        const response = await requestOnce(proxy.port, get(path, [`X-User: user-${user}`]));
        seen.add(response.body.toString());
      }
      reached.push([...seen].join(''));
    }
    return reached;
  }

  it('keeps all users with one endpoint of the subset each', async () => {
    const reached = await reachedBy('/subset');
    expect(new Set(reached)).toEqual(new Set(['c', 'd']));
  });

  it('keeps all users in the level that has the load', async () => {
    const reached = await reachedBy('/priorities');
    expect(new Set(reached)).toEqual(new Set(['a', 'b']));
  });
});
