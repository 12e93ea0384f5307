/** What takes the place of the proxy's own errors on the wire. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, requestOnce, withBody } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const response = { status: 200, headers: { 'content-type': 'text/plain', 'x-from': 'fallback' }, body: 'be back soon' };

describe.each(FRONT_ENDS)('with the front end %s', (frontend) => {
  it('is another upstream, then a fixed response; answers of endpoints are left alone', async () => {
    const main = await startRequestEndpoint(({ socket }) => void socket.destroy());
    const spare = await startRequestEndpoint(({ body }) => ok(`spare ${body.length}`));
    open.push(
      () => main.close(),
      () => spare.close(),
    );
    const off = { healthCheck: 'off', outlier: 'off' };
    const proxy = await startProxy({
      workers: 1,
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          bind: '127.0.0.1:0',
          frontend,
          routes: [{ upstream: 'app', fallback: { upstream: 'spare', response } }],
        },
      ],
      upstreams: {
        app: { endpoints: [{ address: `127.0.0.1:${main.port}` }], ...off },
        spare: { endpoints: [{ address: `127.0.0.1:${spare.port}` }], ...off },
      },
    });
    open.push(() => proxy.stop());

    expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('spare 0');
    expect((await requestOnce(proxy.port, withBody('PUT', '/', 'held'))).body.toString()).toBe('spare 4');

    const posted = await requestOnce(proxy.port, withBody('POST', '/', 'once'));
    expect([statusOf(posted), posted.body.toString(), valuesOf(posted, 'x-from')]).toEqual([
      200,
      'be back soon',
      ['fallback'],
    ]);
    expect(spare.requests).toHaveLength(2);
    expect(await proxy.lineWhere(({ event }) => event === 'exchange-failed')).toMatchObject({
      code: 'SLUICE_ENDPOINT_RESET',
      status: 200,
    });

    main.answerWith('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nmine');
    expect((await requestOnce(proxy.port, get('/'))).body.toString()).toBe('mine');
    await untilIdle(proxy);
  });
});
