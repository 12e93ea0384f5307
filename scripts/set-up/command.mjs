/** Runs one command of the set-up quietly: its output goes to a log, and to the terminal only when it fails. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { CACHE, ROOT } from '../repository.mjs';

/** Lines of a failed command's log that are shown: where it names the first problem, and where it gave up. */
const FIRST_LINES = 15;
const LAST_LINES = 25;

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** A failure that a person can mend; its message is the whole story, no stack needed. */
export class SetUpError extends Error {
  name = 'SetUpError';
}

/** @param {string} sentence progress, for people */
export function tell(sentence) {
  process.stderr.write(`sluice: ${sentence}\n`);
}

/**
 * Runs a command in the repository's top folder to its end.
 *
 * @param {{ what: string, log: string, program: string, args: string[], env?: NodeJS.ProcessEnv }} command
 *   what: said while it runs, e.g. 'compiling the native engine'; log: name of its log, without folder and ending
 * @throws SetUpError with an excerpt of the log and its path
 */
export async function runCommand({ what, log, program, args, env = process.env }) {
  const logPath = `${CACHE}/logs/${log}.log`;
  mkdirSync(`${CACHE}/logs`, { recursive: true });
  tell(`${what} …`);
  const startedAt = Date.now();
  const output = openSync(logPath, 'w');
  const { ending, wasStopped } = await endOf(program, args, { cwd: ROOT, env, stdio: ['ignore', output, output] });
  closeSync(output);
  if (wasStopped) throw new SetUpError(`${what} was stopped; the next run begins it again.`);
  if (ending !== '') {
    throw new SetUpError(
      `${what} ${ending}. From its output (all of it is in ${relative(ROOT, logPath)}):\n${excerptOf(logPath)}`,
    );
  }
  tell(`${what}: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

/**
 * Runs a program and all it starts as a process group of its own, which a signal to the set-up ends as a whole: compilers
 * that outlive it would write into the next build.
 *
 * @returns {Promise<{ ending: string, wasStopped: boolean }>} how it ended, in words, '' when well; did a signal to us end it?
 */
function endOf(program, args, options) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, detached: true });
    let wasStopped = false;
    const endGroup = (signal) => {
      wasStopped = true;
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    };
    const settle = (ending) => {
      for (const signal of ENDING_SIGNALS) process.off(signal, endGroup);
      resolve({ ending, wasStopped });
    };
    for (const signal of ENDING_SIGNALS) process.on(signal, endGroup);
    child.once('error', (error) => settle(`could not be started (${error.message})`));
    child.once('exit', (code, signal) =>
      settle(signal ? `was ended by ${signal}` : code === 0 ? '' : `failed (${code})`),
    );
  });
}

/** The beginning and the end of a log, marked as such. */
function excerptOf(logPath) {
  const lines = readFileSync(logPath, 'utf8').trimEnd().split('\n');
  const isLong = lines.length > FIRST_LINES + LAST_LINES;
  const shown = isLong ? [...lines.slice(0, FIRST_LINES), '[…]', ...lines.slice(-LAST_LINES)] : lines;
  return shown.map((line) => `  | ${line}`).join('\n');
}
