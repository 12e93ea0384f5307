/** Sees endpoints leave by ejection and come back, which workers decide on the board, so that slow start takes them as newcomers. */
import type { Board } from '../board/board.js';
import type { UpstreamPlan } from '../config/plan.js';
import type { Cancel, Timers } from '../core/timers.js';

/** Pause between two looks. An ejection lasts longer, and so is seen before the endpoint can be back. */
const LOOK_INTERVAL_MS = 200;

/** What the watch needs from outside. */
export interface ReturnWatchOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly board: Pick<Board, 'health'>;
  readonly timers: Timers;
  /** An endpoint is out; said once. */
  readonly left: (slot: number) => void;
  /** It takes its share again. */
  readonly returned: (slot: number) => void;
}

/** Runs until `close`; looks at no upstream without slow start and outlier detection. Thread: primary. */
export class ReturnWatch {
  readonly #options: ReturnWatchOptions;
  #slots: readonly number[];
  readonly #out = new Set<number>();
  #cancel: Cancel = () => {};

  constructor(options: ReturnWatchOptions) {
    this.#options = options;
    this.#slots = slotsAmong(options.upstreams);
  }

  start(): void {
    if (this.#slots.length > 0) this.#schedule();
  }

  /** Takes the upstreams of another plan; nobody's return is told twice, nor that of somebody who has left. */
  replace(upstreams: readonly UpstreamPlan[]): void {
    this.#cancel();
    this.#slots = slotsAmong(upstreams);
    for (const slot of this.#out) if (!this.#slots.includes(slot)) this.#out.delete(slot);
    this.start();
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
  }

  #schedule(): void {
    this.#cancel = this.#options.timers.after(LOOK_INTERVAL_MS, () => {
      for (const slot of this.#slots) this.#look(slot);
      this.#schedule();
    });
  }

  #look(slot: number): void {
    const { board, left, returned } = this.#options;
    const isOut = board.health.ejections.circuits.load(slot).phase !== 'closed';
    if (isOut === this.#out.has(slot)) return;
    if (isOut) {
      this.#out.add(slot);
      left(slot);
    } else {
      this.#out.delete(slot);
      returned(slot);
    }
  }
}

function slotsAmong(upstreams: readonly UpstreamPlan[]): number[] {
  return upstreams
    .filter(({ slowStart, outlier }) => slowStart !== null && outlier !== null)
    .flatMap(({ endpoints }) => endpoints.map(({ slot }) => slot));
}
