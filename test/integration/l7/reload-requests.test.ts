/** Requests and connections of l7 listeners while the configuration is read anew: nothing under way is touched, what comes next goes by it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf } from '../../harness/http-message.js';
import { badLines, configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { get, WireClient } from '../../harness/wire-client.js';

describe.each(FRONT_ENDS)('a reload with the front end %s', (frontend) => {
  let old: RequestEndpoint;
  let fresh: RequestEndpoint;
  const open: (() => unknown)[] = [];

  beforeAll(async () => {
    old = await startRequestEndpoint(ok('old'));
    fresh = await startRequestEndpoint(ok('fresh'));
  });
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
    old.answerWith(ok('old'));
  });
  afterAll(() => Promise.all([old.close(), fresh.close()]));

  async function started(config: object): Promise<ProxyProcess> {
    const proxy = await startProxy(config);
    open.push(() => proxy.stop());
    return proxy;
  }
  async function connected(proxy: ProxyProcess): Promise<WireClient> {
    const client = await WireClient.open(proxy.port);
    open.push(() => client.close());
    return client;
  }
  async function reload(proxy: ProxyProcess, config: object): Promise<void> {
    const reloads = proxy.log.filter(({ event }) => event === 'reloaded').length;
    proxy.reload(config);
    await expect
      .poll(() => proxy.log.filter(({ event }) => event === 'reloaded').length, { timeout: 5_000 })
      .toBeGreaterThan(reloads);
  }
  async function bodyOf(client: WireClient): Promise<string> {
    client.send(get());
    const response = await client.response();
    expect(statusOf(response)).toBe(200);
    return response.body.toString();
  }

  it('sends the next request of a connection where the new configuration says, again and again', async () => {
    const proxy = await started(configFor([old.port], { frontend }));
    const client = await connected(proxy);
    expect(await bodyOf(client)).toBe('old');
    for (const [endpoint, body] of [
      [fresh, 'fresh'],
      [old, 'old'],
      [fresh, 'fresh'],
    ] as const) {
      await reload(proxy, configFor([endpoint.port], { frontend }));
      expect(await bodyOf(client)).toBe(body);
    }
    expect(badLines(proxy.log)).toEqual([]);
  });

  it('lets a request end well on an endpoint that is gone, which gets nothing more', async () => {
    const proxy = await started(configFor([old.port], { frontend }));
    old.answerWith(() => undefined);
    const slow = await connected(proxy);
    slow.send(get());
    await expect.poll(() => old.requests.length).toBe(1);
    await reload(proxy, configFor([fresh.port], { frontend }));
    for (let request = 0; request < 4; request++) expect(await bodyOf(await connected(proxy))).toBe('fresh');
    old.requests[0]?.socket.write(ok('old'));
    expect((await slow.response()).body.toString()).toBe('old');
    expect(old.requests.length).toBe(1);
  });
});
