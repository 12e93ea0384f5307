/** How one worker wakes another one up: a word of the board for each data plane, rung by whoever has called one of its waiters. */
import { invariant } from '../core/invariant.js';
import { Bells, PLANES } from './queue-groups.js';
import type { MappedBoard } from './shared-memory.js';

const RINGS = Bells.field.rings;

/** What Atomics.waitAsync gives back; the type library of ES2023 does not have it. */
type Wait = { readonly async: false } | { readonly async: true; readonly value: Promise<unknown> };
const { waitAsync } = Atomics as unknown as { waitAsync(words: Int32Array, index: number, value: number): Wait };

/** Rings the bell of a data plane. Thread: any. @param owner worker x PLANES + data plane */
export function ring(board: MappedBoard, owner: number): void {
  const word = wordOf(board, owner);
  Atomics.add(board.int32, word, 1);
  Atomics.notify(board.int32, word);
}

/**
 * The bell of one data plane, as it hears it. A wait that is armed keeps no thread alive and dies with its thread; it cannot be called
 * off, so it is armed anew only while somebody waits. Thread: its worker.
 *
 * Pair: a ringer writes what it has to say, then adds to the word; the listener reads the word, arms, and then reads what there is
 * to hear. A ring after that reading changes the word, so that the armed wait ends, or is refused at once.
 */
export class Bell {
  readonly #int32: Int32Array;
  readonly #word: number;
  readonly #onRing: () => void;
  #isArmed = false;
  #isSilent = false;

  /** @param onRing called in a task of its own, once for several rings */
  constructor(board: MappedBoard, owner: number, onRing: () => void) {
    this.#int32 = board.int32;
    this.#word = wordOf(board, owner);
    this.#onRing = onRing;
  }

  /** Hears the next ring, or one since the last; what was rung for before is to be looked for after this. Idempotent. */
  listen(): void {
    if (this.#isArmed || this.#isSilent) return;
    const wait = waitAsync(this.#int32, this.#word, Atomics.load(this.#int32, this.#word));
    this.#isArmed = true;
    const heard = (): void => {
      this.#isArmed = false;
      if (!this.#isSilent) this.#onRing();
    };
    if (wait.async) wait.value.then(heard);
    else Promise.resolve().then(heard);
  }

  /** Hears nothing any more. Idempotent. */
  silence(): void {
    this.#isSilent = true;
  }
}

function wordOf({ layout }: MappedBoard, owner: number): number {
  const { base, stride } = layout.board.bells;
  const worker = Math.floor(owner / PLANES);
  invariant(worker >= 0 && worker < layout.capacities.workers, `the board has a bell for owner ${owner}`);
  return base + worker * stride + RINGS + (owner % PLANES);
}
