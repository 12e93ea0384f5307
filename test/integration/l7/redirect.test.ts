/** The redirect to https on the wire: of a listener that needs no routes for it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

describe.each(FRONT_ENDS)('a listener with the front end %s that redirects', (frontend) => {
  let endpoint: RequestEndpoint;
  let proxy: ProxyProcess;
  const directory = mkdtempSync(join(tmpdir(), 'sluice-redirect-'));
  const file = join(directory, 'access.log');

  beforeAll(async () => {
    endpoint = await startRequestEndpoint();
    proxy = await startProxy(
      configFor([endpoint.port], {
        frontend,
        listener: { redirectToHttps: 8443, routes: undefined, explain: 'header' },
        accessLog: { file, format: 'json', fields: ['path', 'status'] },
      }),
    );
  });

  afterAll(async () => {
    await proxy.stop();
    await endpoint.close();
    rmSync(directory, { recursive: true });
  });

  it('sends each request to the same URL with https, and asks no endpoint', async () => {
    const client = await WireClient.open(proxy.port);
    for (const host of ['a.test', 'A.Test:8080', '[::1]:99']) {
      client.send(`GET /x%2f//y?z=1 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const response = await client.response();
      expect(statusOf(response)).toBe(308);
      expect(valuesOf(response, 'location')).toEqual([`https://${host.replace(/:\d+$/, '')}:8443/x%2f//y?z=1`]);
      // Over plain connections it means nothing (RFC 6797 section 7.2).
      expect(valuesOf(response, 'strict-transport-security')).toEqual([]);
      expect(response.body.length).toBe(0);
    }
    client.close();
    expect(endpoint.requests).toEqual([]);
  });

  it('does so for POST, whose body nobody wants', async () => {
    const response = await requestOnce(
      proxy.port,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody',
    );
    expect(statusOf(response)).toBe(308);
  });

  // uWebSockets.js closes the connection of HTTP/1.0, whatever it asks for.
  it.skipIf(frontend === 'uws')('refuses a request without a host', async () => {
    const response = await requestOnce(proxy.port, 'GET / HTTP/1.0\r\n\r\n');
    expect(statusOf(response)).toBe(400);
  });

  it('counts and logs its answers', async () => {
    await requestOnce(proxy.port, get('/logged', ['Connection: close']));
    await until('the line', () => readFileSync(file, 'utf8').includes('/logged'));
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line)).find(({ path }) => path === '/logged').status).toBe(308);
  });
});
