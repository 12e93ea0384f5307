/**
 * The access log of one worker: which exchanges and sessions have a line, where it goes, and what becomes of lines that cannot be written.
 * Traffic never waits for it. Thread: worker.
 */
import { ACCESS_FIELDS, type AccessLogPlan } from '../config/observing-plan.js';
import type { Plan, UpstreamPlan } from '../config/plan.js';
import type { Timers } from '../core/timers.js';
import { AccessOutput } from './access-output.js';
import { STANDARD_OUTPUT } from './line-file.js';
import type { Logger } from './logger.js';

/** Loss is told at most so often. */
const DROPPED_EVERY_MS = 10_000;

/** How long what clients have sent may get in a line of a file: as a head may be long by default. */
const TARGET_BYTES = 16 * 1024;
const TEXT_BYTES = 4 * 1024;
/** To standard output, where a line has to fit into STREAM_CHUNK_BYTES (line-file.ts) with all its names. */
const STREAM_TARGET_BYTES = 1_280;
const STREAM_TEXT_BYTES = 384;

/** Texts that TypeScript gives, all together: a target and some fields. */
const TEXTS_BYTES = 64 * 1024;

/** What makes lines, as the engine has it (src/engine/access-lines.ts). */
export interface LineMaker {
  openText(text: string): number;
  write(): number;
}

/** Writes a line with what it knows of itself. */
export interface LineSource<Lines extends LineMaker> {
  /** HOT. @returns the offset behind the line in its buffer; -1: it has no room; below: it came before anything was logged */
  writeAccessLine(lines: Lines): number;
}

/** Names of an upstream and its endpoints as numbers of a LineMaker. */
export interface UpstreamNames {
  readonly upstream: number;
  readonly endpoints: readonly number[];
}

/** What it is made of. */
export interface AccessLogParts<Lines extends LineMaker> {
  readonly workerIndex: number;
  /** @param fields places in ACCESS_FIELDS; none: the combined format */
  readonly makeLines: (options: {
    readonly fields: readonly number[];
    readonly facts: Float64Array;
    readonly texts: Uint8Array;
    readonly buffers: readonly [Uint8Array, Uint8Array];
    readonly targetBytes: number;
    readonly textBytes: number;
  }) => Lines;
  /** Words that `makeLines` wants in `facts`: those of the buffer and of the offset in it are the first two. */
  readonly factWords: number;
  /** So many lines are missing. */
  readonly countDropped: (lines: number) => void;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/** One log of a plan, and the names that its lines have. */
interface Current<Lines extends LineMaker> {
  readonly output: AccessOutput;
  readonly lines: Lines;
  readonly names: Map<string, number>;
  readonly upstreams: WeakMap<UpstreamPlan, UpstreamNames>;
}

const BUFFER = 0;
const OFFSET = 1;
/** What writeAccessLine says where the line does not fit. */
const NO_ROOM = -1;

/** Thread: worker; one for each, whatever data planes it has. */
export class AccessLog<Lines extends LineMaker = LineMaker> {
  readonly facts: Float64Array;
  /** For texts that facts tell the lengths of. */
  readonly texts = Buffer.alloc(TEXTS_BYTES);
  readonly #parts: AccessLogParts<Lines>;
  readonly #listeners: ((lines: Lines | null) => void)[] = [];
  /** Logs of former plans that are still being written. */
  readonly #retiring = new Set<AccessOutput>();
  #current: Current<Lines> | null = null;
  #dropped = 0;
  #cancelDropped: (() => void) | null = null;
  #isFailing = false;

  constructor(parts: AccessLogParts<Lines>) {
    this.#parts = parts;
    this.facts = new Float64Array(parts.factWords);
  }

