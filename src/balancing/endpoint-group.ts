/** The endpoints of an upstream that may take work as of one control epoch: those of one level, or its backups. */
import { TURN_CURSORS } from '../board/layout.js';
import { invariant } from '../core/invariant.js';
import { smoothCycle } from './smooth-cycle.js';

/** No member has this slot. */
export const NO_POSITION = -1;

const FIELDS = 5;
const ENDPOINT = 0;
const SLOT = 1;
const GENERATION = 2;
const WEIGHT = 3;
const CAP = 4;

/**
 * Members by position, 0 .. size - 1, in the order of the plan; side by side in one array, because every pick reads them
 * all. Positions change with `revision`. Getters are HOT (bench/micro/balancing/pick.bench.ts). Thread: worker.
 */
export class EndpointGroup {
  /** Which cursor of its upstream or subset is this group's: UpstreamTable.nextTurn. */
  readonly cursor: number;
  readonly #members: Int32Array;
  #size = 0;
  #ignoresHealth = false;
  #cycle: Uint16Array = new Uint16Array(0);
  readonly #revisionStep: number;
  #revision: number;
  #cycleRevision: number;
  #lowestSlot = 0;
  /** Positions by slot, from the lowest slot of a member to the highest; NO_POSITION between them. */
  #positions = new Int32Array(0);
  /** While members are being written: how many so far, and whether one of them is new. */
  #written = 0;
  #hasChanged = false;

  /**
   * @param number   0 .. groups - 1: the levels in their order, then the backups
   * @param groups   how many groups the view has
   * @param capacity most members that it can have
   */
  constructor(number: number, groups: number, capacity: number) {
    const lastCursor = TURN_CURSORS - 1;
    this.cursor = number === groups - 1 ? lastCursor : Math.min(number, lastCursor - 1);
    this.#members = new Int32Array(capacity * FIELDS);
    this.#revisionStep = groups;
    this.#revision = number;
    this.#cycleRevision = number;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Grows with every change of the members: what was derived from an older revision is out of date. No two groups of a view have the
   * same one.
   */
  get revision(): number {
    return this.#revision;
  }

  /** Panic: among the members are unhealthy endpoints, see levels.ts. */
  get ignoresHealth(): boolean {
    return this.#ignoresHealth;
  }

  /** Positions in the order of smooth weighted round-robin; as long as one cycle. Made when it is first asked for. */
  get cycle(): Uint16Array {
    if (this.#cycleRevision !== this.#revision) this.#writeCycle();
    return this.#cycle;
  }

  /** Where the endpoint of a slot of the board is, or NO_POSITION. HOT. */
  positionOf(slot: number): number {
    const at = slot - this.#lowestSlot;
    return at >= 0 && at < this.#positions.length ? (this.#positions[at] as number) : NO_POSITION; // inside the array
  }

  // In all getters: position < size, and the array has FIELDS words for each position.

  endpointAt(position: number): number {
    return this.#members[position * FIELDS + ENDPOINT] as number;
  }

  slotAt(position: number): number {
    return this.#members[position * FIELDS + SLOT] as number;
  }

  generationAt(position: number): number {
    return this.#members[position * FIELDS + GENERATION] as number;
  }

  weightAt(position: number): number {
    return this.#members[position * FIELDS + WEIGHT] as number;
  }

  capAt(position: number): number {
    return this.#members[position * FIELDS + CAP] as number;
  }

  /** Begins to take new members: add() each, in the order of the plan, then end(). Allocates nothing, as slow start does it often. */
  begin(): void {
    this.#written = 0;
    this.#hasChanged = false;
  }

  /**
   * @param endpoint index in the upstream's plan
   * @param weight   as it counts now, in hundredths; >= 1
   * @param cap      0: no cap
   */
  add(endpoint: number, slot: number, generation: number, weight: number, cap: number): void {
    const at = this.#written * FIELDS;
    invariant(at < this.#members.length, 'a group has room for all of its members');
    this.#write(at + ENDPOINT, endpoint);
    this.#write(at + SLOT, slot);
    this.#write(at + GENERATION, generation);
    this.#write(at + WEIGHT, weight);
    this.#write(at + CAP, cap);
    this.#written += 1;
  }

  /** The members are complete. @param ignoresHealth see the getter */
  end(ignoresHealth: boolean): void {
    this.#ignoresHealth = ignoresHealth;
    if (!this.#hasChanged && this.#written === this.#size) return;
    this.#size = this.#written;
    this.#revision += this.#revisionStep;
    this.#placeSlots();
  }

  #write(at: number, value: number): void {
    if (this.#members[at] === value) return;
    this.#members[at] = value;
    this.#hasChanged = true;
  }

  #placeSlots(): void {
    let lowest = Number.MAX_SAFE_INTEGER;
    let highest = NO_POSITION;
    for (let position = 0; position < this.#size; position++) {
      lowest = Math.min(lowest, this.slotAt(position));
      highest = Math.max(highest, this.slotAt(position));
    }
    this.#lowestSlot = lowest;
    const slots = Math.max(0, highest - lowest + 1);
    if (this.#positions.length !== slots) this.#positions = new Int32Array(slots);
    this.#positions.fill(NO_POSITION);
    for (let position = 0; position < this.#size; position++)
      this.#positions[this.slotAt(position) - lowest] = position;
  }

  #writeCycle(): void {
    const weights: number[] = [];
    for (let position = 0; position < this.#size; position++) weights.push(this.weightAt(position));
    this.#cycle = smoothCycle(weights);
    this.#cycleRevision = this.#revision;
  }
}
