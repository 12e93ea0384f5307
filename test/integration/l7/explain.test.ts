/** X-Sluice-Explain: why an endpoint was picked, on answers of endpoints and of the proxy, where the listener says so. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { errorOf, statusOf, valuesOf, type WireMessage } from '../../harness/http-message.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startEndpoint, until } from '../../harness/wire.js';
import { get, requestOnce, WireClient } from '../../harness/wire-client.js';

/** A port that nobody listens at. */
async function refusingPort(): Promise<number> {
  const endpoint = await startEndpoint(() => {});
  await endpoint.close();
  return endpoint.port;
}

/** The explanation of a response; undefined: it has none. */
function explanationOf(response: WireMessage): string | undefined {
  const values = valuesOf(response, 'x-sluice-explain');
  expect(values.length).toBeLessThanOrEqual(1);
  return values[0];
}

describe.each(FRONT_ENDS)('with the front end %s and `explain: header`', (frontend) => {
  const held: (() => void)[] = [];
  let endpoint: RequestEndpoint;
  let other: RequestEndpoint;
  let refusing: number;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    [endpoint, other, refusing] = await Promise.all([startRequestEndpoint(), startRequestEndpoint(), refusingPort()]);
    const address = (port: number) => `127.0.0.1:${port}`;
    const listener = { mode: 'l7', bind: '127.0.0.1:0', frontend };
    const routes = ['two', 'capped', 'dead', 'retried'].map((name) => ({
      match: { path: `/${name}` },
      upstream: name,
    }));
    const endpoints = [{ address: address(endpoint.port), weight: 2 }, { address: address(other.port) }];
    proxy = await startProxy({
      ...configFor([endpoint.port]),
      workers: 1,
      listeners: [
        { ...listener, name: 'explaining', explain: 'header', routes },
        { ...listener, name: 'silent', routes },
      ],
      upstreams: {
        two: { balance: 'least-conn', endpoints },
        capped: { queue: 'off', endpoints: [{ address: address(endpoint.port), maxConns: 1 }] },
        dead: { endpoints: [{ address: address(refusing) }] },
        retried: { endpoints: [{ address: address(refusing) }, { address: address(other.port) }] },
      },
    });
  });

  afterEach(() => {
    for (const answer of held.splice(0)) answer();
    endpoint.answerWith(ok());
  });

  afterAll(async () => {
    await proxy.stop();
    await Promise.all([endpoint.close(), other.close()]);
  });

  it('tells with the answer of an endpoint what it was picked for', async () => {
    const client = await WireClient.open(proxy.port);
    client.send(get('/two'));
    const first = await client.response();
    expect(statusOf(first)).toBe(200);
    expect(explanationOf(first)).toBe(
      `picked=127.0.0.1:${endpoint.port} why=lowest-score-and-turn attempt=1 upstream=two balance=least-conn; ` +
        `127.0.0.1:${endpoint.port} score=0 in-flight=0 weight=2; 127.0.0.1:${other.port} score=0 in-flight=0 weight=1`,
    );
    // Nothing of it is left for the next exchange of the connection.
    client.send(get('/two'));
    expect(explanationOf(await client.response())).toMatch(/^picked=\S+ why=\S+ attempt=1 [^|]*$/);
    client.close();
  });

  it('tells with the 503 of the proxy why nobody was eligible', async () => {
    endpoint.answerWith(({ socket }) => {
      held.push(() => socket.write(ok()));
      return undefined;
    });
    const waiting = requestOnce(proxy.port, get('/capped'));
    await until('the only place is taken', () => held.length === 1);
    const refused = await requestOnce(proxy.port, get('/capped'));
    expect(statusOf(refused)).toBe(503);
    expect(errorOf(refused).error).toBe('SLUICE_ENDPOINTS_FULL');
    expect(explanationOf(refused)).toBe(
      'picked=none why=nobody-eligible attempt=1 upstream=capped balance=round-robin; ' +
        `127.0.0.1:${endpoint.port} out=full in-flight=1 cap=1 weight=1`,
    );
    for (const answer of held.splice(0)) answer();
    expect(explanationOf(await waiting)).toContain(' why=turn attempt=1 ');
  });

  it('tells with the 502 of the proxy which endpoint failed', async () => {
    const failed = await requestOnce(proxy.port, get('/dead'));
    expect(statusOf(failed)).toBe(502);
    expect(explanationOf(failed)).toBe(
      `picked=127.0.0.1:${refusing} why=turn attempt=1 upstream=dead balance=round-robin; ` +
        `127.0.0.1:${refusing} in-flight=0 weight=1`,
    );
  });

  it('tells of each attempt', async () => {
    const explanations: (string | undefined)[] = [];
    for (let request = 0; request < 2; request++) {
      const response = await requestOnce(proxy.port, get('/retried'));
      expect(statusOf(response)).toBe(200);
      explanations.push(explanationOf(response));
    }
    // One of two turns begins with the endpoint that refuses.
    expect(explanations).toContain(
      `picked=127.0.0.1:${refusing} why=turn attempt=1 upstream=retried balance=round-robin; ` +
        `127.0.0.1:${refusing} in-flight=0 weight=1; 127.0.0.1:${other.port} in-flight=0 weight=1 | ` +
        `picked=127.0.0.1:${other.port} why=turn attempt=2 upstream=retried balance=round-robin; ` +
        `127.0.0.1:${other.port} in-flight=0 weight=1; 127.0.0.1:${refusing} out=tried in-flight=0 weight=1`,
    );
  });

  it('tells nothing of a request that has no route', async () => {
    expect(explanationOf(await requestOnce(proxy.port, get('/nowhere')))).toBeUndefined();
  });

  it('tells nothing at a listener that does not say so', async () => {
    const { port } = await proxy.lineWhere(({ event, listener }) => event === 'listening' && listener === 'silent');
    for (const path of ['/two', '/dead'])
      expect(explanationOf(await requestOnce(Number(port), get(path)))).toBeUndefined();
  });
});
