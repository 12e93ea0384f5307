/** `sluice top` in a pseudo terminal: what keys do, and that the terminal is given back however it ends. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminApi } from '../../../src/control/admin/admin-api.js';
import type { LiveFigures } from '../../../src/observability/live-figures.js';
import { SourceDouble, startTestApi } from '../../harness/admin-source.js';
import { BUSY_FIGURES } from '../../harness/live-figures.js';
import { SLUICE_MAIN } from '../../harness/run-sluice.js';
import { until } from '../control/sluice-process.js';

/** util-linux: runs a command in a pseudo terminal. */
const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false;
if (!hasScript) console.warn('skipped: script of util-linux is not there, so that there is no pseudo terminal');

const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?25h\u001b[?1049l';

let source: SourceDouble;
let api: AdminApi;
let children: ChildProcess[] = [];

beforeEach(async () => {
  source = new SourceDouble();
  const live = { now: (): LiveFigures => BUSY_FIGURES, onFigures: source.figures.on };
  api = await startTestApi(Object.assign(source, { live }));
});
afterEach(async () => {
  api.close();
  const ended = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  children = [];
  for (const child of ended) child.kill('SIGKILL');
  await Promise.all(ended.map((child) => once(child, 'close')));
});

/** top, and everything it has written. */
class Terminal {
  readonly child: ChildProcess;
  written = '';
  readonly code: Promise<number | null>;

  constructor(environment: Record<string, string> = {}, columns = 80) {
    const words = [process.execPath, SLUICE_MAIN, 'top', '--admin', `127.0.0.1:${api.port}`];
    const command = `stty cols ${columns} rows 20; echo pid=$$; exec ${words.map((word) => `'${word}'`).join(' ')}`;
    this.child = spawn('script', ['-qfec', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', ...environment },
    });
    children.push(this.child);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.written += text;
    });
    this.code = once(this.child, 'close').then(([code]) => code as number | null);
  }

  type(keys: string): void {
    this.child.stdin?.write(keys);
  }

  shows(text: string): Promise<true> {
    return until(`"${text}" on the screen`, () => (this.written.includes(text) ? true : undefined));
  }

  /** Of node itself, which script runs. */
  get pid(): number {
    return Number(/pid=(\d+)/.exec(this.written)?.[1]);
  }
}

describe.skipIf(!hasScript)('top', () => {
  it('shows endpoints, obeys keys and gives the terminal back', async () => {
    const top = new Terminal();
    await top.shows('10.0.0.1:9001');
    expect(top.written).toContain(ENTER);
    expect(top.written).toContain('\u001b[32mhealthy');
    top.type('r');
    await top.shows('▾REQ/S');
    top.type('p');
    await top.shows('PAUSED');
    top.type('uu');
    await top.shows('only pg');
    top.type('q');
    expect(await top.code).toBe(0);
    expect(top.written.endsWith(LEAVE)).toBe(true);
  });

  it('is live, also after sluice was away', async () => {
    const top = new Terminal();
    await top.shows('plan 3');
    await until('a reader', () => (source.figures.listeners.size > 0 ? true : undefined));
    source.figures.tell({ ...BUSY_FIGURES, epoch: 4 });
    await top.shows('plan 4');
    const { port } = api;
    api.close();
    await top.shows('NOT LIVE');
    const live = { now: (): LiveFigures => ({ ...BUSY_FIGURES, epoch: 5 }), onFigures: source.figures.on };
    api = await startTestApi(Object.assign(source, { live }), { port });
    await top.shows('plan 5');
    top.type('\u0003');
    expect(await top.code).toBe(0);
  });

  it('gives the terminal back when it is ended by a signal', async () => {
    const top = new Terminal();
    await top.shows('10.0.0.1:9001');
    process.kill(top.pid, 'SIGTERM');
    expect(await top.code).toBe(143);
    expect(top.written.endsWith(LEAVE)).toBe(true);
  });

  it('has no colours with NO_COLOR, and as many columns as there are', async () => {
    const top = new Terminal({ NO_COLOR: '1' }, 120);
    await top.shows('[2001:db8:1234:56');
    top.type('q');
    await top.code;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what colours are made of
    expect(top.written).not.toMatch(/\u001b\[3[12]m/);
  });
});
