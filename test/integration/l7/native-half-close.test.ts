/** Clients of the native front end that have finished sending: they get their answer, where one can be given. */
import { afterEach, describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, WireClient, withBody } from '../../harness/wire-client.js';

const started = endAfterEach();

let proxy: ProxyProcess;

afterEach(() => untilIdle(proxy));

/** An endpoint that holds its requests, and a client in front of it. */
async function holding(): Promise<{ endpoint: RequestEndpoint; client: WireClient }> {
  const endpoint = await started(startRequestEndpoint(() => undefined));
  proxy = await started(startProxy(configFor([endpoint.port], { frontend: 'native', workers: 1 })));
  return { endpoint, client: await started(WireClient.open(proxy.port)) };
}

describe('a client that has half-closed', () => {
  it.each([
    ['a GET', get('/')],
    ['a POST', withBody('POST', '/', 'all of it')],
  ])('behind %s gets its answer, and then the end', async (_, request) => {
    const { endpoint, client } = await holding();
    client.send(request);
    client.socket.end();
    await until('the request is at the endpoint', () => endpoint.requests.length === 1);
    endpoint.last.socket.write(ok('late'));
    const response = await client.response();
    expect([statusOf(response), response.body.toString()]).toEqual([200, 'late']);
    expect(await client.ended()).toBe('closed');
  });

  it('behind several requests gets all their answers in order', async () => {
    const { endpoint, client } = await holding();
    client.send(get('/1') + get('/2') + get('/3'));
    client.socket.end();
    for (const target of ['/1', '/2', '/3']) {
      await until(`${target} is at the endpoint`, () => endpoint.requests.at(-1)?.target === target);
      endpoint.last.socket.write(ok(target));
      expect((await client.response()).body.toString()).toBe(target);
    }
    expect(await client.ended()).toBe('closed');
  });

  it('gets a large answer whole', async () => {
    const { endpoint, client } = await holding();
    endpoint.answerWith(ok('x'.repeat(2_000_000)));
    client.send(get('/'));
    client.socket.end();
    expect((await client.response()).body.length).toBe(2_000_000);
    expect(await client.ended()).toBe('closed');
  });

  it('inside its head gets nothing, and nothing is open', async () => {
    const { endpoint, client } = await holding();
    client.send('GET / HTTP/1.1\r\nHost: a.te');
    client.socket.end();
    await client.ended();
    expect([client.rest, endpoint.requests.length]).toEqual(['', 0]);
  });

  it('and is gone when its answer comes leaves nothing open', async () => {
    const { endpoint, client } = await holding();
    client.send(get('/'));
    await until('the request is at the endpoint', () => endpoint.requests.length === 1);
    client.socket.destroy();
    // Enough of it that the reset comes back before all has been taken.
    endpoint.last.socket.write(ok('x'.repeat(16_000_000)));
  });
});

describe('a client that asks for nothing more', () => {
  it('behind its answer closes without a word in the log', async () => {
    const { endpoint, client } = await holding();
    endpoint.answerWith(ok());
    client.send(get('/'));
    expect(valuesOf(await client.response(), 'connection')).toEqual([]);
    client.socket.end();
    expect(await client.ended()).toBe('closed');
    expect(proxy.log.filter(({ event }) => event === 'exchange-failed')).toEqual([]);
  });
});
