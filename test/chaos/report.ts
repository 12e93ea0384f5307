/** What a chaos run tells: a line for each scenario on the terminal, and a report as Markdown and JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, rateOf } from './judge.js';
import type { SceneReport } from './stage.js';

/** A whole run. */
export interface RunReport {
  /** ISO 8601. */
  readonly at: string;
  /** The command that plays the same again. */
  readonly command: string;
  readonly seed: number;
  /** What could not be played here, each with its reason. */
  readonly skipped: readonly string[];
  readonly scenes: readonly SceneReport[];
}

/** Promises that were not kept. */
export function broken(scene: SceneReport): readonly Finding[] {
  return scene.findings.filter(({ isMet }) => !isMet);
}

/** Pure. One line for the terminal, and one more for each broken promise. */
export function sceneText(scene: SceneReport): string {
  const { load, attempts } = scene;
  const failed = load.sent - (load.outcomes['200'] ?? 0);
  const facts = [
    `${load.sent} requests`,
    `${Math.round(rateOf(load))}/s`,
    `${failed} failed`,
    `${(attempts / load.sent).toFixed(3)} attempts each`,
  ].join(', ');
  const lines = broken(scene).map(({ what, wanted, found }) => `       ${what}: ${found} (wanted ${wanted})`);
  const head = `${lines.length === 0 ? 'kept  ' : 'BROKEN'} ${scene.frontend.padEnd(6)} ${scene.scenario.padEnd(18)} ${facts}`;
  return [head, ...lines].join('\n');
}

/** Pure. The report as Markdown. */
export function markdownOf(run: RunReport): string {
  const brokenCount = run.scenes.reduce((sum, scene) => sum + broken(scene).length, 0);
  const rows = run.scenes.map((scene) => {
    const { load, attempts } = scene;
    const failures = Object.entries(load.outcomes)
      .filter(([outcome]) => outcome !== '200')
      .map(([outcome, count]) => `${outcome}: ${count}`)
      .join(', ');
    const verdict = broken(scene).length === 0 ? 'kept' : '**broken**';
    return `| ${scene.index} | ${scene.frontend} | ${scene.scenario} | ${load.sent} | ${failures || 'none'} | ${(attempts / load.sent).toFixed(3)} | ${verdict} |`;
  });
  return `${[
    '# Chaos run',
    '',
    `${run.at}, seed ${run.seed}: ${run.scenes.length} scenarios, ${brokenCount === 0 ? 'every promise was kept' : `${brokenCount} promises were broken`}.`,
    '',
    `Again: \`${run.command}\``,
    ...run.skipped.map((reason) => `\nSkipped: ${reason}`),
    '',
    '| # | front end | scenario | requests | failed | attempts each | promises |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...run.scenes.flatMap(chapterOf),
  ].join('\n')}`;
}

function chapterOf(scene: SceneReport): string[] {
  return [
    `## ${scene.index}: ${scene.scenario}, front end ${scene.frontend}`,
    '',
    `${scene.title[0]?.toUpperCase()}${scene.title.slice(1)}. ${Math.round(scene.load.durationMs)} ms; ${
      scene.marks.map(({ name, atMs }) => `${name} at ${atMs}`).join(', ') || 'nothing was marked'
    }.`,
    '',
    '| promise | wanted | found | |',
    '| --- | --- | --- | --- |',
    ...scene.findings.map(
      ({ what, wanted, found, isMet }) =>
        `| ${what} | ${wanted} | ${found.replaceAll('|', '\\|')} | ${isMet ? 'kept' : '**broken**'} |`,
    ),
    '',
  ];
}

/** Writes both. @returns their paths */
export function writeReports(directory: string, run: RunReport): { markdown: string; json: string } {
  mkdirSync(directory, { recursive: true });
  const stem = join(directory, `${run.at.slice(0, 19).replaceAll(':', '-')}-seed-${run.seed}`);
  writeFileSync(`${stem}.md`, markdownOf(run));
  writeFileSync(`${stem}.json`, `${JSON.stringify(run, null, 1)}\n`);
  return { markdown: `${stem}.md`, json: `${stem}.json` };
}
