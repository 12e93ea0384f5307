/** What the operator and the health checks say of every endpoint: written by the primary, read by workers after a new epoch. */
import { invariant } from '../core/invariant.js';
import { EndpointControl } from './layout.js';
import type { MappedBoard } from './shared-memory.js';
import type { UpstreamTable } from './upstream-table.js';

const GENERATION = EndpointControl.field.generation;
const UPSTREAM = EndpointControl.field.upstream;
const FLAGS = EndpointControl.field.flags;
const WEIGHT = EndpointControl.field.weight;
const CAP = EndpointControl.field.cap;
const BASE_WEIGHT = EndpointControl.field.baseWeight;
const BASE_CAP = EndpointControl.field.baseCap;

const IS_ENABLED = 1;
const IS_HEALTHY = 2;
const IS_DRAINING = 4;
const IS_RESOLVED = 8;
const IS_BACKUP = 16;
/** Everything but "backup" that decides whether new work may go to an endpoint, and the values it must have. */
const STATE_BITS = IS_ENABLED | IS_HEALTHY | IS_DRAINING | IS_RESOLVED;
const TAKES_WORK = IS_ENABLED | IS_HEALTHY | IS_RESOLVED;

/** Largest weight of an endpoint (HAProxy stops at 256, nginx nowhere); keeps products of weights and loads exact. */
export const MOST_WEIGHT = 65_535;

/** Weights that count are in hundredths, so that one of 1 can grow in steps. */
export const WEIGHT_UNIT = 100;

/** What an endpoint begins with. */
export interface EndpointSettings {
  /** 0 .. 65535; 0: takes no new work. */
  readonly weight: number;
  /** Most requests in flight over all workers; 0: no cap. */
  readonly cap: number;
  readonly isBackup: boolean;
  /** false: its name has no address yet. */
  readonly isResolved: boolean;
}

/** One endpoint's control record, for status pages and tests. */
export interface EndpointState {
  readonly upstream: number;
  readonly generation: number;
  readonly isEnabled: boolean;
  readonly isHealthy: boolean;
  readonly isDraining: boolean;
  readonly isResolved: boolean;
  readonly isBackup: boolean;
  /** As configured, or as the operator set it. */
  readonly weight: number;
  readonly cap: number;
  /** As they count now: slow start and moving weights are in them. */
  readonly effectiveWeight: number;
  readonly effectiveCap: number;
}

/**
 * Reader's side. Thread: any.
 *
 * Pair: the primary stores one word, then bumps the upstream's control epoch; a worker reads the epoch, then the words. A
 * worker may so see a word that is newer than the epoch it read, and will rebuild once more at the bump; it never keeps an
 * older word than its epoch. Words of one endpoint may be of two moments for that short while; all states in one word
 * change together.
 */
export class EndpointControlTable {
  protected readonly int32: Int32Array;
  readonly #base: number;
  readonly #stride: number;

  constructor(board: MappedBoard) {
    this.int32 = board.int32;
    this.#base = board.layout.board.endpointControl.base;
    this.#stride = board.layout.board.endpointControl.stride;
  }

  /** Generation of the endpoint that has the slot; 0: the slot is free. */
  generation(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, GENERATION));
  }

  /** Enabled, healthy, resolved and not draining. Cap and tried endpoints are the pick's business. */
  takesWork(slot: number): boolean {
    return (Atomics.load(this.int32, this.at(slot, FLAGS)) & STATE_BITS) === TAKES_WORK;
  }

  isBackup(slot: number): boolean {
    return (Atomics.load(this.int32, this.at(slot, FLAGS)) & IS_BACKUP) !== 0;
  }

  /** As it counts now, in hundredths. */
  weight(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, WEIGHT));
  }

  /** As configured, or as the operator set it. */
  baseWeight(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, BASE_WEIGHT));
  }

  /** Most requests in flight, as it counts now; 0: no cap. */
  cap(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, CAP));
  }

  /** The whole record. */
  state(slot: number): EndpointState {
    const flags = Atomics.load(this.int32, this.at(slot, FLAGS));
    return {
      upstream: Atomics.load(this.int32, this.at(slot, UPSTREAM)),
      generation: this.generation(slot),
      isEnabled: (flags & IS_ENABLED) !== 0,
      isHealthy: (flags & IS_HEALTHY) !== 0,
      isDraining: (flags & IS_DRAINING) !== 0,
      isResolved: (flags & IS_RESOLVED) !== 0,
      isBackup: (flags & IS_BACKUP) !== 0,
      weight: this.baseWeight(slot),
      cap: Atomics.load(this.int32, this.at(slot, BASE_CAP)),
      effectiveWeight: this.weight(slot) / WEIGHT_UNIT,
      effectiveCap: this.cap(slot),
    };
  }

  protected at(slot: number, field: number): number {
    return this.#base + slot * this.#stride + field;
  }
}

