/** The report as one HTML page that opens from disk: tables and charts, no script, nothing loaded. Pure. */
import { median } from '../statistics.mjs';
import { barChart, escaped, latencyChart, legend, timeChart } from './charts.mjs';
import { costTable, latencyTable, settingText, troubleOf } from './terminal.mjs';

const STYLE = `:root{color-scheme:light dark;--ink:#0f172a;--soft:#64748b;--rule:#e2e8f0;--page:#fff;--band:#f8fafc}
@media(prefers-color-scheme:dark){:root{--ink:#e2e8f0;--soft:#94a3b8;--rule:#334155;--page:#0f172a;--band:#1e293b}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:1300px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin:2.5rem 0 .2rem;border-top:1px solid var(--rule);padding-top:1.5rem}
p{margin:.3rem 0}.soft{color:var(--soft)}code{font-family:ui-monospace,monospace;font-size:.92em}
.scroll{overflow-x:auto}table{border-collapse:collapse;margin:.8rem 0;font-variant-numeric:tabular-nums;font-size:.92em}
th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}th:first-child,td:first-child{text-align:left}
th{font-weight:600;color:var(--soft)}tr.own td{font-weight:600;background:var(--band)}td.bad{color:#be123c;font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(400px,100%),1fr));gap:1rem}figure{margin:0}figcaption{font-weight:600;font-size:.92em}
svg{width:100%;height:auto}.grid{stroke:var(--rule)}.tick,.label,.value{fill:var(--soft);font-size:11px}.value{fill:var(--ink)}.range{stroke:var(--ink);stroke-width:1.5}
.legend span{margin-right:1.2rem;font-size:.92em}.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}`;

/** The page. @param {import('./files.mjs').Report} report @returns {string} */
export function htmlReport(report) {
  const { machine, versions } = report;
  const programs = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>sluice beside its peers, ${escaped(report.at.slice(0, 10))}</title><style>${STYLE}</style></head><body>
<h1>sluice beside its peers</h1>
<p class="soft">${escaped(report.at)} · commit <code>${escaped(report.commit)}</code> · <code>${escaped(report.command)}</code></p>
<p class="soft">${escaped(machine.processor)}, ${machine.processors} processors, Linux ${escaped(machine.kernel)}, Node ${escaped(machine.node)}; ${escaped(programs)}</p>
<p>Only ratios within one run count. CPU is what the proxy's process used for each request, all threads, from <code>/proc</code>.</p>
${report.scenarios.map(scenarioPart).join('\n')}
</body></html>
`;
}

function scenarioPart({ result, summaries, reference }) {
  const { scenario, candidates } = result;
  const withProxy = summaries.filter(({ cpuUs }) => cpuUs !== null);
  const names = summaries.map(({ name }) => name);
  const bars = withProxy.map((one) => {
    const costs = candidates.find(({ name }) => name === one.name).rounds.map((round) => round.cpuUsPerRequest);
    return { name: one.name, value: one.cpuUs.median, low: Math.min(...costs), high: Math.max(...costs) };
  });
  const hasSeconds = candidates.every(({ rounds }) => rounds.every(({ eachSecond }) => eachSecond !== null));
  const throughput = candidates.map(({ name, rounds }) => ({
    name,
    points: rounds.flatMap((round) => throughputPoints(round, hasSeconds)),
  }));
  const throughputTitle = hasSeconds
    ? 'Throughput over time, one point a second'
    : `Throughput over time, one point a round: ${result.generator} tells of no single second`;
  const latency = candidates.map(({ name, rounds }) => ({
    name,
    points: rounds[0].latencyUs.map(([percentile], index) => [
      percentile,
      median(rounds.map((round) => round.latencyUs[index][1])),
    ]),
  }));
  return `<section><h2><code>${escaped(scenario.name)}</code></h2><p>${escaped(scenario.summary)}</p>
<p class="soft">${escaped(settingText(result))}</p>
${htmlTable(costTable(summaries, reference), summaries)}${htmlTable(latencyTable(summaries), summaries)}${legend(names)}
<div class="charts">${bars.length > 0 ? barChart('CPU of the proxy for each request (median; line: all rounds)', 'µs', bars) : ''}${latencyChart('Latency by percentile (log scales)', latency)}${timeChart(throughputTitle, 'requests/s', throughput)}</div></section>`;
}

/** A round on the axis of time: each of its seconds, or the whole of it at its beginning. */
function throughputPoints({ atMs, perSecond, eachSecond }, hasSeconds) {
  const beganS = atMs / 1000;
  return hasSeconds ? eachSecond.map((count, second) => [beganS + second, count]) : [[beganS, perSecond]];
}

/** @param {{ heads: string[], rows: string[][] }} table @param {readonly import('./summary.mjs').CandidateSummary[]} summaries of the rows */
function htmlTable({ heads, rows }, summaries) {
  const lines = rows.map((cells, index) => {
    const isBad = heads.at(-1) === 'errors' && troubleOf(summaries[index]) !== '';
    const written = cells.map(
      (cell, column) => `<td${isBad && column === cells.length - 1 ? ' class="bad"' : ''}>${escaped(cell)}</td>`,
    );
    return `<tr${cells[0].startsWith('sluice') ? ' class="own"' : ''}>${written.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${heads.map((head) => `<th>${escaped(head)}</th>`).join('')}</tr></thead><tbody>${lines.join('')}</tbody></table></div>`;
}
