/** Runs commands of sluice that end by themselves, for tests of what they print and how they end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** SLUICE_MAIN: another main.js than the compiled one; `npm test` takes that of the bundle. */
export const SLUICE_MAIN =
  process.env['SLUICE_MAIN'] ?? fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How a command has ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface Running {
  /** Printed so far on standard output. */
  out(): string;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a command without a terminal. */
export function startSluice(words: readonly string[], environment: Record<string, string> = {}): Running {
  const { SLUICE_TOKEN: _token, ...inherited } = process.env;
  const child = spawn(process.execPath, [SLUICE_MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inherited, ...environment },
  });
  const printed = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.err += text;
  });
  return {
    out: () => printed.out,
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...printed })),
    kill: (signal) => child.kill(signal),
  };
}

/** Runs a command to its end. */
export function runSluice(words: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  return startSluice(words, environment).ended;
}
