/** Runs the commands that talk to a running sluice, and says what went wrong where it did. */
import { readFileSync } from 'node:fs';
import type { Arguments } from '../arguments.js';
import { AdminClient, AdminFailure } from './admin-client.js';
import { findTarget } from './admin-target.js';
import { runExplain } from './explain.js';
import { plainText } from './figures-text.js';
import { runReload } from './reload.js';
import { runStatus } from './status.js';
import { runSteering } from './steering.js';
import type { TerminalCommand } from './terminal-arguments.js';
import { TerminalExit, type TerminalExitCode } from './terminal-surroundings.js';
import { runTop, type TopSurroundings } from './top.js';

/** Runs one command. @returns the exit code: 0 well, 1 refused, 2 sluice does not answer. Thread: of a process of its own. */
export async function runTerminal({
  target,
  command,
}: Extract<Arguments, { kind: 'terminal' }>): Promise<TerminalExitCode> {
  const found = findTarget(target, { environment: process.env, readFile: (path) => readFileSync(path) });
  if (!found.ok) {
    process.stderr.write(`sluice: ${found.sentence}\n`);
    return TerminalExit.REFUSED;
  }
  // So that a terminal is given back by what runs at the end of the process; 128 + the number of the signal, as shells have it.
  for (const [signal, number] of Object.entries({ SIGTERM: 15, SIGHUP: 1, SIGINT: 2 })) {
    process.once(signal, () => process.exit(128 + number));
  }
  try {
    return await carryOut(command, surroundingsFor(new AdminClient(found.target)));
  } catch (error) {
    if (!(error instanceof AdminFailure)) throw error;
    process.stderr.write(`sluice: ${plainText(error.message)}\n`);
    return error.kind === 'unreachable' ? TerminalExit.UNREACHABLE : TerminalExit.REFUSED;
  }
}

function carryOut(command: TerminalCommand, surroundings: TopSurroundings): Promise<TerminalExitCode> {
  switch (command.name) {
    case 'status':
      return runStatus(command.isJson, surroundings);
    case 'top':
      return runTop(command, surroundings);
    case 'drain':
    case 'undrain':
    case 'weight':
      return runSteering(command, surroundings);
    case 'reload':
      return runReload(command.isJson, surroundings);
    case 'explain':
      return runExplain(command.request, command.isJson, surroundings);
  }
}

function surroundingsFor(client: AdminClient): TopSurroundings {
  const { stdout, stdin, stderr, env } = process;
  const isTerminal = stdout.isTTY === true && stdin.isTTY === true && env.TERM !== 'dumb';
  return {
    client,
    out: stdout,
    err: stderr,
    isTerminal,
    isColoured: stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    nowMs: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    keys: stdin,
    onResize: (listener) => {
      stdout.on('resize', listener);
      return () => stdout.off('resize', listener);
    },
    suspend: () =>
      new Promise((resolve) => {
        process.once('SIGCONT', () => resolve());
        process.kill(process.pid, 'SIGTSTP');
      }),
  };
}
