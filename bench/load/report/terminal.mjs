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

/** A scenario's table with its heading. @param {import('../run.mjs').ScenarioResult} result @param {readonly import('./summary.mjs').CandidateSummary[]} summaries @param {string} reference candidate that the ratios are of */
export function scenarioText(result, summaries, reference) {
  const hasIdle = summaries.some(({ idleBytes }) => idleBytes !== null);
  const heads = [
    '',
    'requests/s',
    'CPU µs/req (min)',
    'median',
    'spread',
    `of ${reference} (min)`,
    'median',
    'machine µs/req',
    'p50',
    'p90',
    'p99',
    'p99.9',
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
      one.cpuUs?.min.toFixed(2) ?? '–',
      one.cpuUs?.median.toFixed(2) ?? '–',
      one.cpuUs === null ? '–' : `${Math.round(one.cpuUs.spread * 100)} %`,
      one.cpuUs === null ? '–' : (ratio?.min.toFixed(3) ?? '–'),
      one.cpuUs === null ? '–' : (ratio?.median.toFixed(3) ?? '–'),
      one.machineUs.toFixed(1),
      timeText(one.latencyUs.p50),
      timeText(one.latencyUs.p90),
      timeText(one.latencyUs.p99),
      timeText(one.latencyUs['p99.9']),
      bytesText(one.peakBytes || null),
      ...(hasIdle ? [bytesText(one.idleBytes)] : []),
      one.bottleneck,
      [one.errors > 0 ? String(one.errors) : '', ...one.wrong].filter(Boolean).join('; ') || '0',
    ];
  });
  const { scenario, generator, endpoint, durationS } = result;
  const count = result.candidates[0].rounds.length;
  return [
    `${scenario.name}: ${scenario.summary}`,
    `${count} ${count === 1 ? 'round' : 'rounds'} of ${durationS} s each, load by ${generator}, endpoint ${endpoint}`,
    '',
    table(heads, rows),
  ].join('\n');
}
