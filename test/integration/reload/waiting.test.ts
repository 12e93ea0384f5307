/** Requests that wait for a place at an endpoint while the configuration of their upstream changes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { badLines, configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { BY_SIGNAL_ONLY, reloadWith } from '../../harness/reloads.js';
import { ok, type RequestEndpoint, type SeenRequest, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

const started = endAfterEach();

/** Keeps what comes until it is told to answer, one request at a time. */
async function startHolding() {
  const held: SeenRequest[] = [];
  const endpoint = await started(
    startRequestEndpoint((request) => {
      held.push(request);
      return undefined;
    }),
  );
  const release = async (): Promise<string> => {
    await until('a request at the endpoint', () => held.length > 0);
    const { socket, target } = held.shift() as SeenRequest;
    socket.write(ok());
    return target;
  };
  return { endpoint, held, release };
}

/** Has one place. */
const cappedAt = ({ port }: RequestEndpoint, more: object = {}): object => ({
  address: `127.0.0.1:${port}`,
  maxConns: 1,
  ...more,
});

const PATIENT = { timeouts: { queue: '1m' } };

describe.each(FRONT_ENDS)('requests that wait over a reload (%s)', (frontend) => {
  let proxy: ProxyProcess;
  const reload = (upstream: object): Promise<unknown> => reloadWith(proxy, configFor([], { frontend, upstream }));
  const waiting = async (): Promise<number> =>
    (await proxy.admin<{ upstreams: { waiting: number }[] }>('/api/v1/upstreams')).upstreams[0]?.waiting ?? 0;

  beforeAll(async () => {
    proxy = await startProxy({ ...configFor([1], { frontend }), ...BY_SIGNAL_ONLY });
  });
  afterAll(() => proxy?.stop());

  /** The only place is taken by `/held`, and others can be asked behind it, over both workers. */
  async function startFull() {
    const { endpoint, held, release } = await startHolding();
    const change = (upstream: object): Promise<unknown> =>
      reload({ endpoints: [cappedAt(endpoint)], ...PATIENT, ...upstream });
    await change({});
    const clients: WireClient[] = [];
    const ask = async (...paths: string[]): Promise<void> => {
      for (const path of paths) {
        const client = await started(WireClient.open(proxy.port));
        const before = await waiting();
        clients.push(client);
        client.send(get(path));
        if (path === '/held') await until('the place is taken', () => held.length === 1);
        else await until(`${path} waits`, async () => (await waiting()) === before + 1);
      }
    };
    await ask('/held');
    const answers = (): Promise<number[]> => Promise.all(clients.map(async (each) => statusOf(await each.response())));
    /** Lets one after the other go, never two at the endpoint. @returns them in the order of the endpoint */
    const served = async (count: number, by = { held, release }): Promise<string[]> => {
      const targets: string[] = [];
      while (targets.length < count) {
        targets.push(await by.release());
        expect(by.held.length).toBeLessThanOrEqual(1);
      }
      return targets;
    };
    return { change, ask, answers, served, endpoint };
  }

  it.each([
    ['the same queue and another balancer', { balance: 'least-conn', timeouts: { queue: '30s', firstByte: '20s' } }],
    ['a longer queue', { queue: { length: 2_000 } }],
    ['a queue that has no room for all of them', { queue: { length: 2 } }],
  ])('are served in order, before those that come later: %s', async (_what, upstream) => {
    const { change, ask, answers, served } = await startFull();
    await ask('/1', '/2', '/3', '/4');
    await change({ ...PATIENT, ...upstream });
    await ask('/5', '/6');
    expect(await served(7)).toEqual(['/held', '/1', '/2', '/3', '/4', '/5', '/6']);
    expect(await answers()).toEqual(Array(7).fill(200));
    await untilIdle(proxy);
    expect(badLines(proxy.log)).toEqual([]);
  });

  it('are served although there is no queue any more, and nobody joins them', async () => {
    const { change, ask, answers, served } = await startFull();
    await ask('/1', '/2', '/3');
    await change({ queue: 'off' });
    const late = await started(WireClient.open(proxy.port));
    late.send(get('/late'));
    const refusal = await late.response();
    expect([statusOf(refusal), errorOf(refusal).error]).toEqual([503, 'SLUICE_ENDPOINTS_FULL']);
    expect(await served(4)).toEqual(['/held', '/1', '/2', '/3']);
    expect(await answers()).toEqual(Array(4).fill(200));
  });

  it('get the places of endpoints that come, and none of those that go', async () => {
    const { change, ask, answers, served, endpoint } = await startFull();
    const fresh = await startHolding();
    await ask('/1', '/2', '/3');
    await change({ endpoints: [cappedAt(fresh.endpoint)] });
    await until('/1 has the new place', async () => fresh.held.length === 1 && (await waiting()) === 2);
    await ask('/4');
    expect(await served(4, fresh)).toEqual(['/1', '/2', '/3', '/4']);
    expect(endpoint.requests.map(({ target }) => target)).toEqual(['/held']);
    expect(await served(1)).toEqual(['/held']);
    expect(await answers()).toEqual(Array(5).fill(200));
    await untilIdle(proxy);
  });

  it('keep their order over many reloads in a row', async () => {
    const { change, ask, answers, served } = await startFull();
    const paths: string[] = [];
    for (let reload = 0; reload < 6; reload++) {
      paths.push(`/${reload}`);
      await ask(`/${reload}`);
      await change({ queue: { length: 10 + reload } });
    }
    expect(await served(7)).toEqual(['/held', ...paths]);
    expect(await answers()).toEqual(Array(7).fill(200));
  });
});
