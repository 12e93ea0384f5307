/** Writes the reports of a run: JSON with the raw rounds, and an HTML page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { htmlReport } from './html.mjs';

/**
 * @typedef {object} Report
 * @property {string} at ISO 8601
 * @property {string} commit of this tree, with "+changes" where files differ from it
 * @property {string} command
 * @property {object} machine
 * @property {Record<string, string>} versions of the programs that took part
 * @property {object} settings
 * @property {readonly { result: import('../run.mjs').ScenarioResult, summaries: readonly import('./summary.mjs').CandidateSummary[],
 *   reference: string }[]} scenarios `reference`: the candidate that the ratios are of
 */

/** Writes both. @param {string} directory @param {Report} report @returns {{ json: string, html: string }} paths */
export function writeReports(directory, report) {
  mkdirSync(directory, { recursive: true });
  const stem = join(directory, `${report.at.slice(0, 19).replaceAll(':', '-')}-${report.commit.replace('+', '-')}`);
  const rounded = JSON.stringify(report, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value,
  );
  writeFileSync(`${stem}.json`, `${rounded}\n`);
  writeFileSync(`${stem}.html`, htmlReport(report));
  return { json: `${stem}.json`, html: `${stem}.html` };
}