/** Writer's side: every change that changes something bumps the control epoch of the endpoint's upstream. Thread: primary. */
export class EndpointControlWriter extends EndpointControlTable {
  readonly #upstreams: UpstreamTable;

  constructor(board: MappedBoard, upstreams: UpstreamTable) {
    super(board);
    this.#upstreams = upstreams;
  }

  setEnabled(slot: number, isEnabled: boolean): void {
    this.#setFlag(slot, IS_ENABLED, isEnabled);
  }

  setHealthy(slot: number, isHealthy: boolean): void {
    this.#setFlag(slot, IS_HEALTHY, isHealthy);
  }

  setDraining(slot: number, isDraining: boolean): void {
    this.#setFlag(slot, IS_DRAINING, isDraining);
  }

  setResolved(slot: number, isResolved: boolean): void {
    this.#setFlag(slot, IS_RESOLVED, isResolved);
  }

  /** Sets what the operator wants; it counts in full at once. @param weight 0 .. 65535; 0: takes no new work */
  setWeight(slot: number, weight: number): void {
    checkWeight(weight);
    Atomics.store(this.int32, this.at(slot, BASE_WEIGHT), weight);
    this.#set(slot, WEIGHT, weight * WEIGHT_UNIT);
  }

  /** @param cap most requests in flight over all workers; 0: no cap. Requests already above it finish. */
  setCap(slot: number, cap: number): void {
    checkCap(cap);
    Atomics.store(this.int32, this.at(slot, BASE_CAP), cap);
    this.#set(slot, CAP, cap);
  }

  /** Begins an assignment: enabled, healthy, not draining. Called by the board when it assigns a slot. */
  begin(slot: number, generation: number, upstream: number, settings: EndpointSettings): void {
    checkWeight(settings.weight);
    checkCap(settings.cap);
    const flags =
      IS_ENABLED | IS_HEALTHY | (settings.isResolved ? IS_RESOLVED : 0) | (settings.isBackup ? IS_BACKUP : 0);
    Atomics.store(this.int32, this.at(slot, UPSTREAM), upstream);
    Atomics.store(this.int32, this.at(slot, BASE_WEIGHT), settings.weight);
    Atomics.store(this.int32, this.at(slot, BASE_CAP), settings.cap);
    Atomics.store(this.int32, this.at(slot, WEIGHT), settings.weight * WEIGHT_UNIT);
    Atomics.store(this.int32, this.at(slot, CAP), settings.cap);
    Atomics.store(this.int32, this.at(slot, FLAGS), flags);
    Atomics.store(this.int32, this.at(slot, GENERATION), generation);
    this.#upstreams.bumpControlEpoch(upstream);
  }

  /** Ends an assignment: no worker picks the slot once it has seen the new epoch. Called by the board on release. */
  end(slot: number): void {
    Atomics.store(this.int32, this.at(slot, FLAGS), 0);
    this.#set(slot, GENERATION, 0);
  }

  #setFlag(slot: number, flag: number, isSet: boolean): void {
    const flags = Atomics.load(this.int32, this.at(slot, FLAGS));
    this.#set(slot, FLAGS, isSet ? flags | flag : flags & ~flag);
  }

  #set(slot: number, field: number, value: number): void {
    invariant(this.generation(slot) !== 0, `slot ${slot} has an endpoint`);
    if (Atomics.exchange(this.int32, this.at(slot, field), value) === value) return;
    this.#upstreams.bumpControlEpoch(Atomics.load(this.int32, this.at(slot, UPSTREAM)));
  }
}

function checkWeight(weight: number): void {
  const isWeight = Number.isInteger(weight) && weight >= 0 && weight <= MOST_WEIGHT;
  invariant(isWeight, `a weight is a whole number from 0 to ${MOST_WEIGHT}, not ${weight}`);
}

function checkCap(cap: number): void {
  invariant(
    Number.isInteger(cap) && cap >= 0 && cap < 2 ** 31,
    `a cap is a whole number from 0 to 2^31 - 1, not ${cap}`,
  );
}
