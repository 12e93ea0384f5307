/** A worker that fails under load: its own connections are lost and no others, every count is right afterwards, and it is soon back. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { type Fault, type FaultyProxy, startFaultyProxy } from '../../harness/faulty-workers.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { configFor } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, WireClient } from '../../harness/wire-client.js';

const started = endAfterEach();

const WORKERS = 3;
/** Clients with a request that the endpoint holds, and as many that ask again and again. */
const CLIENTS = 24;
/** The worker that fails. */
const FAULTY = 1;
/** What an outage may take; more on a machine that is so busy that the process took long for its own start. */
const MOST_OUTAGE_MS = 1_000;
const MOST_STARTS = 2;

interface Status {
  readonly workers: readonly { readonly restarts: number; readonly openExchanges: number }[];
  readonly totals: { readonly openExchanges: number };
}

const statusOfProxy = (proxy: FaultyProxy): Promise<Status> => proxy.admin<Status>('/api/v1/status');

async function inFlight(proxy: FaultyProxy): Promise<number> {
  const view = await proxy.admin<{ endpoints: { inFlight: number }[] }>('/api/v1/upstreams/app/endpoints');
  return view.endpoints[0]?.inFlight as number;
}

/** Holds what asks for /hold until `release`, and answers everything else. */
async function startHoldingEndpoint() {
  const answers: (() => void)[] = [];
  const endpoint = await startRequestEndpoint(({ target, socket }) => {
    if (target !== '/hold') return ok();
    const answer = (): void => void (socket.writable && socket.write(ok('held')));
    answers.push(answer);
    socket.once('close', () => answers.splice(answers.indexOf(answer), answers.includes(answer) ? 1 : 0));
    return undefined;
  });
  return {
    port: endpoint.port,
    close: () => endpoint.close(),
    held: () => answers.length,
    release: () => {
      for (const answer of answers.splice(0)) answer();
    },
  };
}

/** Asks on one connection until it is over. @returns how the connection stood then; throws at any answer but 200 */
async function keepAsking(client: WireClient, isOver: () => boolean): Promise<'open' | 'lost'> {
  while (!isOver()) {
    client.send(get('/'));
    const response = await client.response().catch((error: unknown) => {
      if (client.ending === 'open') throw error;
    });
    if (response === undefined) return 'lost';
    if (statusOf(response) !== 200) throw new Error(`status ${statusOf(response)}`);
  }
  return 'open';
}

/** Sends a request to be held. @returns its status; 0: the connection was lost */
async function hold(client: WireClient): Promise<number> {
  client.send(get('/hold'));
  return client.response().then(statusOf, (error: unknown) => {
    if (client.ending === 'open') throw error;
    return 0;
  });
}

function openClients(port: number, count = CLIENTS): Promise<WireClient[]> {
  return Promise.all(Array.from({ length: count }, () => started(WireClient.open(port))));
}

/** Time from the last sign of the thread that failed to its successor's first connection, as the log has it. */
function outageMs(proxy: FaultyProxy): number {
  const at = (wanted: string): number =>
    Date.parse(String(proxy.log.find(({ event, worker }) => event === wanted && worker === FAULTY)?.['time']));
  return at('worker-serving') - at('worker-error');
}

async function startUnderFire(frontend: (typeof FRONT_ENDS)[number], nodeFlags: readonly string[] = []) {
  const endpoint = await started(startHoldingEndpoint());
  // Room for all who hold and all who ask, and for nobody else.
  const upstream = { endpoints: [{ address: `127.0.0.1:${endpoint.port}`, maxConns: 2 * CLIENTS }] };
  const beganAtMs = performance.now();
  const proxy = await started(startFaultyProxy(configFor([], { frontend, upstream, workers: WORKERS }), nodeFlags));
  await proxy.lineWhere(({ event }) => event === 'ready');
  return { endpoint, proxy, startMs: performance.now() - beganAtMs };
}

const cases = FRONT_ENDS.flatMap((frontend) =>
  (['abort', 'exhaust'] as const).map((fault) => [frontend, fault] as const),
);

describe('a worker that fails under load', () => {
  it.each<readonly [(typeof FRONT_ENDS)[number], Fault]>(cases)(
    'loses its own connections and no others, and is soon back (%s, %s)',
    async (frontend, fault) => {
      const nodeFlags = fault === 'exhaust' ? ['--max-old-space-size=48'] : [];
      const { endpoint, proxy, startMs } = await startUnderFire(frontend, nodeFlags);
      const holders = await openClients(proxy.port);
      const held = holders.map(hold);
      await until('all are held', () => endpoint.held() === CLIENTS);
      await until('all are told of', async () => (await statusOfProxy(proxy)).totals.openExchanges === CLIENTS);
      const lost = (await statusOfProxy(proxy)).workers[FAULTY]?.openExchanges as number;
      expect(lost).toBeGreaterThan(0);
      let isOver = false;
      const askers = await openClients(proxy.port);
      const asked = askers.map((client) => keepAsking(client, () => isOver));

      proxy.fail(FAULTY, fault);
      await proxy.lineWhere(({ event, worker }) => event === 'worker-serving' && worker === FAULTY);
      await until('its clients know', () => holders.filter(({ ending }) => ending !== 'open').length === lost);

      // What it held is given back, exactly: as many as it had can be held again, and not one more.
      isOver = true;
      const survived = (await Promise.all(asked)).filter((how) => how === 'open').length;
      expect(survived).toBeGreaterThan(0);
      await until('the right count', async () => (await inFlight(proxy)) === CLIENTS - lost);
      const later = await openClients(proxy.port, CLIENTS + lost);
      held.push(...later.map(hold));
      await until('all places are taken', () => endpoint.held() === 2 * CLIENTS);
      const [tooMany] = await openClients(proxy.port, 1);
      tooMany?.send(get('/'));
      expect(statusOf(await (tooMany as WireClient).response())).toBe(503);

      endpoint.release();
      const statuses = await Promise.all(held);
      expect(statuses.filter((status) => status === 200)).toHaveLength(2 * CLIENTS);
      expect(statuses.filter((status) => status === 0)).toHaveLength(lost);
      await until('nothing in flight', async () => (await inFlight(proxy)) === 0);
      await until('nothing open', async () => (await statusOfProxy(proxy)).totals.openExchanges === 0);
      expect((await statusOfProxy(proxy)).workers.map(({ restarts }) => restarts)).toEqual([0, 1, 0]);
      expect(outageMs(proxy)).toBeLessThan(Math.max(MOST_OUTAGE_MS, MOST_STARTS * startMs));
      expect(await proxy.stop()).toBe(0);
    },
    30_000,
  );
});
