/** Where the log leaves the process. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { openLogSink, prettySink } from '../../../src/observability/log-sink.js';
import { createLogger } from '../../../src/observability/logger.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0)) close();
});

afterAll(() => rmSync(folder, { recursive: true }));

function openFile(path: string): number {
  const fd = openSync(path, 'a');
  open.push(() => closeSync(fd));
  return fd;
}

/** A named pipe without a reader that reads: what is written stays in the pipe until the test takes it. */
function openPipe(): { readonly writer: number; readonly reader: number } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  // Open for both, so that neither open waits for the other side.
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  closeSync(both);
  rmSync(path);
  return { writer, reader };
}

/** The reader of a pipe: keeps all it has read. */
class PipeReader {
  text = '';
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
    open.push(() => closeSync(fd));
  }

  /** Reads on until it has what the test wants. */
  async until(hasAll: (text: string) => boolean): Promise<void> {
    const step = (): boolean => {
      this.#take();
      return hasAll(this.text);
    };
    await vi.waitUntil(step, { timeout: 15_000, interval: 1 });
  }

  #take(): void {
    const chunk = Buffer.alloc(1 << 20);
    try {
      this.text += chunk.toString('latin1', 0, readSync(this.#fd, chunk));
    } catch {
      // EAGAIN: it is empty.
    }
  }
}

describe('log sink', () => {
  it('has written every line to a file when write returns', () => {
    const path = join(folder, 'log');
    const sink = openLogSink(openFile(path), false);
    for (let line = 0; line < 1_000; line++) sink.write(`{"line":${line}}\n`);
    const written = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect([written.length, written.at(-1)]).toEqual([1_000, '{"line":999}']);
    rmSync(path);
  });

  it('does not wait for the reader of a pipe, and loses nothing when it reads late', async () => {
    const { writer, reader: fd } = openPipe();
    const reader = new PipeReader(fd);
    const sink = openLogSink(writer, false);
    const line = `${'x'.repeat(999)}\n`;
    for (let count = 0; count < 1_000; count++) sink.write(line);
    const flushed = sink.flush();
    await reader.until((text) => text.length === 1_000_000);
    await flushed;
  });

  it('drops lines, and says how many, when the reader is far behind', async () => {
    const { writer, reader: fd } = openPipe();
    const reader = new PipeReader(fd);
    const sink = openLogSink(writer, false);
    const line = `${'x'.repeat(1_048_575)}\n`;
    for (let count = 0; count < 30; count++) sink.write(line);
    const flushed = sink.flush();
    await reader.until((text) => text.length > 16_000_000);
    await flushed;
    sink.write('{}\n');
    await reader.until((text) => text.endsWith('{}\n'));
    expect(reader.text).toMatch(/"event":"log-lines-dropped","lines":\d+/);
  });

  it('goes on when the reader of a pipe has left, and does not wait for it', async () => {
    const { writer, reader } = openPipe();
    const sink = openLogSink(writer, false);
    closeSync(reader);
    for (let count = 0; count < 100; count++) sink.write('{}\n');
    await sink.flush();
    sink.write('{}\n');
    await sink.flush();
  });

  it('goes on when the disk is full', async () => {
    const sink = openLogSink(openFile('/dev/full'), false);
    sink.write('{}\n');
    await sink.flush();
  });

  it('writes text for people on a terminal', () => {
    let text = '';
    const sink = prettySink((piece) => {
      text += piece;
    });
    createLogger('info', sink).warn({ event: 'file-limit-low', needed: 5 }, 'the limit is low');
    expect(text).toContain('the limit is low');
    expect(text).toContain('WARN');
    expect(text).not.toContain('{"');
  });

  it('lets no control character of a fact reach the terminal', () => {
    let text = '';
    const sink = prettySink((piece) => {
      text += piece;
    });
    const hostile = '\u001b[31m\u009b31m\u0085\u007f\u0080\r\b\u0000';
    const error = new Error(hostile);
    createLogger('info', sink).error({ event: 'worker-error', [hostile]: hostile, err: error }, hostile);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of pino-pretty itself
    const plain = text.replace(/\u001b\[\d+m/g, '');
    expect(plain).toMatch(/^[^\p{Cc}]+$/mu);
    expect(plain.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(plain).toContain('\\u009b31m\\u0085\\u007f\\u0080');
  });
});
