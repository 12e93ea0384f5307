/** Clients that send slowly say nothing of their endpoint: neither while they send nor by the sample that comes of it. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

const started = endAfterEach();
const REQUESTS = 20;
/** Above this the slow endpoint is better by least-time; well below what the client takes. */
const SLOW_MS = 60;
const BODY_MS = 1_200;

describe.each(FRONT_ENDS)('a client that sends its body slowly, with the front end %s', (frontend) => {
  it('leaves the share of its endpoint as it is', async () => {
    const fast = await started(startRequestEndpoint(ok()));
    const slow = await started(
      startRequestEndpoint((request) => {
        setTimeout(() => request.socket.write(ok()), SLOW_MS);
        return undefined;
      }),
    );
    const upstream = { balance: 'least-time' };
    const proxy = await started(startProxy(configFor([fast.port, slow.port], { frontend, workers: 1, upstream })));
    const askAll = async (): Promise<number> => {
      const before = fast.requests.length;
      for (let i = 0; i < REQUESTS; i++) expect(statusOf(await requestOnce(proxy.port, get('/')))).toBe(200);
      return fast.requests.length - before;
    };
    await askAll();
    expect(await askAll()).toBeGreaterThan(REQUESTS - 5);

    const client = await WireClient.open(proxy.port);
    const sentAt = performance.now();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab');
    await until('the client has been slow', () => performance.now() - sentAt > BODY_MS);
    expect(await askAll()).toBeGreaterThan(REQUESTS - 5);

    client.send('cd');
    expect(statusOf(await client.response())).toBe(200);
    client.close();
    expect(await askAll()).toBeGreaterThan(REQUESTS - 5);
  });
});
