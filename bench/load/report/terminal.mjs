/** The report on the terminal: a table for each scenario. */

/** Aligned columns. @param {readonly string[]} heads @param {readonly (readonly string[])[]} rows first column left, the others right */
export function table(heads, rows) {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column].length)));
  const line = (cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ');
  return [line(heads), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

const whole = (number) => Math.round(number).toLocaleString('en-US');

/** A time for people. @param {number} us */
export function timeText(us) {
  if (!Number.isFinite(us)) return '–';
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 100_000) return `${(us / 1000).toFixed(1)} ms`;
  return us < 1e6 ? `${Math.round(us / 1000)} ms` : `${(us / 1e6).toFixed(2)} s`;
}

/** A size for people. @param {number | null} bytes */
export function bytesText(bytes) {
  if (bytes === null) return '–';
  if (Math.abs(bytes) < 1024) return `${Math.round(bytes)} B`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/** What went wrong with a candidate; '' where nothing did. @param {import('./summary.mjs').CandidateSummary} summary */
export function troubleOf({ errors, wrong }) {
  return [errors > 0 ? whole(errors) : '', ...wrong].filter(Boolean).join('; ');
}

/**
 * What each candidate cost, one row each: CPU, ratios, memory, errors.
 *
 * @param {readonly import('./summary.mjs').CandidateSummary[]} summaries @param {string} reference candidate that the ratios are of
 * @returns {{ heads: string[], rows: string[][] }}
 */
export function costTable(summaries, reference) {
  const hasIdle = summaries.some(({ idleBytes }) => idleBytes !== null);
  const heads = [
    'CPU of the proxy',
    'requests/s',
    'µs/req',
    'min',
    'spread',
    `of ${reference}`,
    'min',
    'machine µs/req',
    'peak',
    ...(hasIdle ? ['idle conn.'] : []),
    'full',
    'errors',
  ];
  const rows = summaries.map((one) => {
    const ratio = one.name === reference ? { min: 1, median: 1 } : one.ratios[reference];
    return [
      one.name,
      whole(one.perSecond),
      one.cpuUs?.median.toFixed(2) ?? '–',
      one.cpuUs?.min.toFixed(2) ?? '–',
      one.cpuUs === null ? '–' : `${Math.round(one.cpuUs.spread * 100)} %`,
      ratio?.median.toFixed(3) ?? '–',
      ratio?.min.toFixed(3) ?? '–',
      one.machineUs.toFixed(1),
      bytesText(one.peakBytes || null),
      ...(hasIdle ? [bytesText(one.idleBytes)] : []),
      one.bottleneck,
      troubleOf(one) || '0',
    ];
  });
  return { heads, rows };
}

/** How long answers took, one row for each candidate. @param {readonly import('./summary.mjs').CandidateSummary[]} summaries */
export function latencyTable(summaries) {
  const points = ['p50', 'p90', 'p99', 'p99.9', 'max'];
  const rows = summaries.map(({ name, latencyUs }) => [name, ...points.map((point) => timeText(latencyUs[point]))]);
  return { heads: ['Latency', ...points], rows };
}

/** How a scenario was run, in half a line. @param {import('../run.mjs').ScenarioResult} result */
export function settingText({ candidates, generator, endpoint, durationS }) {
  const count = candidates[0].rounds.length;
  const checked = candidates.reduce((sum, { checkedAnswers }) => sum + checkedAnswers, 0);
  return `${count} ${count === 1 ? 'round' : 'rounds'} of ${durationS} s each, load by ${generator}, endpoint ${endpoint}; ${whole(checked)} answers compared by hash`;
}

/** A scenario's tables with its heading. @param {import('../run.mjs').ScenarioResult} result @param {readonly import('./summary.mjs').CandidateSummary[]} summaries @param {string} reference candidate that the ratios are of */
export function scenarioText(result, summaries, reference) {
  const { name, summary } = result.scenario;
  const costs = costTable(summaries, reference);
  const latencies = latencyTable(summaries);
  return [
    `${name}: ${summary}`,
    settingText(result),
    '',
    table(costs.heads, costs.rows),
    '',
    table(latencies.heads, latencies.rows),
  ].join('\n');
}