  /** Goes by another plan from the next line on; lines of the one before are written where that says. */
  apply({ accessLog, workers }: Pick<Plan, 'accessLog' | 'workers'>): void {
    const former = this.#current;
    if (JSON.stringify(former?.output.plan ?? null) === JSON.stringify(accessLog)) return;
    this.#current = accessLog === null ? null : this.#open(accessLog, workers);
    for (const listener of this.#listeners) listener(this.#current?.lines ?? null);
    if (former !== null) this.#retire(former.output);
  }

  /** Told now, and whenever they change, what makes lines; null: nothing is logged. */
  onLines(listener: (lines: Lines | null) => void): void {
    this.#listeners.push(listener);
    listener(this.#current?.lines ?? null);
  }

  /** Opens the file anew, for logrotate. */
  reopen(): void {
    this.#current?.output.reopen();
  }

  /** Whether this end has a line: failures always have one. HOT. */
  wants(isFailure: boolean): boolean {
    const current = this.#current;
    if (current === null) return false;
    const { share } = current.output.plan;
    return share >= 1 || isFailure || this.#parts.random() < share;
  }

  /** Writes a line of what `facts` tell, or drops it. After `wants`. HOT (bench/micro/engine/access-lines.bench.ts). */
  write(source: LineSource<Lines>): void {
    const current = this.#current;
    if (current === null) return;
    const { output, lines } = current;
    const { facts } = this;
    facts[BUFFER] = output.active;
    facts[OFFSET] = output.usedBytes;
    let end = source.writeAccessLine(lines);
    if (end === NO_ROOM && output.flush()) {
      facts[BUFFER] = output.active;
      facts[OFFSET] = 0;
      end = source.writeAccessLine(lines);
    }
    if (end >= 0) output.wrote(end);
    else if (end === NO_ROOM) this.#drop();
  }

  /** The number of a name in facts; while something is logged. HOT for names that came before. */
  nameOf(text: string): number {
    const current = this.#current;
    if (current === null) return -1;
    let number = current.names.get(text);
    if (number === undefined) {
      number = current.lines.openText(text);
      current.names.set(text, number);
    }
    return number;
  }

  /** As nameOf, of an upstream and its endpoints. */
  namesOf(upstream: UpstreamPlan): UpstreamNames {
    let names = this.#current?.upstreams.get(upstream);
    if (names === undefined) {
      const endpoints = upstream.endpoints.map(({ name }) => this.nameOf(name));
      names = { upstream: this.nameOf(upstream.name), endpoints };
      this.#current?.upstreams.set(upstream, names);
    }
    return names;
  }

  /** Nothing more comes: resolves when all lines have been written; `closeNow` is for when that takes too long. */
  async close(): Promise<void> {
    const { output } = this.#current ?? { output: null };
    this.#current = null;
    if (output !== null) this.#retire(output);
    await Promise.all([...this.#retiring].map((retiring) => retiring.retire()));
    this.#cancelDropped?.();
    this.#cancelDropped = null;
    this.#tellDropped();
  }

  /** The thread ends: what can be written at once is. Idempotent. */
  closeNow(): void {
    this.#cancelDropped?.();
    this.#tellDropped();
    this.#current?.output.closeNow();
    for (const output of this.#retiring) output.closeNow();
  }

  #open(plan: AccessLogPlan, workers: number): Current<Lines> {
    const { timers, logger, workerIndex } = this.#parts;
    const { file, format, fields } = plan;
    const output = new AccessOutput({
      plan,
      shareBytes: plan.bufferBytes / workers,
      timers,
      onFailed: (reason) => this.#failed(file, reason),
      onWritten: () => {
        this.#isFailing = false;
      },
      onReopened: () => {
        // Every worker does so at the same moment: one line of them is enough.
        if (workerIndex === 0) logger.info({ event: 'file-reopened', file }, `${file} has been opened anew`);
      },
    });
    const isStream = file === STANDARD_OUTPUT;
    const lines = this.#parts.makeLines({
      fields: format === 'json' ? fields.map((field) => ACCESS_FIELDS.indexOf(field)) : [],
      facts: this.facts,
      texts: this.texts,
      buffers: output.buffers,
      targetBytes: isStream ? STREAM_TARGET_BYTES : TARGET_BYTES,
      textBytes: isStream ? STREAM_TEXT_BYTES : TEXT_BYTES,
    });
    return { output, lines, names: new Map(), upstreams: new WeakMap() };
  }

  #retire(output: AccessOutput): void {
    this.#retiring.add(output);
    void output.retire().then(() => this.#retiring.delete(output));
  }

  #failed(file: string, reason: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const place = file === STANDARD_OUTPUT ? 'standard output' : file;
    this.#parts.logger.error(
      { event: 'access-log-failed', file, reason },
      `the access log cannot be written to ${place} (${reason}); it is tried again every second, and lines beyond its buffer are dropped`,
    );
  }

  #drop(): void {
    this.#parts.countDropped(1);
    this.#dropped++;
    if (this.#cancelDropped !== null) return;
    if (this.#dropped === 1) this.#tellDropped();
    this.#cancelDropped = this.#parts.timers.after(DROPPED_EVERY_MS, () => {
      this.#cancelDropped = null;
      this.#tellDropped();
    });
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#parts.logger.warn(
      { event: 'access-log-dropped', lines },
      `${lines} lines of the access log are missing: they came faster than they could be written`,
    );
  }
}
