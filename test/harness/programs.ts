/** Real programs that tests run against sluice: found where Debian puts them, run with a deadline, ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';

/** Where PostgreSQL's own programs are; Debian does not put them into PATH. */
function postgresFolders(): string[] {
  try {
    const root = '/usr/lib/postgresql';
    return readdirSync(root).map((version) => join(root, version, 'bin'));
  } catch {
    return [];
  }
}

/** @returns the path of a program, or undefined, and then says which package has it */
export function findProgram(name: string, packageName: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', ...postgresFolders()];
  for (const folder of folders) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // not here
    }
  }
  console.info(`skipped: ${name} is not installed (apt-get install ${packageName})`);
  return undefined;
}

/** A port of 127.0.0.1 for a program that cannot choose one itself. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

/** A program that runs until the test ends it. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** All it has written to both of its outputs. */
  readonly output: string;
  close(): Promise<void>;
}

/** @param stopSignal what ends it with all it has started */
export function startProgram(
  path: string,
  args: readonly string[],
  stopSignal: NodeJS.Signals = 'SIGTERM',
): RunningProgram {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const closed = once(child, 'close');
  return {
    child,
    get output() {
      return output;
    },
    close: async () => {
      child.kill(stopSignal);
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** How a program has ended. */
export interface EndedProgram {
  /** null: by a signal, as when it took too long. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** All it has written to both of its outputs. */
  readonly output: string;
}

/** Runs a program to its end, which may be a failure; kills it when it takes longer than `timeoutMs`. */
export async function endOfProgram(path: string, args: readonly string[], timeoutMs: number): Promise<EndedProgram> {
  const program = startProgram(path, args);
  const timer = setTimeout(() => program.child.kill('SIGKILL'), timeoutMs);
  const [code, signal] = (await once(program.child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { code, signal, output: program.output };
}

/** Runs a program to its end. @returns what it wrote. @throws Error when it fails or takes longer than `timeoutMs` */
export async function runProgram(path: string, args: readonly string[], timeoutMs: number): Promise<string> {
  const { code, signal, output } = await endOfProgram(path, args, timeoutMs);
  if (code !== 0) throw new Error(`${path} ${args.join(' ')} ended with ${code ?? signal}:\n${output}`);
  return output;
}
