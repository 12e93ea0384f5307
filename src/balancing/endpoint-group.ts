/** The endpoints of an upstream that may take work as of one control epoch: all its primaries, or all its backups. */
import type { ClaimJournal } from '../board/claim-journal.js';
import { smoothCycle } from './smooth-cycle.js';

/** What a group holds of one endpoint. */
export interface GroupMember {
  /** Index in the upstream's plan. */
  readonly endpoint: number;
  readonly slot: number;
  readonly generation: number;
  /** As it counts now, in hundredths; >= 1. */
  readonly weight: number;
  /** 0: no cap. */
  readonly cap: number;
}

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
  #members = new Int32Array(0);
  #size = 0;
  #cycle: Uint16Array = new Uint16Array(0);
  #revision = 0;
  #lowestSlot = 0;
  /** Positions by slot, from the lowest slot of a member to the highest; NO_POSITION between them. */
  #positions = new Int32Array(0);

  get size(): number {
    return this.#size;
  }

  /** Grows with every change of the members: what was derived from an older revision is out of date. */
  get revision(): number {
    return this.#revision;
  }

  /** Positions in the order of smooth weighted round-robin; as long as one cycle. */
  get cycle(): Uint16Array {
    return this.#cycle;
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

  /** Where the endpoint of a slot of the board is, or NO_POSITION. HOT. */
  positionOf(slot: number): number {
    const at = slot - this.#lowestSlot;
    return at >= 0 && at < this.#positions.length ? (this.#positions[at] as number) : NO_POSITION; // inside the array
  }

  /**
   * Claims one endpoint if it is a member and has a place. HOT.
   *
   * @param endpoint index in the upstream's plan
   */
  claim(endpoint: number, claims: ClaimJournal): boolean {
    for (let position = 0; position < this.#size; position++) {
      if (this.endpointAt(position) !== endpoint) continue;
      return claims.claim(this.slotAt(position), this.generationAt(position), this.capAt(position)) > 0;
    }
    return false;
  }

  /** Takes new members; the caller's control epoch has changed. */
  replace(members: readonly GroupMember[]): void {
    this.#members = Int32Array.from(
      members.flatMap(({ endpoint, slot, generation, weight, cap }) => [endpoint, slot, generation, weight, cap]),
    );
    this.#size = members.length;
    this.#cycle = smoothCycle(members.map((member) => member.weight));
    this.#placeSlots(members.map((member) => member.slot));
    this.#revision += 1;
  }

  #placeSlots(slots: readonly number[]): void {
    this.#lowestSlot = slots.reduce((lowest, slot) => Math.min(lowest, slot), Number.MAX_SAFE_INTEGER);
    const highest = slots.reduce((most, slot) => Math.max(most, slot), NO_POSITION);
    this.#positions = new Int32Array(slots.length === 0 ? 0 : highest - this.#lowestSlot + 1).fill(NO_POSITION);
    slots.forEach((slot, position) => {
      this.#positions[slot - this.#lowestSlot] = position;
    });
  }
}
