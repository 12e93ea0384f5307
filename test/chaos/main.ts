/** The program behind `npm run chaos`: plays scenarios, prints what came of them, and writes the reports. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FrontEndName } from '../../src/config/plan.js';
import { type ChaosArguments, chaosArguments, USAGE } from './arguments.js';
import { networkHindrance } from './network.js';
import { chosen, shuffled } from './program.js';
import { broken, type RunReport, sceneText, writeReports } from './report.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios/known.js';
import { type SceneReport, Stage } from './stage.js';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const MS_PER_MINUTE = 60_000;
/** What ends a run before its time, with the exit code that shells expect; stage and network end with it. */
const ENDING_SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** @returns exit code: 0 well, 1 a promise was broken, 2 it could not be run */
export async function main(words: readonly string[]): Promise<number> {
  for (const [signal, code] of Object.entries(ENDING_SIGNALS)) process.once(signal, () => process.exit(code));
  try {
    const wanted = chaosArguments(words, Date.now());
    if (wanted.isHelp) {
      console.log(USAGE);
      return 0;
    }
    if (wanted.isList) {
      console.log(SCENARIOS.map(({ name, title }) => `${name.padEnd(18)} ${title}`).join('\n'));
      return 0;
    }
    return await run(wanted);
  } catch (error) {
    console.error(`chaos: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

async function run(wanted: ChaosArguments): Promise<number> {
  const hindrance = networkHindrance();
  const known = chosen(SCENARIOS, wanted.scenarios);
  const left = known.filter(({ isOfNetwork }) => isOfNetwork === true && hindrance !== null);
  const skipped = left.map(({ name }) => `${name}: ${hindrance}`);
  for (const line of skipped) console.log(`skipped ${line}`);
  const scenarios = known.filter((scenario) => !left.includes(scenario));
  const command = commandOf(wanted);
  console.log(`${command}\n`);
  const scenes: SceneReport[] = [];
  if (scenarios.length > 0)
    for (const frontend of wanted.frontends)
      await playAll(frontend, scenarios, wanted, hindrance === null, (scene) => {
        scenes.push(scene);
        console.log(sceneText(scene));
      });
  const report: RunReport = { at: new Date().toISOString(), command, seed: wanted.seed, skipped, scenes };
  const files = writeReports(wanted.out ?? RESULTS, report);
  const faults = scenes.reduce((sum, scene) => sum + broken(scene).length, 0);
  console.log(`\n${scenes.length} scenarios, ${faults} promises broken, seed ${wanted.seed}`);
  for (const file of [files.markdown, files.json]) console.log(`report: ${relative(process.cwd(), file)}`);
  return faults === 0 ? 0 : 1;
}

/** One front end's part of the run: rounds of all scenarios, each in an order of its own, until the time is over. */
async function playAll(
  frontend: FrontEndName,
  scenarios: readonly Scenario[],
  { minutes, seed, pace, frontends }: ChaosArguments,
  hasNetwork: boolean,
  tell: (scene: SceneReport) => void,
): Promise<void> {
  const endsAtMs = performance.now() + (minutes * MS_PER_MINUTE) / frontends.length;
  const isOfNetwork = hasNetwork && scenarios.some((scenario) => scenario.isOfNetwork === true);
  const stage = await Stage.open({ frontend, seed, isOfNetwork, pace });
  try {
    for (let round = 0, index = 0; round === 0 || performance.now() < endsAtMs; round++) {
      for (const scenario of shuffled(scenarios, seed, round)) {
        if (minutes > 0 && index > 0 && performance.now() >= endsAtMs) return;
        tell(await stage.play(scenario, index++));
      }
    }
  } finally {
    await stage.close();
  }
}

function commandOf({ minutes, seed, frontends, scenarios, pace }: ChaosArguments): string {
  return [
    'npm run chaos --',
    ...(minutes > 0 ? [`--minutes ${minutes}`] : []),
    `--seed ${seed}`,
    ...(frontends.length === 1 ? [`--frontend ${frontends[0]}`] : []),
    ...(scenarios.length > 0 ? [`--scenario ${scenarios.join(',')}`] : []),
    `--pace ${pace}`,
  ].join(' ');
}
