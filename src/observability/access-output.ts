/** Where the lines of one access log go: two halves of memory in turn, one that is filled while the other one is written. */
import type { AccessLogPlan } from '../config/observing-plan.js';
import type { Timers } from '../core/timers.js';
import { LineFile } from './line-file.js';

/** Lines wait at most this long, or until so much is there. */
const FLUSH_MS = 100;
const FLUSH_BYTES = 64 * 1024;
/** Of one half, however many workers share the bound: the longest line has room. */
const LEAST_HALF_BYTES = 48 * 1024;

/** Who is told what becomes of lines. */
export interface AccessOutputParts {
  readonly plan: AccessLogPlan;
  /** This worker's share of the plan's bound. */
  readonly shareBytes: number;
  readonly timers: Timers;
  readonly onFailed: (reason: string) => void;
  readonly onWritten: () => void;
  readonly onReopened: () => void;
}

/** Thread: worker. */
export class AccessOutput {
  readonly plan: AccessLogPlan;
  readonly buffers: readonly [Uint8Array, Uint8Array];
  /** Which half is filled, and how far. */
  active = 0;
  usedBytes = 0;
  readonly #file: LineFile;
  readonly #timers: Timers;
  #isWriting = false;
  #isRetired = false;
  #isOver = false;
  #tellOver: () => void = () => {};
  readonly #over = new Promise<void>((resolve) => {
    this.#tellOver = resolve;
  });
  #cancelFlush: (() => void) | null = null;

  constructor({ plan, shareBytes, timers, ...told }: AccessOutputParts) {
    this.plan = plan;
    this.#timers = timers;
    const halfBytes = Math.max(Math.floor(shareBytes / 2), LEAST_HALF_BYTES);
    // Pages become real as they are filled.
    this.buffers = [new Uint8Array(halfBytes), new Uint8Array(halfBytes)];
    this.#file = new LineFile({ path: plan.file, timers, ...told });
  }

  /** A line has been written into the half that is filled. HOT. @param usedBytes where it ends */
  wrote(usedBytes: number): void {
    this.usedBytes = usedBytes;
    if (usedBytes >= FLUSH_BYTES) this.flush();
    else this.#cancelFlush ??= this.#timers.after(FLUSH_MS, () => this.flush());
  }

  /** Writes what is there, unless something is being written. @returns true: the half to be filled is an empty one */
  flush(): boolean {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    if (this.#isWriting || this.usedBytes === 0 || this.#isOver) return false;
    const bytes = this.#filled();
    this.active = 1 - this.active;
    this.usedBytes = 0;
    this.#isWriting = true;
    this.#file.write(bytes, () => this.#written());
    return true;
  }

  reopen(): void {
    this.#file.reopen();
  }

  /** Nothing more comes: resolves when all that is there has been written, and the file is closed. Idempotent. */
  retire(): Promise<void> {
    this.#isRetired = true;
    this.flush();
    this.#endIfEmpty();
    return this.#over;
  }

  /** As LineFile.closeNow. Idempotent. */
  closeNow(): void {
    this.#cancelFlush?.();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#file.closeNow([this.#filled()]);
    this.#tellOver();
  }

  #filled(): Uint8Array {
    return (this.buffers[this.active] as Uint8Array).subarray(0, this.usedBytes);
  }

  #written(): void {
    this.#isWriting = false;
    if (this.usedBytes >= FLUSH_BYTES || this.#isRetired) this.flush();
    else if (this.usedBytes > 0) this.#cancelFlush ??= this.#timers.after(FLUSH_MS, () => this.flush());
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (!this.#isRetired || this.#isWriting || this.usedBytes > 0 || this.#isOver) return;
    this.#isOver = true;
    this.#file.close();
    this.#tellOver();
  }
}
