/** Balancing as clients and endpoints see it: several workers, one board. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf } from '../../harness/http-message.js';
import { endpointFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** An endpoint that holds its requests until it is told to answer. */
class HoldingEndpoint {
  mostHeld = 0;
  readonly #held: (() => void)[] = [];

  private constructor(readonly endpoint: RequestEndpoint) {}

  static async start(): Promise<HoldingEndpoint> {
    const endpoint = await startRequestEndpoint();
    open.push(() => endpoint.close());
    const holding = new HoldingEndpoint(endpoint);
    endpoint.answerWith((request) => {
      holding.#held.push(() => void request.socket.write(ok()));
      holding.mostHeld = Math.max(holding.mostHeld, holding.#held.length);
      return undefined;
    });
    return holding;
  }

  get held(): number {
    return this.#held.length;
  }

  /** Answers the oldest `count`. */
  answer(count = this.#held.length): void {
    for (const respond of this.#held.splice(0, count)) respond();
  }
}

async function answering(count: number): Promise<RequestEndpoint[]> {
  const endpoints = await Promise.all(Array.from({ length: count }, () => startRequestEndpoint()));
  open.push(...endpoints.map((endpoint) => () => endpoint.close()));
  return endpoints;
}

async function holding(count: number): Promise<HoldingEndpoint[]> {
  return Promise.all(Array.from({ length: count }, () => HoldingEndpoint.start()));
}

// What picks lies behind the front ends: with uWebSockets.js only what shows that its exchanges count, too.
describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  async function proxyFor(upstream: object): Promise<ProxyProcess> {
    const proxy = await startProxy(configFor([], { frontend, workers: 4, upstream }));
    open.push(() => proxy.stop());
    return proxy;
  }

  const addressOf = ({ port }: { readonly port: number }, more: object = {}): object => ({
    address: `127.0.0.1:${port}`,
    ...more,
  });

  /** Sends a request on a connection of its own and leaves it open. */
  async function begin(proxy: ProxyProcess): Promise<WireClient> {
    const client = await WireClient.open(proxy.port);
    open.push(() => client.close());
    client.send(get('/'));
    return client;
  }

  describe('round-robin over three endpoints and four workers', () => {
    it('gives each the same share, to one request, over many connections', async () => {
      const endpoints = await answering(3);
      const proxy = await proxyFor({ endpoints: endpoints.map((endpoint) => addressOf(endpoint)) });
      const clients = await Promise.all(Array.from({ length: 20 }, () => WireClient.open(proxy.port)));
      let sent = 0;
      await Promise.all(
        clients.map(async (client) => {
          for (let i = 0; i < 20; i++) {
            client.send(get(`/${sent++}`));
            expect(statusOf(await client.response())).toBe(200);
          }
          client.close();
        }),
      );
      const counts = endpoints.map(({ requests }) => requests.length);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      expect((await endpointFacts(proxy)).map(({ requests }) => requests)).toEqual(counts);
    });

    it.runIf(frontend === 'native')('gives each its weight, exactly', async () => {
      const endpoints = await answering(4);
      const weights = [5, 3, 2, 0];
      const proxy = await proxyFor({
        endpoints: endpoints.map((endpoint, index) => addressOf(endpoint, { weight: weights[index] })),
      });
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          for (let i = 0; i < 10; i++) expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
        }),
      );
      expect(endpoints.map(({ requests }) => requests.length)).toEqual([50, 30, 20, 0]);
    });
  });

  describe.runIf(frontend === 'native')('least-conn over three endpoints and four workers', () => {
    it('keeps the numbers of held requests equal, to one', async () => {
      const endpoints = await holding(3);
      const proxy = await proxyFor({
        balance: 'least-conn',
        endpoints: endpoints.map(({ endpoint }) => addressOf(endpoint)),
      });
      const held = (): number[] => endpoints.map((endpoint) => endpoint.held);
      for (let count = 1; count <= 31; count++) {
        await begin(proxy);
        await until('the request is at an endpoint', () => held().reduce((sum, one) => sum + one, 0) === count);
        expect(Math.max(...held()) - Math.min(...held())).toBeLessThanOrEqual(1);
      }
      // One endpoint gets free: the next ones go there until it has caught up.
      endpoints[1]?.answer();
      await until('the answers are through', async () => (await endpointFacts(proxy))[1]?.inFlight === 0);
      const [first, , third] = held();
      for (let count = 1; count <= 8; count++) {
        await begin(proxy);
        await until('the request is at the free endpoint', () => endpoints[1]?.held === count);
      }
      expect([held()[0], held()[2]]).toEqual([first, third]);
    });
  });

  describe('maxConns', () => {
    it('is never exceeded over all workers; what is too much gets 503 without a queue', async () => {
      const endpoints = await holding(3);
      const proxy = await proxyFor({
        queue: 'off',
        endpoints: endpoints.map(({ endpoint }) => addressOf(endpoint, { maxConns: 4 })),
      });
      const clients = await Promise.all(Array.from({ length: 60 }, () => begin(proxy)));
      const answers = clients.map((client) => client.response());
      await until('all that fits is at the endpoints', () => endpoints.every(({ held }) => held === 4));
      await until('the others are answered', async () =>
        (await endpointFacts(proxy)).every(({ inFlight }) => inFlight === 4),
      );
      for (const endpoint of endpoints) endpoint.answer();
      const responses = await Promise.all(answers);
      expect(responses.filter((response) => statusOf(response) === 200)).toHaveLength(12);
      const refused = responses.filter((response) => statusOf(response) === 503);
      expect(refused).toHaveLength(48);
      expect(new Set(refused.map((response) => errorOf(response).error))).toEqual(new Set(['SLUICE_ENDPOINTS_FULL']));
      expect(endpoints.map(({ mostHeld }) => mostHeld)).toEqual([4, 4, 4]);
      await untilIdle(proxy);
    });

    it('holds under a storm of requests', async () => {
      const endpoints = await holding(2);
      const proxy = await proxyFor({
        endpoints: endpoints.map(({ endpoint }) => addressOf(endpoint, { maxConns: 3 })),
      });
      const answering = setInterval(() => {
        for (const endpoint of endpoints) endpoint.answer();
      }, 5);
      const statuses = (
        await Promise.all(
          Array.from({ length: 24 }, async () => {
            const seen: number[] = [];
            for (let i = 0; i < 20; i++) seen.push(statusOf(await requestOnce(proxy.port, get('/'))));
            return seen;
          }),
        )
      ).flat();
      clearInterval(answering);
      expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
      expect(statuses.filter((status) => status === 200)).toHaveLength(
        endpoints.reduce((sum, { endpoint }) => sum + endpoint.requests.length, 0),
      );
      for (const endpoint of endpoints) expect(endpoint.mostHeld).toBeLessThanOrEqual(3);
      await untilIdle(proxy);
    });
  });

  describe.runIf(frontend === 'native')('a backup endpoint', () => {
    it('gets nothing while a primary takes work, everything when none is healthy, and nothing again afterwards', async () => {
      const [primary, backup] = (await answering(2)) as [RequestEndpoint, RequestEndpoint];
      const healthCheck = { kind: 'tcp', interval: '100ms', timeout: '50ms', healthyAfter: 1, unhealthyAfter: 1 };
      const proxy = await proxyFor({
        endpoints: [addressOf(primary), addressOf(backup, { backup: true })],
        healthCheck,
      });
      for (let i = 0; i < 10; i++) expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
      expect(backup.requests).toHaveLength(0);
      expect(primary.requests).toHaveLength(10);

      await primary.close();
      // Even before the checker has noticed, no client sees it.
      for (let i = 0; i < 4; i++) expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
      await until('the primary is unhealthy', async () => (await endpointFacts(proxy))[0]?.healthy === false);
      expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
      expect(backup.requests).toHaveLength(5);

      const again = await startRequestEndpoint(ok(), primary.port);
      open.push(() => again.close());
      await until('the primary is healthy', async () => (await endpointFacts(proxy))[0]?.healthy === true);
      for (let i = 0; i < 4; i++) expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
      expect(again.requests).toHaveLength(4);
      expect(backup.requests).toHaveLength(5);
    });

    it('takes what the primaries have no room for', async () => {
      const [primary, backup] = (await holding(2)) as [HoldingEndpoint, HoldingEndpoint];
      const proxy = await proxyFor({
        endpoints: [addressOf(primary.endpoint, { maxConns: 2 }), addressOf(backup.endpoint, { backup: true })],
      });
      for (let count = 1; count <= 5; count++) {
        await begin(proxy);
        await until('the request is at an endpoint', () => primary.held + backup.held === count);
      }
      expect([primary.held, backup.held]).toEqual([2, 3]);
    });
  });
});
