/** GET /metrics: what it says is what the board and the catalogue say, in both formats, and promtool finds nothing wrong with it. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { HANDSHAKE_ENDS } from '../../../../src/core/handshake-ends.js';
import { HTTP2_FLOODS } from '../../../../src/core/http2-floods.js';
import { METRICS } from '../../../../src/observability/metric-catalog.js';
import { observedProxy } from '../observed-proxy.js';
import { readExposition } from './read-exposition.js';

const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0';

const TWO_UPSTREAMS = `
listeners:
  - name: web
    bind: "127.0.0.1:0"
    routes:
      - { match: { path: /api/ }, upstream: api }
      - { upstream: pages }
  - { name: db, mode: l4, bind: "127.0.0.1:0", upstream: pages }
upstreams:
  api:
    balance: least-conn
    queue: { length: 8 }
    outlier: {}
    breaker: {}
    endpoints:
      - { address: "10.0.0.1:9001", weight: 2, maxConns: 10 }
      - { address: "10.0.0.2:9001" }
  pages:
    endpoints: [{ address: "10.0.1.1:9001" }]
`;

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

describe('metrics', () => {
  it('names each series once, with the labels of the catalogue and no others, in both formats', () => {
    const { metrics } = observedProxy(TWO_UPSTREAMS);
    for (const accept of ['', OPEN_METRICS]) {
      const samples = readExposition(metrics.render(accept).text);
      expect(new Set(samples.map(({ series }) => series)).size).toBe(samples.length);
      for (const { name, labels } of samples) {
        const base = name.replace(/_(bucket|sum|count)$/, '');
        const shape = METRICS[name as keyof typeof METRICS] ?? METRICS[base as keyof typeof METRICS];
        expect([name, Object.keys(labels).filter((label) => label !== 'le')]).toEqual([name, shape?.labels]);
      }
    }
  });

  it('says the same in both formats', () => {
    const { metrics } = observedProxy(TWO_UPSTREAMS);
    const valuesOf = (accept: string) =>
      readExposition(metrics.render(accept).text)
        .filter(({ name }) => !/^(process_|sluice_thread_)/.test(name))
        .map(({ series, value }) => [series, value]);
    expect(valuesOf(OPEN_METRICS)).toEqual(valuesOf(''));
  });

  it('ends with # EOF in OpenMetrics, and says which format it is', () => {
    const { metrics } = observedProxy(TWO_UPSTREAMS);
    expect(metrics.render('').contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const { contentType, text } = metrics.render(OPEN_METRICS);
    expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  it.skipIf(!hasPromtool)('passes promtool check metrics (skipped where promtool is missing)', () => {
    const { metrics } = observedProxy(TWO_UPSTREAMS);
    const check = spawnSync('promtool', ['check', 'metrics'], { input: metrics.render('').text, encoding: 'utf8' });
    expect([check.status, check.stdout, check.stderr]).toEqual([0, '', '']);
  });

  it('shows what endpoints have in flight, of which cap, and in which condition they are', () => {
    const { metrics, board, workerBoards, endpoint } = observedProxy(TWO_UPSTREAMS);
    const { slot, generation } = endpoint('api', '10.0.0.1:9001');
    for (let each = 0; each < 5; each++) workerBoards[each % 2]?.claims.claim(slot, generation, 0);
    board.control.setHealthy(endpoint('api', '10.0.0.2:9001').slot, false);
    const values = new Map(readExposition(metrics.render('').text).map(({ series, value }) => [series, value]));
    expect(values.get('sluice_endpoint_in_flight{endpoint="10.0.0.1:9001",upstream="api"}')).toBe(5);
    expect(values.get('sluice_endpoint_pool_use_ratio{endpoint="10.0.0.1:9001",upstream="api"}')).toBe(0.5);
    expect(values.get('sluice_endpoint_up{endpoint="10.0.0.2:9001",upstream="api"}')).toBe(0);
    expect(values.get('sluice_endpoint_condition{condition="unhealthy",endpoint="10.0.0.2:9001",upstream="api"}')).toBe(
      1,
    );
    expect(values.get('sluice_upstream_up_endpoints{upstream="api"}')).toBe(1);
    expect(values.get('sluice_upstream_queue_length{upstream="api"}')).toBe(8);
  });

  it('tells reloads by their result, and whether the last one was good', () => {
    const { metrics, logger } = observedProxy(TWO_UPSTREAMS);
    const figureOf = (series: string) =>
      readExposition(metrics.render('').text).find((sample) => sample.series === series)?.value;
    expect(figureOf('sluice_config_last_reload_successful')).toBe(1);
    logger.warn({ event: 'reload-failed' }, 'no');
    expect(figureOf('sluice_config_reloads_total{result="failed"}')).toBe(1);
    expect(figureOf('sluice_config_last_reload_successful')).toBe(0);
  });

  it('is ready while workers serve, and not while it starts or drains', () => {
    const { metrics, state } = observedProxy(TWO_UPSTREAMS);
    const ready = () => readExposition(metrics.render('').text).find(({ name }) => name === 'sluice_ready')?.value;
    const seen = (['starting', 'ready', 'degraded', 'draining'] as const).map((readiness) => {
      state.readiness = readiness;
      return ready();
    });
    expect(seen).toEqual([0, 1, 1, 0]);
  });
});

describe('metrics of traffic', () => {
  it('are what the workers have recorded, added up', () => {
    const { metrics, workerBoards, state, endpoint } = observedProxy(TWO_UPSTREAMS);
    const { slot } = endpoint('api', '10.0.0.1:9001');
    const ended = { answeredBy: 0, queueUs: 0, bytesFromClient: 7, bytesToClient: 70 };
    const [web] = state.plan.listeners;
    for (const { figures } of workerBoards) {
      figures.listeners.exchangeEnded(
        web!.number,
        { ...ended, status: 200, firstByteUs: 1_500, totalUs: 3_000 },
        0,
        false,
      );
      figures.listeners.exchangeEnded(web!.number, { ...ended, status: 0, firstByteUs: 0, totalUs: 9_000 }, 0, false);
      figures.listeners.failed(web!.number, 'SLUICE_CLIENT_GONE');
      figures.endpoints.answered(slot, 404, false, 400, 1_500);
    }
    const values = new Map(readExposition(metrics.render('').text).map(({ series, value }) => [series, value]));
    const expected: readonly (readonly [string, number])[] = [
      ['sluice_requests_total{class="2xx",listener="web"}', 2],
      ['sluice_requests_total{class="none",listener="web"}', 2],
      ['sluice_errors_total{code="SLUICE_CLIENT_GONE",listener="web"}', 2],
      ['sluice_to_clients_bytes_total{listener="web"}', 280],
      ['sluice_request_duration_seconds_bucket{le="0.002",listener="web"}', 0],
      ['sluice_request_duration_seconds_bucket{le="0.005",listener="web"}', 2],
      ['sluice_request_duration_seconds_count{listener="web"}', 2],
      ['sluice_request_duration_seconds_sum{listener="web"}', 0.006],
      ['sluice_endpoint_responses_total{class="4xx",endpoint="10.0.0.1:9001",upstream="api"}', 2],
      ['sluice_endpoint_connect_seconds_bucket{endpoint="10.0.0.1:9001",le="0.0005",upstream="api"}', 2],
      ['sluice_sessions_total{listener="db"}', 0],
    ];
    expect(expected.map(([series]) => [series, values.get(series)])).toEqual(expected);
  });

  it('have TLS handshakes of listeners that have TLS, by how they ended', () => {
    const tls = 'tls: { certificates: [{ cert: a.pem, key: a.key }] }';
    const { metrics, workerBoards, state } = observedProxy(`
listeners:
  - { name: web, bind: "127.0.0.1:0", frontend: native, ${tls}, routes: [{ upstream: app }] }
  - { name: db, mode: l4, bind: "127.0.0.1:0", ${tls}, upstream: app }
  - { name: other, bind: "127.0.0.1:0", frontend: uws, ${tls}, routes: [{ upstream: app }] }
upstreams: { app: { endpoints: [{ address: "10.0.1.1:9001" }] } }
`);
    const [web, db] = state.plan.listeners;
    for (const { figures } of workerBoards) {
      figures.handshakes.ended(web!.number, HANDSHAKE_ENDS.indexOf('TLSv1.3 resumed'), 2);
      figures.handshakes.ended(db!.number, HANDSHAKE_ENDS.indexOf('limit'), 1);
      figures.listeners.failed(db!.number, 'SLUICE_CLIENT_GONE');
    }
    const samples = readExposition(metrics.render('').text).filter(({ name }) => name.startsWith('sluice_tls_'));
    expect(samples.length).toBe(2 * HANDSHAKE_ENDS.length);
    expect(samples.filter(({ value }) => value !== 0).map(({ series, value }) => [series, value])).toEqual([
      ['sluice_tls_handshakes_total{listener="web",resumed="yes",version="TLSv1.3"}', 4],
      ['sluice_tls_handshake_failures_total{listener="db",reason="limit"}', 2],
    ]);
  });

  it('have HTTP/2 of listeners whose clients may speak it', () => {
    const tls = 'tls: { certificates: [{ cert: a.pem, key: a.key }] }';
    const { metrics, workerBoards, state } = observedProxy(`
listeners:
  - { name: web, bind: "127.0.0.1:0", frontend: native, ${tls}, routes: [{ upstream: app }] }
  - { name: inner, bind: "127.0.0.1:0", frontend: native, http2: { clearText: true }, routes: [{ upstream: app }] }
  - { name: old, bind: "127.0.0.1:0", frontend: native, routes: [{ upstream: app }] }
  - { name: db, mode: l4, bind: "127.0.0.1:0", ${tls}, upstream: app }
upstreams: { app: { endpoints: [{ address: "10.0.1.1:9001" }] } }
`);
    const [web, inner] = state.plan.listeners;
    for (const { figures } of workerBoards) {
      figures.http2.streams(web!.number, 5, 1);
      figures.http2.broke(inner!.number);
      figures.http2.flooded(inner!.number, HTTP2_FLOODS.indexOf('pings'));
    }
    const samples = readExposition(metrics.render('').text).filter(({ name }) => name.startsWith('sluice_http2_'));
    expect(samples.length).toBe(1 + 2 * (3 + HTTP2_FLOODS.length));
    expect(samples.filter(({ value }) => value !== 0).map(({ series, value }) => [series, value])).toEqual([
      ['sluice_http2_streams_total{listener="web"}', 10],
      ['sluice_http2_refused_streams_total{listener="web"}', 2],
      ['sluice_http2_errors_total{listener="inner"}', 2],
      ['sluice_http2_floods_total{kind="pings",listener="inner"}', 2],
    ]);
  });

  it('have routes by host and path of their match, and the upstream they go to', () => {
    const { metrics } = observedProxy(TWO_UPSTREAMS);
    const routes = readExposition(metrics.render('').text)
      .filter(({ name, labels }) => name === 'sluice_route_requests_total' && labels.class === '2xx')
      .map(({ labels }) => [labels.listener, labels.route, labels.upstream]);
    expect(routes).toEqual([
      ['web', '*/api/', 'api'],
      ['web', '*/', 'pages'],
    ]);
  });

  it('leave histograms out for endpoints beyond so many, and say how many', () => {
    const { metrics } = observedProxy(TWO_UPSTREAMS, { mostDetailed: 2 });
    const samples = readExposition(metrics.render('').text);
    const countOf = (wanted: string) => samples.filter(({ name }) => name === wanted).length;
    expect([countOf('sluice_endpoint_up'), countOf('sluice_endpoint_connect_seconds_count')]).toEqual([3, 2]);
    expect(samples.find(({ name }) => name === 'sluice_endpoints_without_histograms')?.value).toBe(1);
  });
});
