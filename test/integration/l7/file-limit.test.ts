/** Out of file descriptors: accepting waits, who is connected is served, nothing spins, and it all goes on by itself. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf } from '../../harness/http-message.js';
import { openFiles, processorTimeMs } from '../../harness/process-facts.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const FILES = 300;
/** What a process is started through, so that it may open no more. */
const LIMITED = ['sh', '-c', `ulimit -n ${FILES} && exec "$0" "$@"`];

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  async function startLimited(
    answer: Parameters<typeof startRequestEndpoint>[0],
  ): Promise<{ proxy: ProxyProcess; pid: number; endpoint: Awaited<ReturnType<typeof startRequestEndpoint>> }> {
    const endpoint = await startRequestEndpoint(answer);
    open.push(() => endpoint.close());
    const proxy = await startProxy(configFor([endpoint.port], { frontend }), { wrap: LIMITED });
    open.push(() => proxy.stop());
    return { proxy, pid: proxy.child.pid as number, endpoint };
  }

  /** @param burst so many at once; the gate looks about every 50 ms and cannot stop what comes between two looks */
  async function connectMany(proxy: ProxyProcess, count: number, burst = 10): Promise<WireClient[]> {
    const clients: WireClient[] = [];
    while (clients.length < count) {
      if (clients.length > 0 && burst < count) await new Promise((resolve) => setTimeout(resolve, 55));
      const wave = Array.from({ length: Math.min(burst, count - clients.length) }, () => WireClient.open(proxy.port));
      clients.push(...(await Promise.all(wave)));
    }
    open.push(() => {
      for (const client of clients) client.close();
    });
    return clients;
  }

  describe('a process with fewer file descriptors than clients', () => {
    it('warns once, does not spin, serves who is connected, and accepts the others when there is room', async () => {
      const { proxy, pid } = await startLimited(ok());
      const clients = await connectMany(proxy, 400);
      await proxy.lineWhere(({ event }) => event === 'accepting-paused');
      expect(openFiles(pid)).toBeLessThan(FILES);

      // One after the other: each needs a connection to the endpoint, of which the gate has kept some back.
      const served: WireClient[] = [];
      for (const client of clients) {
        client.send(get('/'));
        const isServed = await client
          .has('ok', (rest) => rest.includes('\r\n\r\nok'), 500)
          .then(
            () => true,
            () => false,
          );
        if (!isServed) break;
        served.push(client);
      }
      expect(served.length).toBeGreaterThan(50);
      expect(served.length).toBeLessThan(FILES);

      const usedBefore = processorTimeMs(pid);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(processorTimeMs(pid) - usedBefore).toBeLessThan(500);

      // Who is connected goes on being served.
      const connected = served[0] as WireClient;
      expect(statusOf(await connected.response())).toBe(200);
      connected.send(get('/again'));
      expect(statusOf(await connected.response())).toBe(200);

      // As connections are closed, those that wait get their turn, to the last one. All their requests at once may need more
      // connections to the endpoint than there are: some are told so.
      const waiting = clients.slice(served.length);
      for (const client of waiting.slice(1)) client.send(get('/'));
      for (const client of served) client.close();
      const answered = new Set<WireClient>();
      await until(
        'the last of them is answered',
        () => {
          for (const client of waiting) {
            if (!/\r\n\r\n(?:ok|\{"error":"SLUICE_FILE_LIMIT")/.test(client.rest)) continue;
            answered.add(client);
            client.close();
          }
          return answered.size === waiting.length;
        },
        8_000,
      );
      expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
      await untilIdle(proxy);
      expect(proxy.log.filter(({ event }) => event === 'accepting-paused')).toHaveLength(1);
    });

    it('answers 503 SLUICE_FILE_LIMIT when a burst of requests needs more connections to endpoints than there are', async () => {
      const { proxy, endpoint } = await startLimited(() => undefined);
      // As many as the gate lets in, and more than can have an endpoint's connection each.
      const clients = await connectMany(proxy, 136);
      // Idle connections need nothing upstream; all requests at once need as many again.
      await new Promise((resolve) => setTimeout(resolve, 200));
      for (const client of clients) client.send(get('/'));
      const answers = clients.map((client) => client.response());
      const refused = await Promise.race(answers);
      expect(statusOf(refused)).toBe(503);
      expect(errorOf(refused).error).toBe('SLUICE_FILE_LIMIT');
      await proxy.lineWhere(({ code, event }) => code === 'SLUICE_FILE_LIMIT' && event === 'exchange-failed');
      for (const { socket } of endpoint.requests) socket.write(ok());
      endpoint.answerWith(ok());
      await Promise.all(answers);
      for (const client of clients) client.close();
      await untilIdle(proxy);
      expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
    });
  });
});
