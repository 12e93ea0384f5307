/** What a running proxy has recorded of sessions equals what was relayed, and says what could not be connected to. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { scrape, sumOf } from '../../harness/metric-samples.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';

const started = endAfterEach();

describe('the figures of sessions', () => {
  it('have their bytes, their connections, and attempts that failed', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const nobody = await started(startSessionEndpoint());
    await nobody.close();
    const upstream = { balance: 'first', healthCheck: 'off', outlier: 'off' };
    const proxy = await started(startSessionProxy([nobody.port, endpoint.port], { upstream, workers: 1 }));
    for (const text of ['one', 'three']) {
      const client = await started(SocketPeer.open(proxy.port));
      client.send(text);
      await client.gets(text);
      client.end();
      expect(await client.ended()).toBe('ended');
    }
    await untilNoSessions(proxy);
    const samples = await scrape(proxy);
    expect(sumOf(samples, 'sluice_sessions_total')).toBe(2);
    expect(sumOf(samples, 'sluice_session_duration_seconds_count')).toBe(2);
    const there = { endpoint: `127.0.0.1:${endpoint.port}` };
    expect(sumOf(samples, 'sluice_endpoint_from_clients_bytes_total', there)).toBe(8);
    expect(sumOf(samples, 'sluice_endpoint_to_clients_bytes_total', there)).toBe(8);
    expect(sumOf(samples, 'sluice_endpoint_connects_total', there)).toBe(2);
    expect(sumOf(samples, 'sluice_endpoint_connect_seconds_count', there)).toBe(2);
    const away = { endpoint: `127.0.0.1:${nobody.port}`, code: 'SLUICE_CONNECT_REFUSED' };
    expect(sumOf(samples, 'sluice_endpoint_failures_total', away)).toBe(2);
    expect(sumOf(samples, 'sluice_upstream_retries_total')).toBe(2);
  });
});
