/** Where the lines of the log leave the process: text on a terminal, JSON in a file or a pipe. Thread: primary. */
import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import pretty from 'pino-pretty';
import type { LogEvent } from './log-events.js';

/** The sink of whole lines of JSON, each ended by a newline. Never throws: there is no other place to tell it. */
export interface LogSink {
  write(line: string): void;
  /** Lines that were dropped since the start, because their reader is too slow. */
  readonly droppedLines: number;
  /** Resolves when everything written so far has left the process, or its reader has been given up on. */
  flush(): Promise<void>;
}

/** A reader that takes nothing for this long at the end of the process is given up on. */
const FLUSH_PATIENCE_MS = 2_000;

/** More than this waiting for a slow reader is dropped, and counted, rather than kept in memory without bound. */
const UNREAD_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Makes the sink on a file descriptor. Files and terminals are written to at once; a pipe's reader may stall, and the
 * primary must go on supervising meanwhile, so a pipe is written to in the background.
 *
 * @param fd an open file descriptor, e.g. 2
 * @param isTerminal write text with colours instead of JSON
 */
export function openLogSink(fd: number, isTerminal: boolean): LogSink {
  if (isTerminal) return prettySink((text) => writeAtOnce(fd, text));
  const kind = fstatSync(fd);
  if (kind.isFIFO() || kind.isSocket()) return new PipeSink(fd);
  return { write: (line) => writeAtOnce(fd, line), droppedLines: 0, flush: async () => {} };
}

/** Makes a sink that turns JSON lines into readable text. */
export function prettySink(write: (text: string) => void): LogSink {
  const text = pretty.prettyFactory({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname,event' });
  return { write: (line) => write(withoutControls(text(line))), droppedLines: 0, flush: async () => {} };
}

/**
 * Spells out what a terminal may take for a command, e.g. U+009B, which is ESC [ to some: DEL and C1. pino-pretty has dealt
 * with what lies below, and its own colours are made of that.
 */
function withoutControls(text: string): string {
  return text.replace(/[\u007f-\u009f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);
}

function writeAtOnce(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset);
  } catch {
    // A full disk or a closed terminal must not end the proxy.
  }
}

class PipeSink implements LogSink {
  readonly #pipe: Socket;
  droppedLines = 0;
  /** Of these, not told yet. */
  #dropped = 0;

  constructor(fd: number) {
    this.#pipe = new Socket({ fd, readable: false, writable: true });
    // The reader has left: it misses the rest, and the proxy goes on.
    this.#pipe.on('error', () => {});
  }

  write(line: string): void {
    if (this.#pipe.destroyed) return;
    if (this.#pipe.writableLength > UNREAD_LIMIT_BYTES) {
      this.#dropped++;
      this.droppedLines++;
      return;
    }
    if (this.#dropped > 0) this.#pipe.write(droppedLine(this.#dropped));
    this.#dropped = 0;
    this.#pipe.write(line);
  }

  async flush(): Promise<void> {
    if (this.#pipe.destroyed || this.#pipe.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, FLUSH_PATIENCE_MS);
      // Writes finish in order, or all fail together when the reader leaves.
      this.#pipe.write('', () => {
        clearTimeout(patience);
        resolve();
      });
    });
  }
}

/** In the form of the logger's own lines. */
function droppedLine(lines: number): string {
  const event: LogEvent = 'log-lines-dropped';
  const msg = `${lines} lines of the log were dropped: its reader is too slow`;
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), event, lines, msg })}\n`;
}
