/** The structured log: JSON lines, or readable text on a terminal; workers write through the primary so that lines stay whole. */
import { type DestinationStream, destination, pino, stdSerializers } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from '../config/plan.js';
import { ProxyError } from '../core/proxy-error.js';
import type { LogEvent } from './log-events.js';

/** Facts of one line: what has happened, and whatever else a machine may want to know. `err`: an error, with its stack. */
export interface LogFacts {
  readonly event: LogEvent;
  readonly [fact: string]: unknown;
}

/** Writes one line: facts for machines, one sentence for people. */
export type WriteLog = (facts: LogFacts, sentence: string) => void;

/** A logger as all parts of sluice take it: less than pino offers, so that no line lacks its event. */
export type Logger = Readonly<Record<WrittenLevel, WriteLog>> & {
  /** false: a line of this level would not be written; where finding its facts has a price. */
  isLevelEnabled(level: WrittenLevel): boolean;
};

/** Levels that a line can have. */
export type WrittenLevel = Exclude<LogLevel, 'silent'>;

/** The sink of whole lines of JSON, each ended by a newline, and the way to lose none of them at the end. Thread: primary. */
export interface LogSink {
  write(line: string): void;
  /** Blocks until everything written so far has left the process, or the reader has stopped reading. Idempotent. */
  flush(): void;
}

/** A reader that takes nothing for this long at the end of the process is given up on. */
const FLUSH_PATIENCE_MS = 2_000;

/** More than this waiting for a slow reader of the log is dropped, rather than kept in memory without bound. */
const UNWRITTEN_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Makes the sink of this process on a file descriptor: readable text when it is a terminal, else JSON lines.
 * Thread: primary.
 *
 * @param fd an open file descriptor, e.g. 1
 * @param isTerminal write text with colours instead of JSON
 */
export function openLogSink(fd: number, isTerminal: boolean): LogSink {
  // A terminal is written to at once: lines must not overtake what else is printed there. A pipe or file is written in the
  // background: its reader may stall, and the primary must go on supervising meanwhile.
  if (isTerminal) return prettySink(destination({ fd, sync: true }));
  let giveUpAt = Number.POSITIVE_INFINITY;
  const file = destination({
    fd,
    sync: false,
    maxLength: UNWRITTEN_LIMIT_BYTES,
    retryEAGAIN: () => performance.now() < giveUpAt,
  });
  return {
    write: (line) => {
      file.write(line);
    },
    flush: () => {
      giveUpAt = performance.now() + FLUSH_PATIENCE_MS;
      try {
        file.flushSync();
      } catch {
        // The reader is gone or stuck: there is nobody left to tell.
      }
      giveUpAt = Number.POSITIVE_INFINITY;
    },
  };
}

/** Makes a sink that turns JSON lines into readable text for `stream`. Thread: primary. */
export function prettySink(stream: DestinationStream): LogSink {
  const text = pretty.prettyFactory({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname,event' });
  return { write: (line) => void stream.write(text(line)), flush: () => {} };
}

/**
 * Makes the logger of one thread.
 *
 * @param level least level written
 * @param sink  where whole lines go
 * @param bindings facts on every line, e.g. `{ worker: 2 }`
 */
export function createLogger(
  level: LogLevel,
  sink: Pick<LogSink, 'write'>,
  bindings: Record<string, unknown> = {},
): Logger {
  return pino(
    {
      level,
      base: bindings,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
    },
    { write: (line: string) => sink.write(line) },
  );
}

/** An error for the log: a ProxyError brings its code and the facts known where it was made. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const plain = stdSerializers.err(error);
  return error instanceof ProxyError ? { ...plain, code: error.code, detail: error.detail } : plain;
}
