/** Requests that are tried again on the wire: which, where, how often, and what the client gets in the end. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { statusFacts, untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type Answer, ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, WireClient, withBody } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function endpointOf(answer: Answer | string): Promise<RequestEndpoint> {
  const endpoint = await startRequestEndpoint(answer);
  open.push(() => endpoint.close());
  return endpoint;
}

/** Takes the request, and breaks the connection off. */
const breaksOff: Answer = ({ socket }) => void socket.destroy();
const silent: Answer = () => undefined;
const unavailable = (lines: readonly string[] = [], body = 'not now'): string =>
  `HTTP/1.1 503 Service Unavailable\r\n${[`Content-Length: ${body.length}`, ...lines].join('\r\n')}\r\n\r\n${body}`;

const HELD_BYTES = 64 * 1024;

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  /** Endpoints are asked in the order of the ports. */
  async function proxyFor(
    endpoints: readonly RequestEndpoint[],
    more: { retry?: object; upstream?: object; route?: object; workers?: number } = {},
  ): Promise<ProxyProcess> {
    const { retry, upstream, route, workers = 1 } = more;
    const proxy = await startProxy(
      configFor(
        endpoints.map(({ port }) => port),
        {
          frontend,
          workers,
          upstream: {
            balance: 'first',
            healthCheck: 'off',
            outlier: 'off',
            retry: { backoff: { base: 'off' }, ...retry },
            ...upstream,
          },
          ...(route === undefined ? {} : { route }),
        },
      ),
    );
    open.push(() => proxy.stop());
    return proxy;
  }

  it('sends what was sent and failed elsewhere where that is safe, and carries a POST out exactly once', async () => {
    const bad = await endpointOf(breaksOff);
    const good = await endpointOf(({ body }) => ok(`got ${body.length}`));
    const proxy = await proxyFor([bad, good]);
    expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
    expect([bad.requests.length, good.requests.length]).toEqual([1, 1]);

    const posted = await requestOnce(proxy.port, withBody('POST', '/', 'once'));
    expect([statusOf(posted), errorOf(posted).error]).toEqual([502, 'SLUICE_ENDPOINT_RESET']);
    expect([bad.requests.length, good.requests.length]).toEqual([2, 1]);

    const withKey = await requestOnce(proxy.port, withBody('POST', '/', 'safe', ['Idempotency-Key: 8e03978e']));
    expect([statusOf(withKey), withKey.body.toString()]).toEqual([200, 'got 4']);
    expect(good.last.body.toString()).toBe('safe');
    await untilIdle(proxy);
  });

  it('sends a body of 64 KiB again, byte for byte, and no longer one', async () => {
    const bad = await endpointOf(breaksOff);
    const good = await endpointOf(({ body }) => ok(`got ${body.length}`));
    const proxy = await proxyFor([bad, good]);
    const body = Buffer.from(Array.from({ length: HELD_BYTES }, (_, index) => index % 251));
    const held = await requestOnce(proxy.port, withBody('PUT', '/', body));
    expect([statusOf(held), held.body.toString()]).toEqual([200, `got ${HELD_BYTES}`]);
    expect(good.last.body.equals(body)).toBe(true);
    const longer = await requestOnce(proxy.port, withBody('PUT', '/', Buffer.concat([body, Buffer.alloc(1025)])));
    expect([statusOf(longer), errorOf(longer).error]).toEqual([502, 'SLUICE_ENDPOINT_RESET']);
    expect(good.requests).toHaveLength(1);
    await untilIdle(proxy);
  });

  it('drops an answer for that of another endpoint, and passes the last one on as it is', async () => {
    const bad = await endpointOf(unavailable());
    const good = await endpointOf(ok('good'));
    const proxy = await proxyFor([bad, good], { retry: { statuses: [503], backoff: { base: '20ms' } } });
    const client = await WireClient.open(proxy.port);
    client.send(get('/'));
    expect((await client.response()).body.toString()).toBe('good');
    expect([bad.requests.length, good.requests.length]).toEqual([1, 1]);
    good.answerWith(unavailable(['X-Reason: mine'], 'the second'));
    client.send(get('/'));
    const last = await client.response();
    expect([statusOf(last), last.body.toString(), valuesOf(last, 'x-reason')]).toEqual([503, 'the second', ['mine']]);
    client.send(withBody('POST', '/', 'once'));
    expect((await client.response()).body.toString()).toBe('not now');
    expect([bad.requests.length, good.requests.length]).toEqual([3, 1]);
    client.close();
    await untilIdle(proxy);
  });

  it('comes back to the only endpoint after its Retry-After', async () => {
    let answers = 0;
    const endpoint = await endpointOf(() => (answers++ === 0 ? unavailable(['Retry-After: 1']) : ok('back')));
    const proxy = await proxyFor([endpoint], { retry: { statuses: [503] } });
    const startedAt = performance.now();
    expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('back');
    expect(performance.now() - startedAt).toBeGreaterThan(990);
  });

  it('gives an attempt its own time, and all of them that of the route', async () => {
    const slow = await endpointOf(silent);
    const good = await endpointOf(ok('good'));
    const proxy = await proxyFor([slow, good], {
      retry: { attempts: 3 },
      upstream: { timeouts: { attempt: '150ms' } },
      route: { timeouts: { exchange: '500ms' } },
    });
    expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('good');
    expect(slow.requests).toHaveLength(1);
    good.answerWith(silent);
    const startedAt = performance.now();
    expect(errorOf(await requestOnce(proxy.port, get('/'))).error).toBe('SLUICE_ATTEMPT_TIMEOUT');
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(290);
    await untilIdle(proxy);
  });

  it('stops at the deadline of the route, however many attempts are left', async () => {
    const slow = await Promise.all([endpointOf(silent), endpointOf(silent), endpointOf(silent)]);
    const proxy = await proxyFor(slow, {
      retry: { attempts: 3 },
      upstream: { timeouts: { attempt: '200ms' } },
      route: { timeouts: { exchange: '300ms' } },
    });
    const startedAt = performance.now();
    expect(errorOf(await requestOnce(proxy.port, get('/'))).error).toBe('SLUICE_EXCHANGE_TIMEOUT');
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(slow.map(({ requests }) => requests.length)).toEqual([1, 1, 0]);
    await untilIdle(proxy);
  });

  it('keeps retries of two workers within one budget, and passes failures on behind it', async () => {
    const bad = await endpointOf(breaksOff);
    const good = await endpointOf(ok('good'));
    const proxy = await proxyFor([bad, good], { workers: 2, retry: { budget: { share: '0%', perSecond: 1 } } });
    const answers: number[] = [];
    for (let round = 0; round < 30; round++) answers.push(statusOf(await requestOnce(proxy.port, get('/'))));
    expect(answers.filter((status) => status === 200)).toHaveLength(10);
    expect(answers.filter((status) => status === 502)).toHaveLength(20);
    expect(good.requests).toHaveLength(10);
    expect((await statusFacts(proxy)).totals.attempts).toBe(40);
    await proxy.lineWhere(({ event, upstream }) => event === 'retry-budget-spent' && upstream === 'app');
  });
});
