/**
 * Exports the spans of all workers by OTLP over HTTP. OpenTelemetry's packages are loaded with the first span, and never where tracing is
 * off; no worker loads them at all, so that turning spans into requests takes no time from traffic. Thread: primary.
 */
import type { TracingPlan } from '../config/observing-plan.js';
import type { Clock } from '../core/clock.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';
import type { SpanBatch } from '../observability/span-queue.js';
import type { SpanRecord } from '../observability/span-record.js';

/** What sends spans to one collector. */
export interface SpanCollector {
  /** Rejects where the collector did not take them. */
  send(spans: readonly SpanRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Makes a collector's sender; loads what that needs. */
export type OpenCollector = (tracing: TracingPlan) => Promise<SpanCollector>;

/** Spans that wait for a collector: more are lost. */
const MOST_SPANS = 16_384;
/** Of one request. */
const SEND_SPANS = 512;
/** Loss is told at most so often. */
const TOLD_EVERY_MS = 60_000;
/** At the end of the process, for what is still to be sent and for the collector's connections together. */
const CLOSE_PATIENCE_MS = 2_000;

/** What it is made of. */
export interface SpanExportParts {
  readonly open: OpenCollector;
  readonly timers: Timers;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly logger: Logger;
}

/** One for each process. */
export class SpanExport {
  readonly #parts: SpanExportParts;
  #waiting: SpanRecord[] = [];
  /** As JSON: of the collector that is open. */
  #opened = '';
  #collector: Promise<SpanCollector> | null = null;
  #sending: Promise<void> | null = null;
  /** Of the request that is being sent. */
  #underWay = 0;
  #lost = 0;
  #reason = '';
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #cancelTelling: (() => void) | null = null;

  constructor(parts: SpanExportParts) {
    this.#parts = parts;
  }

  /** A worker's spans; where the plan of that worker says. */
  take({ spans, lost, tracing }: SpanBatch): void {
    if (lost > 0) this.#lose(lost, 'they came faster than they could be passed on');
    this.#collect(tracing);
    const room = MOST_SPANS - this.#waiting.length;
    if (spans.length > room) this.#lose(spans.length - room, 'the collector is too slow');
    this.#waiting.push(...spans.slice(0, Math.max(room, 0)));
    this.#sending ??= this.#sendAll();
  }

  /** Sends what there is, as far as that is possible soon; nothing may come any more. */
  async close(): Promise<void> {
    const patience = this.#patience();
    await Promise.race([this.#sending, patience.over]);
    this.#lose(this.#waiting.length + this.#underWay, 'the process has ended');
    this.#waiting = [];
    this.#underWay = 0;
    this.#cancelTelling?.();
    this.#tell();
    const collector = this.#collector;
    this.#collector = null;
    // Closing waits for the request that is under way, too: as long as a collector that never answers may take.
    await Promise.race([collector?.then((opened) => opened.close()).catch(() => {}), patience.over]);
    patience.cancel();
  }

  #patience(): { readonly over: Promise<void>; readonly cancel: Cancel } {
    let cancel: Cancel = () => {};
    const over = new Promise<void>((resolve) => {
      cancel = this.#parts.timers.after(CLOSE_PATIENCE_MS, resolve);
    });
    return { over, cancel };
  }

  #collect(tracing: TracingPlan): void {
    const wanted = JSON.stringify(tracing);
    if (wanted === this.#opened) return;
    this.#opened = wanted;
    const former = this.#collector;
    this.#collector = this.#parts.open(tracing);
    // Told where it is used.
    this.#collector.catch(() => {});
    void former?.then((opened) => opened.close()).catch(() => {});
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && this.#collector !== null) {
      const spans = this.#waiting.splice(0, SEND_SPANS);
      this.#underWay = spans.length;
      try {
        await (await this.#collector).send(spans);
      } catch (error) {
        // What was under way at the end of the process has been told already.
        this.#lose(this.#underWay, error instanceof Error ? error.message : String(error));
      }
      this.#underWay = 0;
    }
    this.#sending = null;
  }

  #lose(spans: number, reason: string): void {
    if (spans === 0) return;
    this.#lost += spans;
    this.#reason = reason;
    const waitMs = this.#toldAtMs + TOLD_EVERY_MS - this.#parts.clock.nowMs();
    if (waitMs <= 0) this.#tell();
    else
      this.#cancelTelling ??= this.#parts.timers.after(waitMs, () => {
        this.#cancelTelling = null;
        this.#tell();
      });
  }

  #tell(): void {
    if (this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.#toldAtMs = this.#parts.clock.nowMs();
    this.#parts.logger.warn(
      { event: 'tracing-failed', reason: this.#reason, lost },
      `${lost} spans are lost: ${this.#reason}`,
    );
  }
}
