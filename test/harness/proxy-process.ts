/** Runs sluice as its users do, in a process of its own, for tests that look at the wire. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FrontEndName } from '../../src/config/plan.js';

/** SLUICE_MAIN: another main.js than the compiled one; `npm test` takes that of the bundle. */
const MAIN = process.env['SLUICE_MAIN'] ?? fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A log line of the process, parsed. */
export type LogLine = Record<string, unknown> & { event?: string; msg?: string };

/** pino's numbers of levels. */
const ERROR_LEVELS = [50, 60, 'error', 'fatal'];

/** What went wrong inside: uncaught errors, crashes, lines that are no log. */
export function badLines(log: readonly LogLine[]): readonly LogLine[] {
  return log.filter((line) => line.event === undefined || ERROR_LEVELS.includes(line['level'] as number | string));
}

/** A running sluice. Always `stop` it. */
export interface ProxyProcess {
  readonly child: ChildProcess;
  /** Real port of the first listener. */
  readonly port: number;
  readonly adminPort: number;
  /** Everything logged so far. */
  readonly log: readonly LogLine[];
  /** Waits for a line that `matches`, also among those written already. */
  lineWhere(matches: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  /** Writes another configuration, and has it read by SIGHUP; `reloaded` or `reload-failed` follows in the log. */
  reload(config: object): void;
  /** GET on the admin API. @returns the body, parsed */
  admin<T = unknown>(path: string): Promise<T>;
  /** SIGTERM (or another signal), then waits for the end. @returns the exit code or the signal's name */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

/**
 * Starts `sluice run` with a configuration (written to a temporary file) and waits until it accepts.
 *
 * @param options.wrap words in front of the command
 * @param options.main what runs instead of Node with main.js
 */
export async function startProxy(
  config: object,
  options: { wrap?: string[]; args?: string[]; main?: readonly string[] } = {},
): Promise<ProxyProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(directory, 'sluice.json');
  // Under its name when it is whole: a proxy that runs watches it.
  const write = (what: object): void => {
    writeFileSync(`${file}.new`, JSON.stringify({ admin: { bind: '127.0.0.1:0' }, workers: 2, ...what }));
    renameSync(`${file}.new`, file);
  };
  write(config);
  const main = options.main ?? [process.execPath, MAIN];
  const command = [...(options.wrap ?? []), ...main, 'run', '-c', file, ...(options.args ?? [])];
  const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const log: LogLine[] = [];
  const listeners = new Set<() => void>();
  let rest = '';
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) log.push(line.startsWith('{') ? (JSON.parse(line) as LogLine) : { msg: line });
    for (const listener of listeners) listener();
  });
  const exited = once(child, 'close').then(([code, signal]) => {
    rmSync(directory, { recursive: true, force: true });
    return (code ?? signal) as number | string;
  });
  const lineWhere = (matches: (line: LogLine) => boolean, timeoutMs = 10_000): Promise<LogLine> =>
    new Promise((resolve, reject) => {
      const done = (act: () => void): void => {
        listeners.delete(look);
        clearTimeout(timer);
        act();
      };
      const told = (): string => `${log.map((line) => JSON.stringify(line)).join('\n')}\n${rest}`;
      const look = (): void => {
        const line = log.find(matches);
        if (line !== undefined) done(() => resolve(line));
      };
      const timer = setTimeout(() => done(() => reject(new Error(`no such line in the log:\n${told()}`))), timeoutMs);
      listeners.add(look);
      void exited.then((code) => done(() => reject(new Error(`sluice ended with ${code}:\n${told()}`))));
      look();
    });
  try {
    const listening = await lineWhere((line) => line.event === 'listening');
    const admin = await lineWhere((line) => line.event === 'admin-listening');
    const adminPort = Number(admin['port']);
    return {
      child,
      port: Number(listening['port']),
      adminPort,
      log,
      lineWhere,
      reload: (next) => {
        write(next);
        child.kill('SIGHUP');
      },
      admin: async <T>(path: string) => (await (await fetch(`http://127.0.0.1:${adminPort}${path}`)).json()) as T,
      stop: async (signal = 'SIGTERM') => {
        if (child.exitCode === null && child.signalCode === null) child.kill(signal);
        const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
        const code = await exited;
        clearTimeout(timer);
        return code;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/**
 * One listener on a free port in front of the given endpoint ports.
 *
 * @param more.frontend what the listener speaks through; undefined: what the product takes by itself
 */
export function configFor(
  ports: readonly number[],
  more: { frontend?: FrontEndName; listener?: object; upstream?: object; route?: object } & Record<
    string,
    unknown
  > = {},
): object {
  const { frontend, listener, upstream, route, ...rest } = more;
  return {
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        bind: '127.0.0.1:0',
        ...(frontend === undefined ? {} : { frontend }),
        routes: [{ match: { path: '/' }, upstream: 'app', ...route }],
        ...listener,
      },
    ],
    upstreams: { app: { endpoints: ports.map((port) => ({ address: `127.0.0.1:${port}` })), ...upstream } },
    ...rest,
  };
}
