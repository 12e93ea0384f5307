/** Runs one scenario: starts its endpoints and candidates, and loads the candidates in turn, round by round. */
import { fileURLToPath } from 'node:url';
import { startEndpoints } from './endpoint/endpoints.mjs';
import { errorCount } from './generators/result.mjs';
import { busyUs } from './measure/machine-figures.mjs';
import { cpuUs, memory } from './measure/process-figures.mjs';
import { freePort } from './processes.mjs';
import { verifyAnswers, waitUntilAnswers, wrongBytes } from './verify.mjs';

const IDLE_CHILD = fileURLToPath(new URL('idle-child.mjs', import.meta.url));
/** The checked round and the unmeasured one before the first; both warm a candidate up. */
const CHECK_S = 1;
const WARM_UP_S = 1;

/**
 * @typedef {object} LoadOptions what a generator's load() gets
 * @property {import('./processes.mjs').Programs} programs
 * @property {readonly number[]} processors
 * @property {number} port
 * @property {import('./scenarios/scenario.mjs').Scenario} scenario
 * @property {number} durationS
 *
 * @typedef {object} Round what one candidate did in one round
 * @property {number} atMs since the start of the scenario
 * @property {number} requests
 * @property {number} perSecond
 * @property {number} cpuUsPerRequest of the proxy, all threads; NaN without a proxy
 * @property {number} machineUsPerRequest busy time of all processors of the run
 * @property {readonly (readonly [number, number])[]} latencyUs
 * @property {readonly number[] | null} eachSecond answers in each second of the round, where the generator tells
 * @property {number} errors
 * @property {string | null} wrong what the answers had that they should not have
 * @property {{ proxy: number, load: number }} busyShare of the proxy's (0 without one) and of the other processors, whoever
 *   kept them busy
 * @property {number | null} idleBytes memory of the proxy for each idle connection
 *
 * @typedef {object} CandidateResult
 * @property {string} name
 * @property {readonly Round[]} rounds
 * @property {number} checkedAnswers how many answers were looked at one by one, hash included, before the first round
 * @property {number} peakBytes highest memory of the process
 *
 * @typedef {object} ScenarioResult
 * @property {import('./scenarios/scenario.mjs').Scenario} scenario
 * @property {string} generator
 * @property {string} endpoint
 * @property {number} durationS
 * @property {readonly CandidateResult[]} candidates
 */

/**
 * Runs one scenario.
 *
 * @param {{ programs: import('./processes.mjs').Programs, scenario: import('./scenarios/scenario.mjs').Scenario,
 *   candidates: readonly any[], generator: any, rounds: number, durationS: number,
 *   place: { proxy: readonly number[], load: readonly number[] }, onProgress: (text: string) => void }} options
 * @returns {Promise<ScenarioResult>}
 * @throws WrongAnswerError when a candidate answers wrongly; Error when one does not start
 */
export async function runScenario(options) {
  const { programs, scenario, generator, rounds, durationS, place, onProgress } = options;
  const endpoints = await startEndpoints(programs, scenario, place.load);
  const running = [];
  for (const candidate of options.candidates) {
    onProgress(`${scenario.name}: starting ${candidate.name}`);
    running.push(await startCandidate(candidate, endpoints.ports, options));
  }
  const startedAt = Date.now();
  for (const one of running) {
    onProgress(`${scenario.name}: checking the answers of ${one.name}`);
    one.checked = await verifyAnswers(one.name, one.port, scenario, CHECK_S);
    await loadCandidate(one, options, WARM_UP_S);
  }
  for (let round = 0; round < rounds; round++) {
    // Turned round each time: who comes first in a round may meet another machine than who comes last.
    const order = round % 2 === 0 ? running : [...running].reverse();
    for (const one of order) {
      onProgress(`${scenario.name}: round ${round + 1} of ${rounds}, ${one.name}`);
      one.rounds.push({ atMs: Date.now() - startedAt, ...(await measure(one, options)) });
    }
  }
  for (const one of running) one.peakBytes = one.program === null ? 0 : memory(one.program.pid).peak;
  for (const one of running) await one.program?.end();
  return {
    scenario,
    generator: generator.name,
    endpoint: endpoints.kind,
    durationS,
    candidates: running.map(({ name, rounds: own, peakBytes, checked }) => ({
      name,
      rounds: own,
      checkedAnswers: checked.answers,
      peakBytes,
    })),
  };
}

