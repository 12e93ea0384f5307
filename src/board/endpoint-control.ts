/** What operator, health checks and agents say of every endpoint: written by the primary, read by workers after a new epoch. */
import { EndpointControl } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

const GENERATION = EndpointControl.field.generation;
const UPSTREAM = EndpointControl.field.upstream;
const FLAGS = EndpointControl.field.flags;
const WEIGHT = EndpointControl.field.weight;
const CAP = EndpointControl.field.cap;
const STEADY_WEIGHT = EndpointControl.field.steadyWeight;
const BASE_WEIGHT = EndpointControl.field.baseWeight;
const BASE_CAP = EndpointControl.field.baseCap;

/**
 * Bits of the flags word. Each has one author, so that nobody takes back what another said: an endpoint takes work only while neither
 * operator nor health check nor agent says otherwise.
 */
export const FLAG = {
  /** By the operator. */
  isEnabled: 1,
  /** By the health check. */
  isHealthy: 2,
  /** By the operator. */
  isDraining: 4,
  /** By the name resolver. */
  isResolved: 8,
  /** By the configuration. */
  isBackup: 16,
  /** By the agent, as the next two. */
  agentDisables: 32,
  agentDrains: 64,
  agentSaysDown: 128,
  /** By the health check: its first probe is still to come, and nothing is sent there on trust. Not even in a panic. */
  isUnknown: 256,
} as const;

/** Bits that decide, whatever the health, whether new work may go to an endpoint, and which of them are set then. */
const ADMITTING_BITS =
  FLAG.isEnabled | FLAG.isDraining | FLAG.isResolved | FLAG.agentDisables | FLAG.agentDrains | FLAG.isUnknown;
const ADMITTING = FLAG.isEnabled | FLAG.isResolved;
const HEALTH_BITS = FLAG.isHealthy | FLAG.agentSaysDown;
const HEALTHY = FLAG.isHealthy;

/** Do these flags let an endpoint take work? Pure. */
export function flagsTakeWork(flags: number): boolean {
  return (flags & (ADMITTING_BITS | HEALTH_BITS)) === (ADMITTING | HEALTHY);
}

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
  /** As operator and agent together have it, like isHealthy (health check and agent) and isDraining. */
  readonly isEnabled: boolean;
  readonly isHealthy: boolean;
  /** Its first probe is still to come; isHealthy says nothing then. */
  readonly isUnknown: boolean;
  readonly isDraining: boolean;
  readonly isResolved: boolean;
  readonly isBackup: boolean;
  /** As configured, or as the operator set it. */
  readonly weight: number;
  readonly cap: number;
  /** As they count now, in units of the configuration: slow start and moving weights are in them. */
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
    return flagsTakeWork(this.flags(slot));
  }

  /** The same whatever its health: may it be picked in a panic? */
  takesWorkIfHealthy(slot: number): boolean {
    return (this.flags(slot) & ADMITTING_BITS) === ADMITTING;
  }

  /**
   * Is its first probe all that keeps it from work? Such an endpoint gets none, but counts as a healthy one where the question is whether
   * too few are healthy: nobody panics while the answer is on its way.
   */
  awaitsFirstProbe(slot: number): boolean {
    return (this.flags(slot) & ADMITTING_BITS) === (ADMITTING | FLAG.isUnknown);
  }

  isBackup(slot: number): boolean {
    return (this.flags(slot) & FLAG.isBackup) !== 0;
  }

  /** As it counts now, in hundredths. */
  weight(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, WEIGHT));
  }

  /** As it counts for hashes, in hundredths: without slow start, so that keys stay where they are while an endpoint warms up. */
  steadyWeight(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, STEADY_WEIGHT));
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
    const flags = this.flags(slot);
    return {
      upstream: Atomics.load(this.int32, this.at(slot, UPSTREAM)),
      generation: this.generation(slot),
      isEnabled: (flags & (FLAG.isEnabled | FLAG.agentDisables)) === FLAG.isEnabled,
      isHealthy: (flags & HEALTH_BITS) === HEALTHY,
      isUnknown: (flags & FLAG.isUnknown) !== 0,
      isDraining: (flags & (FLAG.isDraining | FLAG.agentDrains)) !== 0,
      isResolved: (flags & FLAG.isResolved) !== 0,
      isBackup: (flags & FLAG.isBackup) !== 0,
      weight: this.baseWeight(slot),
      cap: Atomics.load(this.int32, this.at(slot, BASE_CAP)),
      effectiveWeight: this.weight(slot) / WEIGHT_UNIT,
      effectiveCap: this.cap(slot),
    };
  }

  protected flags(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, FLAGS));
  }

  protected at(slot: number, field: number): number {
    return this.#base + slot * this.#stride + field;
  }
}
