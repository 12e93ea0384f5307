/**
 * The laboratory: sluice and its peers, interleaved round by round in one run, the proxy alone on its processor. What counts is the proxy's
 * own CPU time for each request and its ratio within the run. docs/performance.md says how to read it.
 *
 *   npm run bench -- --help
 */
import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCommit, commitOf, hasChanges } from './against.mjs';
import { readArguments, USAGE, UsageError } from './arguments.mjs';
import { generatorFor } from './generators/choose.mjs';
import { allowedProcessors, machineFacts } from './measure/machine-figures.mjs';
import { PEER_NAMES, peerNamed } from './peers/known.mjs';
import { sluice } from './peers/sluice.mjs';
import { isInstalled, Programs, withSystemPrograms } from './processes.mjs';
import { writeReports } from './report/files.mjs';
import { isSound, referenceOf, summarise } from './report/summary.mjs';
import { scenarioText } from './report/terminal.mjs';
import { runScenario } from './run.mjs';
import { allScenarios, scenariosOf } from './scenarios/known.mjs';
import { selfCheckCandidates, selfCheckVerdicts } from './self-check.mjs';
import { WrongAnswerError } from './verify.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** 1: the run says that something is wrong, or the command line is; 2: it could not be run. */
const Exit = { WRONG: 1, CANNOT: 2 };
/** What ends a run before its time, with the exit code that shells expect; the programs it started go with it. */
const ENDING_SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

async function main(args) {
  for (const [signal, code] of Object.entries(ENDING_SIGNALS)) process.once(signal, () => process.exit(code));
  const options = readArguments(args);
  if (options.wantsHelp) return say(USAGE);
  const known = await allScenarios();
  if (options.wantsList) return say(listText(known));
  const scenarios = chosenScenarios(known, options);
  checkTools(scenarios, options);
  const place = placement();
  const other = options.against === null ? null : buildCommit(root, options.against, say);
  const results = [];
  try {
    for (const scenario of scenarios) results.push(await runOne(scenario, options, place, other));
  } finally {
    other?.remove();
  }
  const report = {
    at: new Date().toISOString(),
    commit: `${commitOf(root, 'HEAD')}${hasChanges(root) ? '+changes' : ''}`,
    command: ['npm run bench --', ...args].join(' '),
    machine: machineFacts(),
    versions: versionsOf(results),
    settings: { ...options, processors: place },
    scenarios: results,
  };
  const files = writeReports(options.out ?? join(root, 'bench', 'results'), report);
  say(`\nreport: ${relative(process.cwd(), files.html)}\nfigures: ${relative(process.cwd(), files.json)}`);
  if (!results.every(({ summaries }) => isSound(summaries))) {
    say('some answers were wrong or missing: the figures above do not count');
    process.exitCode = Exit.WRONG;
  }
  if (options.isSelfCheck) sayVerdicts(selfCheckVerdicts(results[0].result));
}

function sayVerdicts(verdicts) {
  for (const { sentence } of verdicts) say(sentence);
  if (!verdicts.every(({ isGood }) => isGood)) process.exitCode = Exit.WRONG;
}

/** Runs a scenario and prints its table. */
async function runOne(scenario, options, place, other) {
  const programs = new Programs();
  try {
    const candidates = candidatesFor(scenario, options, other);
    const generator = generatorFor(scenario, options.load);
    const { rounds, durationS } = options;
    const result = await runScenario({
      programs,
      scenario,
      candidates,
      generator,
      rounds,
      durationS,
      place,
      onProgress: progress,
    });
    const summaries = summarise(result);
    const reference = referenceOf(summaries);
    progress('');
    say(`\n${scenarioText(result, summaries, reference)}`);
    return { result, summaries, reference };
  } finally {
    await programs.close();
  }
}

