/** The structured log: one line of JSON for each event, made in any thread and written by the primary. */
import { pino, stdSerializers } from 'pino';
import type { LogLevel } from '../config/plan.js';
import { ProxyError } from '../core/proxy-error.js';
import type { LogEvent } from './log-events.js';
import type { LogSink } from './log-sink.js';

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

/** The logger of a whole thread. */
export type ThreadLogger = Logger & {
  /** Least level written: a LogLevel. May change at any time. */
  level: string;
};

/** Levels that a line can have. */
export type WrittenLevel = Exclude<LogLevel, 'silent'>;

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
): ThreadLogger {
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
