/** Bodies on their way, in both directions, and what holds for the next request of a connection, while the configuration changes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf, valuesOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { badLines, configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { BY_SIGNAL_ONLY, reloadWith } from '../../harness/reloads.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { bodyPiece } from '../../harness/seeded-body.js';
import { until } from '../../harness/wire.js';
import { get, WireClient, withBody } from '../../harness/wire-client.js';

const started = endAfterEach();

const BODY_BYTES = 600_000;
/** What is on its way before the reload; more than all buffers hold comes after it. */
const FIRST_BYTES = 100_000;
const BODY = bodyPiece(7, 0, BODY_BYTES);
const [FIRST, REST] = [BODY.subarray(0, FIRST_BYTES), BODY.subarray(FIRST_BYTES)];

const chunked = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
const LAST_CHUNK = '0\r\n\r\n';

/** How a body is framed on the wire. */
const FRAMINGS = [
  { framing: 'a known length', field: `Content-Length: ${BODY_BYTES}`, first: FIRST, rest: REST },
  {
    framing: 'chunks',
    field: 'Transfer-Encoding: chunked',
    first: chunked(FIRST),
    rest: Buffer.concat([chunked(REST), Buffer.from(LAST_CHUNK)]),
  },
];

describe.each(FRONT_ENDS)('over a reload (%s)', (frontend) => {
  let proxy: ProxyProcess;
  let old: RequestEndpoint;
  let fresh: RequestEndpoint;
  const reload = (endpoint: RequestEndpoint, more: object = {}): Promise<unknown> =>
    reloadWith(proxy, configFor([endpoint.port], { frontend, ...more }));
  const connected = (): Promise<WireClient> => started(WireClient.open(proxy.port));

  beforeAll(async () => {
    old = await startRequestEndpoint();
    fresh = await startRequestEndpoint();
    proxy = await startProxy({ ...configFor([old.port], { frontend }), ...BY_SIGNAL_ONLY });
  });
  beforeEach(async () => {
    await reload(old, { route: { priority: 1 } });
    old.answerWith(ok('old'));
    fresh.answerWith(ok('fresh'));
  });
  afterAll(async () => {
    await proxy?.stop();
    await Promise.all([old?.close(), fresh?.close()]);
  });

  describe.each(FRAMINGS)('a body of $framing', ({ field, first, rest }) => {
    it('of a request goes on to the endpoint that it began at, by the limits that it began with', async () => {
      const client = await connected();
      client.send(`POST /up HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n`);
      client.send(first);
      const connections = old.connections.length;
      await until('the request on its way', async () => {
        const [endpoint] = (await proxy.admin<{ endpoints: { inFlight: number }[] }>('/api/v1/upstreams/app/endpoints'))
          .endpoints;
        return endpoint?.inFlight === 1;
      });
      await reload(fresh, { listener: { limits: { bodyBytes: '1KiB' } } });
      client.send(rest);
      const response = await client.response();
      expect([statusOf(response), response.body.toString()]).toEqual([200, 'old']);
      expect(old.requests.map(({ target }) => target)).toEqual(['/up']);
      expect(old.last.body.equals(BODY)).toBe(true);
      expect(old.connections.length - connections).toBeLessThanOrEqual(1);

      // On another connection: uWebSockets.js closes that of a chunked request (docs/frontend-uws.md).
      const next = await connected();
      next.send(withBody('POST', '/next', BODY.subarray(0, 2_000)));
      const refusal = await next.response();
      expect([statusOf(refusal), errorOf(refusal).error]).toEqual([413, 'SLUICE_BODY_TOO_LARGE']);
    });

    it('of a response comes whole, and the next one comes from where the new configuration says', async () => {
      const client = await connected();
      old.answerWith(({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
        socket.write(first);
        return undefined;
      });
      client.send(get('/down'));
      await client.has('the begin of the answer', (bytes) => bytes.length > FIRST_BYTES);
      await reload(fresh, { upstream: { timeouts: { idle: '50s' }, balance: 'least-conn' } });
      await reload(fresh, { upstream: { timeouts: { idle: '40s' } } });
      old.last.socket.write(rest);
      const response = await client.response();
      expect([statusOf(response), response.body.equals(BODY)]).toEqual([200, true]);
      client.send(get('/next'));
      expect((await client.response()).body.toString()).toBe('fresh');
      expect(old.requests).toHaveLength(1);
      await untilIdle(proxy);
    });
  });

  describe('for the next request of a kept connection count', () => {
    /** One that has been answered by the configuration before. */
    async function kept(): Promise<WireClient> {
      const client = await connected();
      client.send(get('/before', ['A: 1', 'B: 2', 'C: 3']));
      expect(statusOf(await client.response())).toBe(200);
      return client;
    }

    it.each([
      ['limits.headers', { headers: 3 }, get('/', ['A: 1', 'B: 2', 'C: 3']), 431, 'SLUICE_HEAD_TOO_LARGE'],
      ['limits.headBytes', { headBytes: '1KiB' }, get(`/${'p'.repeat(1_100)}`), 431, 'SLUICE_HEAD_TOO_LARGE'],
      ['limits.bodyBytes', { bodyBytes: '10B' }, withBody('POST', '/', 'eleven byte'), 413, 'SLUICE_BODY_TOO_LARGE'],
    ])('lower %s, and higher ones again', async (_what, limits, request, status, error) => {
      const [tight, wide] = [await kept(), await kept()];
      await reload(old, { listener: { limits } });
      tight.send(request);
      const refusal = await tight.response();
      expect([statusOf(refusal), errorOf(refusal).error]).toEqual([status, error]);
      await reload(old);
      wide.send(request);
      expect(statusOf(await wide.response())).toBe(200);
    });

    it('timeouts of the route, for a request that is on its way those that it began with', async () => {
      const [before, after] = [await kept(), await kept()];
      old.answerWith(() => undefined);
      before.send(get('/before'));
      await until('it is on its way', () => old.requests.length === 1);
      await reload(old, { route: { timeouts: { firstByte: '200ms' } }, upstream: { retry: { attempts: 1 } } });
      after.send(get('/after'));
      const late = await after.response();
      expect([statusOf(late), errorOf(late).error]).toEqual([504, 'SLUICE_FIRST_BYTE_TIMEOUT']);
      old.requests[0]?.socket.write(ok('at last'));
      expect((await before.response()).body.toString()).toBe('at last');
    });

    it.runIf(frontend === 'native')('limits.requestsPerConnection and timeouts.keepAlive', async () => {
      const [counted, idle] = [await kept(), await kept()];
      const listener = { limits: { requestsPerConnection: 3 }, timeouts: { keepAlive: '300ms' } };
      await reload(old, { listener });
      for (const expected of [[], ['close']]) {
        counted.send(get('/'));
        expect(valuesOf(await counted.response(), 'connection')).toEqual(expected);
      }
      await counted.ended();
      idle.send(get('/'));
      expect(statusOf(await idle.response())).toBe(200);
      const answeredAtMs = performance.now();
      await idle.ended();
      expect(performance.now() - answeredAtMs).toBeLessThan(5_000);
    });
  });

  it('nothing of this is logged as an error', () => {
    expect(badLines(proxy.log)).toEqual([]);
  });
});
