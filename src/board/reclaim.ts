/** Gives back, exactly, what a dead worker held on the endpoints. */
import { invariant } from '../core/invariant.js';
import { countOf, generationOf } from './claims-word.js';
import type { EndpointLoadTable } from './endpoint-load.js';
import { Journal } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

const HELD = Journal.field.held;
const VERSION = Journal.field.version;

/** Snapshots tried in one call, a few ms: then the caller tries again later rather than holding the primary up. */
const MOST_SNAPSHOTS = 20_000;

/**
 * Reads all journals and gives back what dead workers held. Thread: primary; a worker counts as dead once its thread has
 * ended ('exit' was emitted), so that all its stores are visible and none will follow.
 *
 * Most records of a dead worker have an even version: `held` is exact and is subtracted. At most one is odd, because the
 * worker died inside an operation: whether its swap was made is unknown. There the surplus is found instead: the shared
 * count less what all living workers hold. Living workers change both by the same amount, so the surplus stays the same
 * whatever they do, and one consistent snapshot is enough:
 *   a. read the version and then held of every living worker; give up if one is odd
 *   b. read the shared count
 *   c. read every version again; give up if one has changed
 * A version that is the same and even at a and c means that the worker neither began nor ended an operation in between (a
 * version never comes back: 2^31 operations would have to fit into one snapshot), so at b it held exactly what a read.
 * No worker waits for any of this.
 */
export class Reclaimer {
  readonly #int32: Int32Array;
  readonly #journals: readonly number[];
  readonly #stride: number;
  readonly #slots: number;
  readonly #load: EndpointLoadTable;
  /** For each dead worker, the slot on which it died inside an operation. */
  readonly #unknown = new Map<number, number>();

  constructor(board: MappedBoard, load: EndpointLoadTable) {
    this.#int32 = board.int32;
    this.#journals = board.layout.stripes.map((stripe) => stripe.journal.base);
    this.#stride = board.layout.stripes[0]?.journal.stride ?? 0;
    this.#slots = board.layout.capacities.endpointSlots;
    this.#load = load;
  }

  /**
   * Gives back what a dead worker held. Idempotent.
   *
   * @returns true when all of it was given back; false when one endpoint was too busy for a consistent snapshot (or another
   *   worker has died inside an operation on it, and its 'exit' is yet to come): call again a few ms later
   */
  reclaim(worker: number): boolean {
    for (let slot = 0; slot < this.#slots; slot++) {
      if (isUnderWay(this.#version(worker, slot))) this.#unknown.set(worker, slot);
      else this.#giveBackHeld(worker, slot);
    }
    const slot = this.#unknown.get(worker);
    return slot === undefined || this.#giveBackSurplus(slot);
  }

  #giveBackHeld(worker: number, slot: number): void {
    const record = this.#record(worker, slot);
    const held = Atomics.exchange(this.#int32, record + HELD, 0);
    if (countOf(held) > 0) this.#subtract(slot, generationOf(held), countOf(held));
  }

  #giveBackSurplus(slot: number): boolean {
    for (let snapshot = 0; snapshot < MOST_SNAPSHOTS; snapshot++) {
      const claims = this.#claimsWithSurplus(slot);
      if (claims === undefined) continue;
      invariant(claims.surplus >= 0, `living workers hold no more claims on slot ${slot} than are counted`);
      this.#subtract(slot, claims.generation, claims.surplus);
      this.#forgetUnknown(slot);
      return true;
    }
    return false;
  }

  /** One snapshot; undefined when it was not consistent. */
  #claimsWithSurplus(slot: number): { generation: number; surplus: number } | undefined {
    const versions: number[] = [];
    const helds: number[] = [];
    for (let worker = 0; worker < this.#journals.length; worker++) {
      const version = this.#version(worker, slot);
      versions.push(version);
      helds.push(Atomics.load(this.#int32, this.#record(worker, slot) + HELD));
      if (isUnderWay(version) && this.#unknown.get(worker) !== slot) return undefined;
    }
    const claims = this.#load.claims(slot);
    const isConsistent = versions.every((version, worker) => this.#version(worker, slot) === version);
    if (!isConsistent) return undefined;
    const generation = generationOf(claims);
    let surplus = countOf(claims);
    helds.forEach((held, worker) => {
      const isLiving = this.#unknown.get(worker) !== slot;
      if (isLiving && generationOf(held) === generation) surplus -= countOf(held);
    });
    return { generation, surplus };
  }

  /** Only the primary changes generations, and this is the primary: if it fits now, it fits until the swap. */
  #subtract(slot: number, generation: number, count: number): void {
    let seen = this.#load.claims(slot);
    while (generationOf(seen) === generation) {
      invariant(countOf(seen) >= count, `slot ${slot} counts what a dead worker held there`);
      const found = this.#load.replaceClaims(slot, seen, seen - count);
      if (found === seen) return;
      seen = found;
    }
  }

  /** The surplus was that of all workers that died inside an operation on this slot: their records are clean now. */
  #forgetUnknown(slot: number): void {
    for (const [worker, unknownSlot] of [...this.#unknown]) {
      if (unknownSlot !== slot) continue;
      Atomics.store(this.#int32, this.#record(worker, slot) + HELD, 0);
      Atomics.add(this.#int32, this.#record(worker, slot) + VERSION, 1);
      this.#unknown.delete(worker);
    }
  }

  #version(worker: number, slot: number): number {
    return Atomics.load(this.#int32, this.#record(worker, slot) + VERSION);
  }

  #record(worker: number, slot: number): number {
    return (this.#journals[worker] as number) + slot * this.#stride; // worker < workers: checked by the board
  }
}

function isUnderWay(version: number): boolean {
  return (version & 1) !== 0;
}
