/** Watching files in real directories: what is heard at once, and what a directory costs in which other files change all the time. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileWatch } from '../../../src/control/file-watch.js';
import { until } from '../../harness/wire.js';

let directory: string;
let path: string;
/** Times that somebody asked to be called, by how much later. */
let asked: Map<number, (() => void)[]>;
let looks: number;
let watching: FileWatch;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-file-watch-'));
  path = join(directory, 'sluice.yaml');
  writeFileSync(path, 'a');
  asked = new Map();
  looks = 0;
  const timers = {
    after: (ms: number, call: () => void) => {
      asked.set(ms, [...(asked.get(ms) ?? []), call]);
      return () => {};
    },
  };
  const hasChanged = () => {
    looks += 1;
    return false;
  };
  watching = new FileWatch({ paths: [path], hasChanged }, timers as never, () => {});
  watching.set(true);
});

afterEach(() => {
  watching.set(false);
  rmSync(directory, { recursive: true });
});

const settling = () => asked.get(100)?.length ?? 0;

/** Until the directory's events have come, however many: the timers of Node's loop come behind them. */
const eventsHaveCome = () => new Promise((resolve) => setTimeout(resolve, 200));

it('hears of its file and of new ones at once, and not of a log that is written', async () => {
  writeFileSync(path, 'b');
  await until('the change is heard', () => settling() > 0);
  await eventsHaveCome();
  const before = settling();
  writeFileSync(join(directory, 'log'), '');
  await until('the new file is heard', () => settling() > before);
  await eventsHaveCome();
  const made = settling();
  appendFileSync(join(directory, 'log'), 'line\n');
  await eventsHaveCome();
  expect(settling()).toBe(made);
  expect(looks).toBe(0);
});

it('stops to listen where others change all the time, and looks later', async () => {
  // Two in turn: the kernel makes one event of several that follow each other and say the same.
  for (let line = 0; line < 3_000; line += 1) appendFileSync(join(directory, `log${line % 2}`), `${line}\n`);
  await eventsHaveCome();
  const before = settling();
  writeFileSync(path, 'b');
  await eventsHaveCome();
  expect(settling()).toBe(before);
  // The look of every 5 s: it asks, and listens again.
  asked.get(5_000)?.[0]?.();
  expect(looks).toBe(1);
  writeFileSync(path, 'c');
  await until('the change is heard', () => settling() > before);
});
