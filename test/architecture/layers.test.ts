/** The directions between the rooms: the real sources keep them, and every rule fails when somebody does not. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './source-files.js';

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** Runs dependency-cruiser with the rules that lie in `folder` over its src. */
function violationsIn(folder: string): Promise<Violation[]> {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  return new Promise((resolve, reject) => {
    const args = [program, '--output-type', 'json', 'src'];
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      try {
        const report: unknown = JSON.parse(stdout);
        resolve((report as { summary: { violations: Violation[] } }).summary.violations);
      } catch {
        reject(new Error(`dependency-cruiser gave no report: ${stderr}`, { cause: error }));
      }
    });
  });
}

describe('layers', () => {
  it('are kept by all of src', { timeout: 60_000 }, async () => {
    const violations = await violationsIn(ROOT);
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
  });
});

/** File to plant, what it imports, and the rule that has to see it. */
const PLANTED: readonly [file: string, source: string, rule: string][] = [
  ['src/core/planted.ts', "export { PLAN } from '../config/planted-plan.js';", 'core-stands-alone'],
  ['src/config/planted.ts', "export { PLAN } from '../board/planted-board.js';", 'config-knows-only-core'],
  ['src/engine/planted.ts', "export { PLAN } from '../board/planted-board.js';", 'engine-knows-only-core'],
  ['src/board/planted.ts', "export { PLAN } from '../config/planted-plan.js';", 'board-knows-only-core'],
  ['src/balancing/planted.ts', "export { PLAN } from '../l7/planted-plane.js';", 'balancing-knows-tables-only'],
  ['src/policies/planted.ts', "export { PLAN } from '../l7/planted-plane.js';", 'policies-know-no-data-plane'],
  [
    'src/observability/planted.ts',
    "export { PLAN } from '../l7/planted-plane.js';",
    'observability-watches-from-outside',
  ],
  ['src/balancing/planted-io.ts', "export { connect } from 'node:net';", 'decisions-do-no-io'],
  ['src/policies/planted-io.ts', "export { readFileSync } from 'node:fs';", 'decisions-do-no-io'],
  ['src/l4/planted.ts', "export { PLAN } from '../l7/planted-plane.js';", 'l4-and-l7-are-strangers'],
  ['src/l7/planted.ts', "export { PLAN } from '../l4/planted-plane.js';", 'l4-and-l7-are-strangers'],
  ['src/l7/planted-control.ts', "export { PLAN } from '../control/planted-control.js';", 'data-plane-knows-no-control'],
  ['src/worker/planted.ts', "export { PLAN } from '../control/planted-control.js';", 'data-plane-knows-no-control'],
  ['src/control/planted.ts', "export { PLAN } from '../l7/planted-plane.js';", 'control-knows-no-data-plane'],
  ['src/control/planted-far.ts', "export { PLAN } from '../worker/planted-bridge.js';", 'control-knows-no-data-plane'],
  [
    'src/control/planted-type.ts',
    "import type { Plane } from '../l4/planted-plane.js';\nexport type P = Plane;",
    'control-knows-no-data-plane',
  ],
  ['src/l7/planted-worker.ts', "export { PLAN } from '../worker/planted-bridge.js';", 'data-plane-knows-no-worker'],
  [
    'src/worker/planted-schema.ts',
    "export { PLAN } from '../config/planted-plan.js';",
    'data-plane-sees-only-the-plan',
  ],
  [
    'src/engine/planted-plan.ts',
    "import type { Plan } from '../config/plan.js';\nexport type P = Plan;",
    'engine-knows-only-core',
  ],
  [
    'src/balancing/planted-config.ts',
    "export { PLAN } from '../config/planted-plan.js';",
    'balancing-knows-tables-only',
  ],
  ['src/control/planted-cli.ts', "export { PLAN } from '../cli/planted-command.js';", 'nobody-imports-cli'],
  [
    'src/worker/planted-uws.ts',
    "import uws from 'uWebSockets.js';\nexport const U: unknown = uws;",
    'uws-through-one-file',
  ],
  [
    'src/l7/planted-uws.ts',
    "import uws from 'uWebSockets.js-next';\nexport const U: unknown = uws;",
    'uws-through-one-file',
  ],
  ['src/worker/planted-binary.ts', "export { createRequire } from 'node:module';", 'binaries-through-two-files'],
  ['src/l7/planted-one.ts', "export { two } from './planted-two.js';\nexport const one = 1;", 'no-cycles'],
  ['src/l7/planted-barrel.ts', "export { PLAN } from './index.js';", 'no-barrels'],
  ['src/l7/planted-dead.ts', 'export const DEAD = 1;', 'no-dead-files'],
  ['src/l7/planted-missing.ts', "export { NOTHING } from './planted-nothing.js';", 'imports-exist'],
  [
    'src/l7/planted-development.ts',
    "import fc from 'fast-check';\nexport const F: unknown = fc;",
    'dependencies-are-declared',
  ],
  ['src/l7/planted-test.ts', "export { HELD } from '../../test/planted-held.js';", 'src-knows-no-tests'],
];

/** What the planted imports point at. */
const TARGETS: Readonly<Record<string, string>> = {
  'src/config/planted-plan.ts': 'export const PLAN = 1;',
  'src/board/planted-board.ts': 'export const PLAN = 1;',
  'src/l4/planted-plane.ts': 'export const PLAN = 1;\nexport type Plane = number;',
  'src/l7/planted-plane.ts': 'export const PLAN = 1;',
  'src/l7/planted-two.ts': "export { one } from './planted-one.js';\nexport const two = 2;",
  'src/l7/index.ts': "export { PLAN } from './planted-plane.js';",
  'src/control/planted-control.ts': 'export const PLAN = 1;',
  'src/worker/planted-bridge.ts': "export { PLAN } from '../l7/planted-plane.js';",
  'src/cli/planted-command.ts': 'export const PLAN = 1;',
  'test/planted-held.ts': 'export const HELD = 1;',
};

describe('rules of .dependency-cruiser.cjs', () => {
  let folder: string;
  let violations: Violation[];

  beforeAll(async () => {
    // Inside the repository, so that packages are found as they are from src itself.
    mkdirSync(join(ROOT, '.cache'), { recursive: true });
    folder = mkdtempSync(join(ROOT, '.cache/layers-'));
    for (const name of ['src', 'package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    const files = [...PLANTED.map(([file, source]) => [file, source] as const), ...Object.entries(TARGETS)];
    for (const [file, source] of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `${source}\n`);
    }
    violations = await violationsIn(folder);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(PLANTED)('sees what is planted in %s: %s', (file, _source, rule) => {
    const seen = violations.filter(({ from, to }) => from === file || (rule === 'no-dead-files' && to === file));
    expect(seen.map((violation) => violation.rule.name)).toContain(rule);
  });

  it('are each provoked by something planted', async () => {
    const rules: unknown = await import(join(ROOT, '.dependency-cruiser.cjs'));
    const { forbidden } = (rules as { default: { forbidden: { name: string }[] } }).default;
    expect(forbidden.map(({ name }) => name).sort()).toEqual([...new Set(PLANTED.map(([, , rule]) => rule))].sort());
  });

  it('each say their reason', async () => {
    const rules: unknown = await import(join(ROOT, '.dependency-cruiser.cjs'));
    const { forbidden } = (rules as { default: { forbidden: { comment: string }[] } }).default;
    expect(forbidden.every(({ comment }) => comment.endsWith('.'))).toBe(true);
  });
});
