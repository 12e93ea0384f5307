/** docs/metrics.md, made from the catalogue: run by scripts/generate-metric-docs.mjs. */
import { DURATION_BOUNDS_S, METRIC_SECTIONS, SESSION_BOUNDS_S } from '../metric-catalog.js';
import type { MetricShape } from '../metric-shape.js';

const INTRODUCTION = `# Metrics

<!-- Made from the catalogue in src/observability/metric-catalog.ts by \`npm run docs:metrics\`. Do not edit. -->

\`GET /metrics\` of the admin API answers in the Prometheus text format 0.0.4, or in OpenMetrics 1.0 to who asks for it in \`Accept\`, as Prometheus does. Names, types, labels and values are the same in both.

\`\`\`yaml
scrape_configs:
  - job_name: sluice
    static_configs: [{ targets: ["127.0.0.1:9900"] }]
    # authorization: { credentials_file: /etc/sluice/token } # where \`admin.token\` is set
rule_files: [alerts.yaml]
\`\`\`

[alerts.yaml](alerts.yaml) has alert rules, which [operations.md](operations.md#alerts) explains; [grafana/sluice.json](grafana/sluice.json) is a dashboard to import.

- **Counters** begin at 0 with the process and only grow, through reloads and restarts of workers. A route, an upstream or an endpoint that a reload brings begins at 0; what a reload takes away has no series any more.
- **Histograms** are recorded with 32 steps for each doubling and shown with fewer buckets: {bounds} s; sessions {sessionBounds} s. A latency is counted by the middle of its step, at most 1.6 % from what it was.
- **Gauges of a window** (rates, ratios, latencies, the coefficient of variation) are of the last 10 s and at most a second old. To add up instances or to look at other windows, take the counters and histograms.
- **Labels** are names of your configuration, codes and classes: never a path, a client or a header. So the number of series is bounded by the configuration: about 75 for each endpoint, 60 for each route, and one for each error that has occurred. Histograms and latencies of endpoints are shown for the first 1,000; \`sluice_endpoints_without_histograms\` says how many have none.
- **\`up\`**, which Prometheus makes itself, is 1 from the moment that the admin API listens, before the workers do, and stays 1 while sluice drains. Whether it takes traffic is \`sluice_ready\`, which is \`/readyz\`.
- A scrape reads what workers have recorded; no worker does anything for it.
`;

/** The whole page. */
export function metricReference(): string {
  const introduction = INTRODUCTION.replace('{bounds}', DURATION_BOUNDS_S.join(', ')).replace(
    '{sessionBounds}',
    SESSION_BOUNDS_S.join(', '),
  );
  const sections = Object.entries<Readonly<Record<string, MetricShape>>>(METRIC_SECTIONS).map(([title, metrics]) =>
    [
      `## ${title}`,
      '',
      '| metric | type | labels | meaning |',
      '| --- | --- | --- | --- |',
      ...rowsOf(metrics),
      '',
    ].join('\n'),
  );
  return [introduction, ...sections].join('\n');
}

function rowsOf(metrics: Readonly<Record<string, MetricShape>>): readonly string[] {
  return Object.entries(metrics).map(([name, { type, labels, help, when }]) => {
    const meaning = when === undefined ? `${help}.` : `${help}. There is one where ${when}.`;
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${meaning} |`;
  });
}
