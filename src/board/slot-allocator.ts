/** Which slots are free: the one that has been free for longest is given out first. */
import { invariant } from '../core/invariant.js';

/**
 * First in, first out, so that as much time as possible passes before the figures of a slot mean another endpoint.
 * Thread: primary.
 */
export class SlotAllocator {
  readonly #free: number[];
  readonly #isTaken: boolean[];

  /** @param slots how many there are, all free */
  constructor(slots: number) {
    this.#free = Array.from({ length: slots }, (_, slot) => slot);
    this.#isTaken = new Array<boolean>(slots).fill(false);
  }

  get freeSlots(): number {
    return this.#free.length;
  }

  /** @throws Error (invariant) when none is free: ask `freeSlots` first */
  take(): number {
    const slot = this.#free.shift();
    invariant(slot !== undefined, 'a slot is free');
    this.#isTaken[slot] = true;
    return slot;
  }

  /** @throws Error (invariant) when the slot is free already */
  giveBack(slot: number): void {
    invariant(this.#isTaken[slot] === true, `slot ${slot} is taken`);
    this.#isTaken[slot] = false;
    this.#free.push(slot);
  }
}
