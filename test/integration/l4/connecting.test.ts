/** Connecting to endpoints: one that refuses or does not answer is passed over before the client sees anything. */
import { describe, expect, it } from 'vitest';
import { type BlockedEndpoint, startBlockedEndpoint } from '../../harness/blocked-endpoint.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { echo, greetAs, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionFailures, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';

const started = endAfterEach();

/** A port of 127.0.0.1 where nobody listens. */
async function refusingPort(): Promise<number> {
  const endpoint = await startSessionEndpoint();
  await endpoint.close();
  return endpoint.port;
}

/** Says something on a connection of its own. @returns what the endpoint called itself */
async function greetingOf(port: number): Promise<string> {
  const client = await started(SocketPeer.open(port));
  await client.when('a greeting', () => client.text.endsWith('\n') || client.ending !== 'open');
  client.end();
  return client.text.trim();
}

describe('an endpoint that refuses connections', () => {
  it('is passed over, and the client sees nothing of it', async () => {
    const endpoint = await started(startSessionEndpoint(greetAs('good')));
    const proxy = await started(startSessionProxy([await refusingPort(), endpoint.port]));
    const names = await Promise.all(Array.from({ length: 20 }, () => greetingOf(proxy.port)));
    expect(names).toEqual(Array(20).fill('good'));
    await proxy.lineWhere(({ event, code }) => event === 'attempt-failed' && code === 'SLUICE_CONNECT_REFUSED');
    await untilNoSessions(proxy);
  });

  it('loses nothing of what the client sent before an endpoint was found', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([await refusingPort(), endpoint.port]));
    const sent = 'early '.repeat(10_000);
    for (let round = 0; round < 4; round++) {
      const client = await started(SocketPeer.open(proxy.port));
      client.send(sent);
      client.end();
      expect(await client.ended()).toBe('ended');
      expect(client.text).toBe(sent);
    }
  });

  it('sends sessions to the backup when all others refuse', async () => {
    const backup = await started(startSessionEndpoint(greetAs('backup')));
    const endpoints = [await refusingPort(), { address: `127.0.0.1:${backup.port}`, backup: true }];
    const proxy = await started(startSessionProxy(endpoints));
    expect(await greetingOf(proxy.port)).toBe('backup');
  });
});

describe('a client for which no endpoint can be found', () => {
  it('is reset when every endpoint refuses, and the failure is logged', async () => {
    const proxy = await started(startSessionProxy([await refusingPort(), await refusingPort()]));
    const client = await started(SocketPeer.open(proxy.port));
    expect(await client.ended()).toBe('reset');
    expect(client.errorCode).toBe('ECONNRESET');
    await proxy.lineWhere(({ event, code }) => event === 'session-failed' && code === 'SLUICE_CONNECT_REFUSED');
    await untilNoSessions(proxy);
    expect(await sessionFailures(proxy)).toEqual({ SLUICE_CONNECT_REFUSED: 1 });
  });

  it('is reset after connectAttempts endpoints, even where there are more', async () => {
    const endpoint = await started(startSessionEndpoint(greetAs('fifth')));
    const refusing = await Promise.all(Array.from({ length: 4 }, refusingPort));
    const endpoints = [...refusing, { address: `127.0.0.1:${endpoint.port}`, backup: true }];
    const proxy = await started(
      startSessionProxy(endpoints, { upstream: { retry: { connectAttempts: 2 } }, workers: 1 }),
    );
    const client = await started(SocketPeer.open(proxy.port));
    expect(await client.ended()).toBe('reset');
    expect(endpoint.peers).toHaveLength(0);
    const attempts = proxy.log.filter(({ event }) => event === 'attempt-failed');
    expect(attempts.length).toBeLessThanOrEqual(2);
  });

  it('is reset though it has sent bytes that nobody took', async () => {
    const proxy = await started(startSessionProxy([await refusingPort()]));
    const client = await started(SocketPeer.open(proxy.port));
    client.send('x'.repeat(100_000));
    expect(await client.ended()).toBe('reset');
  });
});

describe('an endpoint that does not answer connection attempts', () => {
  const startBlocked = (): Promise<BlockedEndpoint> => started(startBlockedEndpoint());
  const connect300ms = { timeouts: { connect: '300ms' } };

  it('is passed over after the connect timeout', async () => {
    const endpoint = await started(startSessionEndpoint(greetAs('good')));
    const blocked = await startBlocked();
    // The backup comes into play only when the first endpoint was tried.
    const endpoints = [blocked.port, { address: `127.0.0.1:${endpoint.port}`, backup: true }];
    const proxy = await started(startSessionProxy(endpoints, { upstream: connect300ms }));
    const startedAt = performance.now();
    expect(await greetingOf(proxy.port)).toBe('good');
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await proxy.lineWhere(({ event, code }) => event === 'attempt-failed' && code === 'SLUICE_CONNECT_TIMEOUT');
  });

  it('ends the session with a reset when there is no other', async () => {
    const blocked = await startBlocked();
    const proxy = await started(startSessionProxy([blocked.port], { upstream: connect300ms }));
    const client = await started(SocketPeer.open(proxy.port));
    expect(await client.ended()).toBe('reset');
    await untilNoSessions(proxy);
    expect(await sessionFailures(proxy)).toEqual({ SLUICE_CONNECT_TIMEOUT: 1 });
  });

  it('is left alone at once when the client is gone', async () => {
    const blocked = await startBlocked();
    const proxy = await started(startSessionProxy([blocked.port], { upstream: { timeouts: { connect: '60s' } } }));
    const client = await started(SocketPeer.open(proxy.port));
    client.reset();
    await untilNoSessions(proxy);
    expect(await sessionFailures(proxy)).toEqual({ SLUICE_CLIENT_GONE: 1 });
  });
});

describe('an endpoint that cannot be reached', () => {
  it('is passed over when its UNIX socket does not exist', async () => {
    const endpoint = await started(startSessionEndpoint(greetAs('good')));
    const proxy = await started(startSessionProxy([{ address: 'unix:/nonexistent/socket' }, endpoint.port]));
    expect(await Promise.all([greetingOf(proxy.port), greetingOf(proxy.port)])).toEqual(['good', 'good']);
  });
});