function chosenScenarios(known, { scenarios, set, connections, ratePerSecond }) {
  const names = known.map(({ name }) => name);
  for (const name of scenarios ?? [])
    if (!names.includes(name)) throw new UsageError(`no scenario ${name}: there are\n  ${names.join('\n  ')}`);
  const chosen = scenarios === null ? scenariosOf(known, set) : known.filter(({ name }) => scenarios.includes(name));
  if (chosen.length === 0) throw new UsageError(`no scenario is in the set ${set}: there are quick, l7, l4, tls, all`);
  return chosen.map((scenario) => ({
    ...scenario,
    connections: connections ?? scenario.connections,
    ratePerSecond: ratePerSecond ?? scenario.ratePerSecond,
  }));
}

/** Everything that is missing, at once, before anything is started. */
function checkTools(scenarios, { peers, load }) {
  if (scenarios.some(({ tls }) => tls !== null) && !isInstalled('openssl'))
    throw new UsageError('openssl is not installed: apt-get install openssl');
  if (!isInstalled('taskset')) throw new UsageError('taskset is not installed: apt-get install util-linux');
  for (const scenario of scenarios) generatorFor(scenario, load);
  for (const name of peers)
    if (!PEER_NAMES.includes(name)) throw new UsageError(`no peer ${name}: there are ${PEER_NAMES.join(', ')}`);
}

/** Sentences that were said already. */
const told = new Set();
function sayOnce(text) {
  if (!told.has(text)) say(text);
  told.add(text);
}

function candidatesFor(scenario, options, other) {
  if (options.isSelfCheck) return selfCheckCandidates(root, options.sluiceFlags);
  const own = sluice('sluice', root, options.sluiceFlags);
  const candidates = [own];
  if (other !== null) candidates.push(sluice(`sluice@${other.commit}`, other.root, options.sluiceFlags));
  if (options.isTwice) candidates.push(sluice('sluice again', root, options.sluiceFlags));
  for (const name of options.peers) {
    const peer = peerNamed(name, scenario.layer);
    if (peer === undefined)
      sayOnce(`${name} is left out of scenarios of ${scenario.layer}: it is no proxy of that layer`);
    else if (scenario.tls !== null && peer.hasTls !== true)
      sayOnce(`${name} is left out of scenarios over TLS: it is not set up for it here`);
    else if (peer.isHere()) candidates.push(peer);
    else sayOnce(`${name} is left out of scenarios of ${scenario.layer}: ${peer.hint}`);
  }
  return candidates;
}

/** The proxy has the last processor for itself; load and endpoint share the others. */
function placement() {
  const processors = allowedProcessors();
  if (processors.length === 1) {
    say('there is only one processor: proxy, load and endpoint share it, and the figures are worth little');
    return { proxy: processors, load: processors };
  }
  return { proxy: processors.slice(-1), load: processors.slice(0, -1) };
}

function versionsOf(results) {
  const programs = new Set(
    results.flatMap(({ result }) => [result.generator, result.endpoint, ...result.candidates.map(({ name }) => name)]),
  );
  const versions = {};
  for (const [name, args] of [
    ['nginx', ['-v']],
    ['haproxy', ['-v']],
    ['wrk', ['-v']],
    ['h2load', ['--version']],
  ]) {
    if (![...programs].some((program) => program.startsWith(name))) continue;
    const { stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', env: withSystemPrograms() });
    versions[name] = /\d+\.\d+(\.\d+)?\S*/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
  }
  return versions;
}

function listText(scenarios) {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios
    .map(({ name, summary, sets }) => `${name.padEnd(width)}  ${summary} [${sets.join(', ')}]`)
    .join('\n');
}

function say(text) {
  console.log(text);
}

/** One line that is written over; nothing where nobody watches. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  progress('');
  console.error(`bench: ${error.message}`);
  const isWrong = error instanceof UsageError || error instanceof WrongAnswerError;
  process.exitCode = isWrong ? Exit.WRONG : Exit.CANNOT;
}
