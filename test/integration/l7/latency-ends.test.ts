/** Up to where least-time measures a response, first byte or last, as endpoints see it by what they get. */
import { afterEach, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, WireClient } from '../../harness/wire-client.js';

const REQUESTS = 6;
/** Far apart, for a machine that is busy otherwise. */
const WHOLE_AFTER_MS = 75;
const BODY_AFTER_MS = 200;

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function endpointThat(answers: (write: (bytes: string) => void) => void): Promise<RequestEndpoint> {
  const endpoint = await startRequestEndpoint();
  open.push(() => endpoint.close());
  endpoint.answerWith(({ socket }) => {
    answers((bytes) => void (socket.destroyed || socket.write(bytes)));
    return undefined;
  });
  return endpoint;
}

/** One answers its head at once and its body slowly, the other one all of it after a while. */
async function endpoints(): Promise<{ slowBody: RequestEndpoint; slowHead: RequestEndpoint }> {
  const slowBody = await endpointThat((write) => {
    write(HEAD);
    setTimeout(() => write('ok'), BODY_AFTER_MS);
  });
  const slowHead = await endpointThat((write) => setTimeout(() => write(ok()), WHOLE_AFTER_MS));
  return { slowBody, slowHead };
}

/** One after the other. */
async function sendRequests(proxy: ProxyProcess): Promise<void> {
  const client = await WireClient.open(proxy.port);
  open.push(() => client.close());
  for (let request = 0; request < REQUESTS; request++) {
    client.send(get('/'));
    expect(statusOf(await client.response())).toBe(200);
  }
}

describe.each(FRONT_ENDS)('least-time with the front end %s', (frontend) => {
  it.each([
    ['last-byte', 'slowHead', 'slowBody'],
    ['first-byte', 'slowBody', 'slowHead'],
  ] as const)(
    'that measures up to the %s gives the endpoint with the %s most, that with the %s a try',
    async (latencyOf, most, few) => {
      const both = await endpoints();
      const addresses = [both.slowBody, both.slowHead].map(({ port }) => ({ address: `127.0.0.1:${port}` }));
      const upstream = { balance: 'least-time', latencyOf, endpoints: addresses };
      const proxy = await startProxy(configFor([], { frontend, workers: 1, upstream }));
      open.push(() => proxy.stop());
      await sendRequests(proxy);
      expect(both[few].requests.length).toBeLessThanOrEqual(2);
      expect(both[most].requests.length).toBe(REQUESTS - both[few].requests.length);
    },
  );
});
