/** Requests wait in one line over all workers for a place at an endpoint. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusFacts } from '../../harness/proxy-counts.js';
import { startProxy } from '../../harness/proxy-process.js';
import { ok, type SeenRequest, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

async function codeOf(answer: Response): Promise<string> {
  const { error } = (await answer.json()) as { error: string };
  return `${answer.status} ${error}`;
}

async function proxyFor(frontend: string, port: number, upstream: object = {}, route: object = {}) {
  return started(
    startProxy({
      workers: 2,
      listeners: [{ name: 'web', bind: '127.0.0.1:0', mode: 'l7', frontend, routes: [{ upstream: 'app', ...route }] }],
      upstreams: { app: { endpoints: [{ address: `127.0.0.1:${port}`, maxConns: 2 }], ...upstream } },
    }),
  );
}

describe.each(FRONT_ENDS)('requests above the cap of their endpoint (%s)', (frontend) => {
  it('wait, and are all served, never more than the cap at a time', async () => {
    let inFlight = 0;
    let most = 0;
    const endpoint = await started(
      startRequestEndpoint((request: SeenRequest) => {
        most = Math.max(most, ++inFlight);
        setTimeout(() => {
          inFlight -= 1;
          request.socket.write(ok());
        }, 10);
        return undefined;
      }),
    );
    const proxy = await proxyFor(frontend, endpoint.port);
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await fetch(`http://127.0.0.1:${proxy.port}/`)).status),
    );
    expect([new Set(statuses), most]).toEqual([new Set([200]), 2]);
  });

  // 20 bytes come with the head; more than is held comes while the request waits, and its client is read no further until it has its place.
  it.each([20, 300_000])('keep a body of %i bytes that comes while they wait', async (bytes) => {
    const bodies: number[] = [];
    const held: (() => void)[] = [];
    const endpoint = await started(
      startRequestEndpoint(({ method, body, socket }: SeenRequest) => {
        if (method === 'GET') held.push(() => void socket.write(ok()));
        else bodies.push(body.length);
        return method === 'GET' ? undefined : ok();
      }),
    );
    const proxy = await proxyFor(frontend, endpoint.port);
    const url = `http://127.0.0.1:${proxy.port}/`;
    const asked = [fetch(url), fetch(url)];
    await until('both places are taken', () => held.length === 2);
    const waiting = Array.from({ length: 4 }, () => fetch(url, { method: 'POST', body: 'b'.repeat(bytes) }));
    await until('all are there', async () => (await statusFacts(proxy)).totals.openExchanges === 6);
    for (const answer of held) answer();
    const statuses = await Promise.all([...asked, ...waiting].map(async (answer) => (await answer).status));
    expect([new Set(statuses), bodies]).toEqual([new Set([200]), Array(4).fill(bytes)]);
  });

  it('are answered with 503 when their time is over', async () => {
    const endpoint = await started(startRequestEndpoint(() => undefined));
    const proxy = await proxyFor(frontend, endpoint.port, { timeouts: { queue: '200ms', firstByte: '3s' } });
    const ask = () => fetch(`http://127.0.0.1:${proxy.port}/`);
    const held = [ask(), ask()];
    await until('both places are taken', () => endpoint.requests.length === 2);
    const late = await ask();
    expect([late.status, (await late.text()).includes('SLUICE_QUEUE_TIMEOUT')]).toEqual([503, true]);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    await Promise.all(held);
  });

  /** The only place is taken, and more can be asked behind it: one at a time, so that the order at the endpoint is that of the line. */
  async function startFull(upstream: object = {}) {
    const answers: (() => void)[] = [];
    const targets: string[] = [];
    const endpoint = await started(
      startRequestEndpoint(({ target, socket }: SeenRequest) => {
        targets.push(target);
        answers.push(() => void socket.write(ok()));
        return undefined;
      }),
    );
    const only = [{ address: `127.0.0.1:${endpoint.port}`, maxConns: 1 }];
    const proxy = await proxyFor(
      frontend,
      endpoint.port,
      { endpoints: only, timeouts: { queue: '1m' }, ...upstream },
      { priorityHeader: 'x-priority' },
    );
    const ask = (path: string, priority: number, signal?: AbortSignal): Promise<Response> =>
      fetch(`http://127.0.0.1:${proxy.port}${path}`, {
        headers: { 'x-priority': String(priority) },
        ...(signal === undefined ? {} : { signal }),
      });
    const held = ask('/held', 4);
    await until('the place is taken', () => answers.length === 1);
    /** Asks, and resolves when the request waits. @param count of requests that are open then */
    const queue = async (path: string, priority: number, count: number, signal?: AbortSignal) => {
      const answer = ask(path, priority, signal);
      answer.catch(() => undefined);
      await until('it waits', async () => (await statusFacts(proxy)).totals.openExchanges === count);
      return { answer };
    };
    /** Lets one request after the other go. */
    const serveAll = async (count: number): Promise<string[]> => {
      for (let served = 0; served < count; served++) {
        await until('the next one is at the endpoint', () => answers.length > 0);
        answers.shift()?.();
      }
      return targets.filter((target) => target !== '/held');
    };
    return { proxy, held, queue, ask, serveAll };
  }

  it('are served by priority, and first come first served within one', async () => {
    const { held, queue, serveAll } = await startFull();
    const answers: Promise<Response>[] = [];
    const waiting = ['/low-1', '/low-2', '/high-1', '/mid-1', '/high-2', '/mid-2'];
    for (const [index, path] of waiting.entries()) {
      const priority = path.startsWith('/low') ? 7 : path.startsWith('/mid') ? 4 : 0;
      answers.push((await queue(path, priority, 2 + index)).answer);
    }
    const served = await serveAll(1 + waiting.length);
    const statuses = await Promise.all([held, ...answers].map(async (answer) => (await answer).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(served).toEqual(['/high-1', '/high-2', '/mid-1', '/mid-2', '/low-1', '/low-2']);
  });

  it('are refused when the queue is full, or displace who is less important', async () => {
    const { held, queue, ask, serveAll } = await startFull({ queue: { length: 2 } });
    const first = await queue('/first', 5, 2);
    const second = await queue('/second', 5, 3);
    const refused = await ask('/third', 5);
    expect(await codeOf(refused)).toBe('503 SLUICE_QUEUE_FULL');
    const better = await queue('/better', 1, 3);
    const displaced = await second.answer;
    expect(await codeOf(displaced)).toBe('503 SLUICE_QUEUE_FULL');
    expect(await serveAll(3)).toEqual(['/better', '/first']);
    const statuses = await Promise.all(
      [held, first.answer, better.answer].map(async (answer) => (await answer).status),
    );
    expect(statuses).toEqual([200, 200, 200]);
  });

  it('leave the line with their client', async () => {
    const { proxy, held, queue, serveAll } = await startFull({ queue: { length: 1 } });
    const leaving = new AbortController();
    const left = await queue('/left', 4, 2, leaving.signal);
    leaving.abort();
    await expect(left.answer).rejects.toThrow();
    await until('it is out', async () => (await statusFacts(proxy)).totals.openExchanges === 1);
    const next = await queue('/next', 4, 2);
    expect(await serveAll(2)).toEqual(['/next']);
    expect((await next.answer).status).toBe(200);
    expect((await held).status).toBe(200);
  });
});