async function startCandidate(candidate, endpointPorts, { programs, scenario, place }) {
  if (candidate.isDirect)
    return { name: candidate.name, port: endpointPorts[0], program: null, rounds: [], peakBytes: 0 };
  const port = await freePort();
  const { command, args, cwd, env } = candidate.command({
    programs,
    port,
    endpointPorts,
    workers: place.proxy.length,
    scenario,
  });
  const program = programs.start({ name: candidate.name, processors: place.proxy, command, args, cwd, env });
  await waitUntilAnswers(program, port, scenario);
  return { name: candidate.name, port, program, rounds: [], peakBytes: 0 };
}

/** Loads one candidate. @throws Error that says whether it has died of it */
async function loadCandidate(one, { programs, scenario, generator, place }, durationS) {
  try {
    return await generator.load({ programs, processors: place.load, port: one.port, scenario, durationS });
  } catch (error) {
    const death = one.program?.hasEnded ? `, which has ended: ${one.program.errorText.trim() || 'no word why'}` : '';
    throw new Error(`${one.name}${death}: ${error.message}`);
  }
}

async function measure(one, options) {
  const { scenario, durationS, place } = options;
  const held = await holdIdle(one, options);
  const proxyCpuUs = () => (one.program === null ? Number.NaN : cpuUs(one.program.pid));
  const cpuBefore = proxyCpuUs();
  const busyBefore = busyUs();
  const result = await loadCandidate(one, options, durationS);
  const busyAfter = busyUs();
  const cpuAfter = proxyCpuUs();
  await held.program?.end();
  const busyOf = (processors) =>
    processors.reduce((sum, id) => sum + (busyAfter.get(id) ?? 0) - (busyBefore.get(id) ?? 0), 0);
  const share = (processors) => busyOf(processors) / (processors.length * result.durationS * 1e6);
  return {
    requests: result.requests,
    perSecond: result.perSecond,
    cpuUsPerRequest: (cpuAfter - cpuBefore) / result.requests,
    machineUsPerRequest: busyOf([...new Set([...place.proxy, ...place.load])]) / result.requests,
    latencyUs: result.latencyUs,
    eachSecond: result.eachSecond,
    errors: errorCount(result),
    wrong: wrongBytes(result, scenario, one.checked.wireBytes),
    busyShare: { proxy: one.program === null ? 0 : share(place.proxy), load: share(place.load) },
    idleBytes: held.bytesEach,
  };
}

/** Opens the idle connections of a scenario to one candidate, and sees what each of them costs it. */
async function holdIdle(one, { programs, scenario, place }) {
  const { idleConnections } = scenario;
  if (idleConnections === 0) return { program: null, bytesEach: null };
  const before = one.program === null ? null : memory(one.program.pid).anonymous;
  const kind = scenario.layer === 'l4' ? 'silent' : 'request';
  const program = programs.start({
    name: 'idle connections',
    processors: place.load,
    command: process.execPath,
    args: [IDLE_CHILD, String(one.port), String(idleConnections), kind, scenario.tls === null ? 'plain' : 'tls'],
  });
  const isReady = new Promise((resolve) => program.child.stdout.once('data', () => resolve(true)));
  const hasEnded = program.ended.then(() => false);
  if (!(await Promise.race([isReady, hasEnded])))
    throw new Error(`${one.name} does not take ${idleConnections} idle connections: ${program.errorText.slice(-300)}`);
  const bytesEach = before === null ? null : (memory(one.program.pid).anonymous - before) / idleConnections;
  return { program, bytesEach };
}
