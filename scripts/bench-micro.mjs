/**
 * Runs the micro benches and prints each figure beside its budget: those of bench/micro under vitest, over the compiled program, those
 * of native/bench without Node. Exit code 1 when a bench fails or has no budget; not when it is over its budget, which on a busy machine says little.
 *
 * Usage: node scripts/bench-micro.mjs [part of a bench file's path]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { budgetOf, budgetsIn, unusedBudgets } from './bench-micro/budgets.mjs';
import { nativeBenches, runNativeBench } from './bench-micro/native.mjs';
import { CACHE, ROOT } from './repository.mjs';
import { filesUnder } from './set-up/fingerprint.mjs';

/** Each vitest bench times this many operations as one: its harness costs more than one of them. */
const BATCH = 1_000;
const NS_PER_MS = 1e6;
const REPORT = `${CACHE}/results/bench-micro.json`;
const CONFIG = 'bench/micro/vitest.config.ts';

/** @returns {{ file: string, name: string, ns: number, bytes: number | null }[]} medians */
function vitestFigures(wanted) {
  const files = filesUnder([`${ROOT}/bench/micro`], (path) => path.endsWith('.bench.ts') && path.includes(wanted));
  if (files.length === 0) return [];
  mkdirSync(`${CACHE}/results`, { recursive: true });
  rmSync(REPORT, { force: true });
  const vitest = [
    `${ROOT}/node_modules/vitest/vitest.mjs`,
    'bench',
    '--run',
    '--config',
    CONFIG,
    `--outputJson=${REPORT}`,
  ];
  const run = spawnSync(process.execPath, [...vitest, ...files.map((file) => relative(ROOT, file))], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`vitest bench failed:\n${run.stdout}${run.stderr}`);
  return JSON.parse(readFileSync(REPORT, 'utf8')).files.flatMap(({ filepath, groups }) =>
    groups.flatMap(({ fullName, benchmarks }) =>
      benchmarks.map(({ name, median }) => ({
        file: filepath,
        // The full name of a group begins with its file.
        name: [...fullName.split(' > ').slice(1), name].join(' > '),
        ns: (median * NS_PER_MS) / BATCH,
        bytes: null,
      })),
    ),
  );
}

function nativeFigures(wanted) {
  return nativeBenches()
    .filter((file) => file.includes(wanted))
    .flatMap((file) => runNativeBench(file).map((figure) => ({ file, ...figure })));
}

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
    );
}

function main(wanted) {
  const figures = [...vitestFigures(wanted), ...nativeFigures(wanted)];
  if (figures.length === 0) throw new Error(`no bench file has "${wanted}" in its path`);
  let isComplete = true;
  for (const file of [...new Set(figures.map((figure) => figure.file))]) {
    const own = figures.filter((figure) => figure.file === file);
    const budgets = budgetsIn(readFileSync(file, 'utf8'));
    const rows = own.map(({ name, ns, bytes }) => {
      const budget = budgetOf(budgets, name);
      if (budget === null) isComplete = false;
      const verdict = budget === null ? 'NO BUDGET' : ns <= budget ? 'under' : `over (${(ns / budget).toFixed(2)}x)`;
      const rate = bytes === null ? '' : `${Math.round((bytes / ns) * 1000)} MB/s`;
      return [`  ${name}`, ns.toFixed(1), rate, budget === null ? '–' : String(budget), verdict];
    });
    console.log(`\n${relative(ROOT, file)}`);
    print([['', 'ns/op', '', 'budget', ''], ...rows]);
    for (const { pattern } of unusedBudgets(
      budgets,
      own.map(({ name }) => name),
    )) {
      isComplete = false;
      console.log(`  a budget for "${pattern}", which no bench is called`);
    }
  }
  console.log(
    '\nMedians, of the compiled program. What is over its budget on a busy machine may be under it on a quiet one.',
  );
  return isComplete ? 0 : 1;
}

try {
  process.exitCode = main(process.argv[2] ?? '');
} catch (error) {
  console.error(`bench:micro: ${error.message}`);
  process.exitCode = 1;
}
