/** What is shipped for monitoring fits what is shipped to be monitored: reference, dashboard and alert rules against the catalogue. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { metricReference } from '../../src/observability/docs/metric-reference.js';
import { METRICS, type MetricName } from '../../src/observability/metric-catalog.js';
import type { MetricShape } from '../../src/observability/metric-shape.js';

const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const textOf = (path: string) => readFileSync(pathOf(path), 'utf8');

const promtool = (...args: string[]) => spawnSync('promtool', args, { encoding: 'utf8' });
const hasPromtool = promtool('--version').status === 0;
if (!hasPromtool) console.log('promtool is missing (Debian: apt-get install prometheus): its checks are skipped');

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
}
interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: { readonly summary: string };
    }[];
  }[];
}

const dashboard = JSON.parse(textOf('docs/grafana/sluice.json')) as Dashboard;
const rules = (parse(textOf('docs/alerts.yaml')) as Rules).groups.flatMap((group) => group.rules);
const panelExpressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** As Grafana writes a variable: no template of ours. */
const DATASOURCE_VARIABLE = ['$', '{datasource}'].join('');

/** Labels that Prometheus adds, and that of buckets. */
const FOREIGN_LABELS = ['job', 'instance', 'le'];

/** @returns what an expression asks for that the catalogue does not have */
function unknownIn(expression: string): string[] {
  return [...expression.matchAll(/\b((?:sluice|process)_[a-z_0-9]+)(?:\{([^}]*)\})?/g)].flatMap(
    ([, found = '', inside = '']) => {
      const name = found.replace(/_(bucket|sum|count)$/, '');
      const shape: MetricShape | undefined = METRICS[name as MetricName];
      if (shape === undefined || (name !== found) !== (shape.type === 'histogram')) return [found];
      const labels = [...inside.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
      return labels.filter((label) => !shape.labels.includes(label) && !FOREIGN_LABELS.includes(label));
    },
  );
}

describe('the check of expressions', () => {
  it('finds metrics and labels that there are not', () => {
    expect(unknownIn('rate(sluice_requests[5m])')).toEqual(['sluice_requests']);
    expect(unknownIn('sluice_request_duration_seconds{}')).toEqual(['sluice_request_duration_seconds']);
    expect(unknownIn('sum(sluice_requests_total{path="/"})')).toEqual(['path']);
    expect(unknownIn('sum(sluice_requests_total{class="5xx", job="a"})')).toEqual([]);
  });
});

describe('docs/metrics.md', () => {
  it('is what the catalogue generates; run node scripts/generate-metric-docs.mjs after a build', () => {
    expect(textOf('docs/metrics.md')).toBe(metricReference());
  });
});

describe('the catalogue', () => {
  const all = Object.entries(METRICS) as [MetricName, MetricShape][];

  it.each(all)('names %s by convention', (name, { type, unit, labels }) => {
    const bare = name.replace(/_total$/, '');
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name.endsWith('_info')).toBe(type === 'info');
    if (unit !== undefined) expect(bare.endsWith(`_${unit}`)).toBe(true);
    expect(labels.filter((label) => ['path', 'client', 'host', 'le', 'quantile'].includes(label))).toEqual([]);
  });
});

describe('the dashboard', () => {
  it('asks for metrics and labels of the catalogue only', () => {
    expect(panelExpressions.flatMap(unknownIn)).toEqual([]);
    expect(dashboard.templating.list.flatMap(({ definition = '' }) => unknownIn(definition))).toEqual([]);
  });

  it('shows every metric but those that few ask for', () => {
    const shown = panelExpressions.join(' ');
    const missing = Object.keys(METRICS).filter((name) => !new RegExp(`\\b${name}(_bucket)?\\b`).test(shown));
    expect(missing).toEqual([
      'sluice_route_request_first_byte_seconds',
      'sluice_upstream_info',
      'sluice_upstream_errors_total',
      'sluice_upstream_panicking',
      'sluice_upstream_panics_total',
      'sluice_endpoint_retries_total',
      'sluice_endpoint_from_clients_bytes_total',
      'sluice_endpoint_to_clients_bytes_total',
      'sluice_endpoint_healthy',
      'sluice_endpoint_breaker_state',
      'sluice_endpoints_without_histograms',
      'sluice_worker_up',
      'sluice_certificate_expiry_seconds',
      'sluice_build_info',
      'sluice_readiness',
      'process_start_time_seconds',
      'sluice_config_last_reload_successful',
      'sluice_config_last_reload_success_timestamp_seconds',
      'sluice_timeline_entries_total',
      'sluice_latencies_missed_total',
    ]);
  });

  it('can be imported: numbers of its own for panels, none above another, the data source a variable', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' });
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    const sources = dashboard.panels.flatMap(({ type, datasource }) => (type === 'row' ? [] : [datasource?.uid]));
    expect(new Set(sources)).toEqual(new Set([DATASOURCE_VARIABLE]));
  });

  it.skipIf(!hasPromtool)('has expressions that Prometheus understands', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-dashboard-'));
    const file = join(directory, 'panels.json');
    const expressions = panelExpressions.map((expr) => expr.replaceAll('$__rate_interval', '1m'));
    const asRules = expressions.map((expr, index) => ({ record: `panel_${index}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules: asRules }] }));
    const { status, stderr } = promtool('check', 'rules', file);
    rmSync(directory, { recursive: true });
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('the alert rules', () => {
  it('ask for metrics and labels of the catalogue only', () => {
    expect(rules.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
  });

  it('each have a row in docs/operations.md, and no other has one', () => {
    const section = textOf('docs/operations.md')
      .split(/^## /m)
      .find((text) => text.startsWith('Alerts\n'));
    const rows = [...(section ?? '').matchAll(/^\| `(Sluice\w+)` \|/gm)].map(([, name]) => name);
    expect(rows).toEqual(rules.map(({ alert }) => alert));
  });

  it.skipIf(!hasPromtool)('are understood by Prometheus', () => {
    expect(promtool('check', 'rules', pathOf('docs/alerts.yaml')).status).toBe(0);
  });

  it.skipIf(!hasPromtool)('fire when they should, and not before', () => {
    const { status, stdout, stderr } = promtool('test', 'rules', pathOf('test/monitoring/alerts.promtool.yaml'));
    expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  });

  it('are all tried by the tests of promtool', () => {
    const tried = textOf('test/monitoring/alerts.promtool.yaml');
    expect(rules.filter(({ alert }) => !tried.includes(`alertname: ${alert}`)).map(({ alert }) => alert)).toEqual([]);
  });
});
