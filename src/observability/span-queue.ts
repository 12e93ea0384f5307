/** Spans of one worker on their way to the primary: in batches, one at a time, and never more than a bound. Thread: worker. */
import type { TracingPlan } from '../config/observing-plan.js';
import type { Timers } from '../core/timers.js';
import type { SpanRecord } from './span-record.js';

/** Spans wait at most this long, or until so many are there. */
const SEND_MS = 200;
const SEND_SPANS = 256;
/** More than this are lost: while the primary's event loop stands still, none leave. */
const MOST_SPANS = 4_096;

/** Some spans, and how many were lost since the batch before. */
export interface SpanBatch {
  /** Where they go. */
  readonly tracing: TracingPlan;
  readonly spans: readonly SpanRecord[];
  readonly lost: number;
}

/** One for each worker. */
export class SpanQueue {
  readonly #send: (batch: SpanBatch) => void;
  readonly #timers: Timers;
  #tracing: TracingPlan | null = null;
  #spans: SpanRecord[] = [];
  #lost = 0;
  #isUnderWay = false;
  #cancelSend: (() => void) | null = null;

  /** @param send a batch to the primary; `taken` follows */
  constructor(send: (batch: SpanBatch) => void, timers: Timers) {
    this.#send = send;
    this.#timers = timers;
  }

  /** Goes by another plan: spans that are here go where the one before said. null: tracing is off. */
  apply(tracing: TracingPlan | null): void {
    this.flush();
    this.#tracing = tracing;
  }

  /** HOT where exchanges are traced. */
  put(span: SpanRecord): void {
    if (this.#tracing === null) return;
    if (this.#spans.length >= MOST_SPANS) {
      this.#lost++;
      return;
    }
    this.#spans.push(span);
    if (this.#isUnderWay) return;
    if (this.#spans.length >= SEND_SPANS) this.flush();
    else this.#cancelSend ??= this.#timers.after(SEND_MS, () => this.flush());
  }

  /** The primary has taken the last batch. */
  taken(): void {
    this.#isUnderWay = false;
    if (this.#spans.length >= SEND_SPANS) this.flush();
    else if (this.#spans.length > 0) this.#cancelSend ??= this.#timers.after(SEND_MS, () => this.flush());
  }

  /** Sends what there is at once; for the end of the thread, too. */
  flush(): void {
    this.#cancelSend?.();
    this.#cancelSend = null;
    const tracing = this.#tracing;
    if (tracing === null || (this.#spans.length === 0 && this.#lost === 0)) return;
    const batch = { tracing, spans: this.#spans, lost: this.#lost };
    this.#spans = [];
    this.#lost = 0;
    this.#isUnderWay = true;
    this.#send(batch);
  }
}
