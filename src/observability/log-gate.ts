/** Where all lines of the log pass in the primary: the timeline hears them, and those of the level that is wanted go on to the sink. */
import type { LogLevel } from '../config/plan.js';
import type { LogSink } from './log-sink.js';
import type { WrittenLevel } from './logger.js';
import type { Timeline } from './timeline.js';

/** From what says most to what says least. */
const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Least important level that the timeline is told of. */
const HEARD: WrittenLevel = 'info';

/** The level that loggers are made with whose lines pass a gate: what is written, and what the timeline wants to hear. */
export function loggedLevel(written: LogLevel): LogLevel {
  return LEVELS.indexOf(written) < LEVELS.indexOf(HEARD) ? written : HEARD;
}

/**
 * A log that is silent, or tells errors only, must not make the timeline blind: loggers write down to HEARD, and what the log is
 * not to have ends here. That costs a message to the primary for each such line; they are few, for failures come in at most 10 lines
 * a second for each code (failure-log.ts). Thread: primary.
 */
export class LogGate implements Pick<LogSink, 'write' | 'droppedLines'> {
  readonly #sink: Pick<LogSink, 'write' | 'droppedLines'>;
  readonly #timeline: Pick<Timeline, 'hear'>;
  /** Starts of lines that do not pass. */
  #stopped: readonly string[] = [];

  constructor(level: LogLevel, sink: Pick<LogSink, 'write' | 'droppedLines'>, timeline: Pick<Timeline, 'hear'>) {
    this.#sink = sink;
    this.#timeline = timeline;
    this.setLevel(level);
  }

  /** From now on lines of this level and above pass. */
  setLevel(level: LogLevel): void {
    this.#stopped = LEVELS.slice(0, LEVELS.indexOf(level)).map((each) => `{"level":"${each}"`);
  }

  get droppedLines(): number {
    return this.#sink.droppedLines;
  }

  /** @param line whole, of createLogger(): it begins with its level */
  write(line: string): void {
    this.#timeline.hear(line);
    if (!this.#stopped.some((start) => line.startsWith(start))) this.#sink.write(line);
  }
}
