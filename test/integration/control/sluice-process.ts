/** Starts sluice as a process of its own and reads what it logs, for the integration tests of the primary. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

/** Nothing that these tests wait for takes longer on a machine that works. */
const DEADLINE_MS = 20_000;

// Tests wait for several things, one after the other: which one is late is told before the test itself is given up.
vi.setConfig({ testTimeout: 90_000 });

export type LogRecord = Record<string, unknown>;

const MAIN = process.env['SLUICE_MAIN'] ?? fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** Waits until `look` finds something. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadlineAt = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadlineAt) throw new Error(`did not come in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A running sluice. */
export class SluiceProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(words: readonly string[], environment: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.#exit = once(this.child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /** `node dist/cli/main.js …`, or what SLUICE_MAIN says. */
  static command(...words: string[]): SluiceProcess {
    return new SluiceProcess([MAIN, ...words]);
  }

  /** `run` with a worker entry from the fixtures. */
  static withEntry(entry: string, environment: Record<string, string>, ...words: string[]): SluiceProcess {
    return new SluiceProcess([fixture('sluice-with-entry.mjs'), fixture(entry), ...words], environment);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What was logged so far; lines that are not JSON are left out. */
  logged(): LogRecord[] {
    return this.stderr.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogRecord] : []));
  }

  /** Waits for a log record. */
  event(name: string, matches: (record: LogRecord) => boolean = () => true): Promise<LogRecord> {
    return until(`log event ${name}`, () => {
      if (this.hasEnded) this.#throwUnless(name, matches);
      return this.logged().find((record) => record.event === name && matches(record));
    });
  }

  #throwUnless(name: string, matches: (record: LogRecord) => boolean): void {
    const isLogged = this.logged().some((record) => record.event === name && matches(record));
    if (!isLogged) throw new Error(`sluice ended without the log event ${name}:\n${this.stderr}${this.stdout}`);
  }

  /** The address of the listener, once it accepts. */
  async url(): Promise<string> {
    const { host, port } = await this.event('listening');
    await this.event('ready');
    return `http://${host}:${port}`;
  }

  /** The address of the admin API. */
  async adminUrl(): Promise<string> {
    const { host, port } = await this.event('admin-listening');
    return `http://${host}:${port}`;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for its end. @returns the exit code, or the signal that ended it */
  async exit(): Promise<number | string | null> {
    const late = setTimeout(() => this.child.kill('SIGKILL'), DEADLINE_MS);
    const { code, signal } = await this.#exit;
    clearTimeout(late);
    return code ?? signal;
  }

  /** Ends it whatever state it is in. Idempotent. */
  async close(): Promise<void> {
    if (!this.hasEnded) this.child.kill('SIGKILL');
    await this.#exit;
  }
}

/** An endpoint on a free port. */
export interface TestEndpoint {
  readonly address: string;
  close(): Promise<void>;
}

export async function startEndpoint(answer: RequestListener): Promise<TestEndpoint> {
  const endpoint: Server = createServer(answer);
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  return {
    address: `127.0.0.1:${(endpoint.address() as AddressInfo).port}`,
    close: async () => {
      endpoint.closeAllConnections();
      endpoint.close();
      await once(endpoint, 'close');
    },
  };
}
