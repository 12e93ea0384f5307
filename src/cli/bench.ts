/** The command `bench`: loads any http address and says what came back. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ExitCode } from '../control/start-failure.js';
import type { Arguments } from './arguments.js';
import type { BenchOptions } from './bench-arguments.js';
import { type BenchLoad, startBenchLoad } from './bench-load.js';
import { benchReport, isWell, progressLine } from './bench-report.js';
import { DemoDisplay, type DisplayStream } from './demo-display.js';

const FIRST_ANSWER_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 200;
const MS_PER_S = 1_000;
const SIGINT_EXIT = 130;

/** Where the command prints: the report on `stdout`, progress and failures on `stderr`. */
export interface BenchSurroundings {
  readonly stdout: DisplayStream;
  readonly stderr: DisplayStream;
}

/**
 * Loads an address. Ctrl-C ends the load early and still reports; a second one ends it all. Thread: primary.
 *
 * @returns the exit code: 0, or 1 when the address does not answer or answers came with errors
 */
export async function runBench(
  { options }: Extract<Arguments, { kind: 'bench' }>,
  { stdout: out, stderr: err }: BenchSurroundings,
): Promise<number> {
  const failure = await firstAnswerFailure(options.url);
  if (failure !== null) {
    err.write(`sluice: ${failure}\n`);
    return ExitCode.BAD_INPUT;
  }
  const load = startBenchLoad(options);
  const interrupt = (): void => {
    load.stop();
    process.once('SIGINT', () => process.exit(SIGINT_EXIT));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const endProgress = showProgress(load, options, err);
  const findings = await load.findings;
  endProgress();
  out.write(`${benchReport(options, findings).join('\n')}\n`);
  return isWell(findings) ? ExitCode.OK : ExitCode.BAD_INPUT;
}

/** One line that is rewritten; nothing where nobody watches. @returns ends it and takes it away */
function showProgress(load: BenchLoad, options: BenchOptions, err: DisplayStream): () => void {
  const display = new DemoDisplay(err);
  if (!display.isTerminal) return () => {};
  const startedAt = performance.now();
  let before = { at: startedAt, answers: 0 };
  const timer = setInterval(() => {
    const now = { at: performance.now(), answers: load.answers() };
    const perSecond = ((now.answers - before.answers) / (now.at - before.at)) * MS_PER_S;
    display.live(progressLine((now.at - startedAt) / MS_PER_S, options, perSecond));
    before = now;
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    display.live('');
  };
}

/** Asks once before the load, so that a wrong address gets a sentence instead of a table of zeros. @returns null: it answers */
function firstAnswerFailure(url: string): Promise<string | null> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, timeout: FIRST_ANSWER_TIMEOUT_MS, rejectUnauthorized: false });
    asked.on('response', (response) => {
      resolve(null);
      response.destroy();
    });
    asked.on('timeout', () => {
      resolve(`${url} does not answer within ${FIRST_ANSWER_TIMEOUT_MS / MS_PER_S} s`);
      asked.destroy();
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(sentenceOf(url, error)));
    asked.end();
  });
}

function sentenceOf(url: string, error: NodeJS.ErrnoException): string {
  const { host, hostname } = new URL(url);
  switch (error.code) {
    case 'ECONNREFUSED':
      return `nobody listens on ${host}: is it started, and is the port right?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${hostname} is not known here`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${hostname} from here`;
    default:
      return `${url} gives no HTTP answer: ${error.message || (error.code ?? 'unknown')}`;
  }
}
