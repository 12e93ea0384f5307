/** The primary's side of what is said of every endpoint: states of several authors, and weights and caps as they count. */
import { invariant } from '../core/invariant.js';
import {
  EndpointControlTable,
  type EndpointSettings,
  FLAG,
  flagsTakeWork,
  MOST_WEIGHT,
  WEIGHT_UNIT,
} from './endpoint-control.js';
import type { EndpointLoadTable } from './endpoint-load.js';
import { EndpointControl } from './layout.js';
import type { MappedBoard } from './shared-memory.js';
import type { UpstreamTable } from './upstream-table.js';

const GENERATION = EndpointControl.field.generation;
const UPSTREAM = EndpointControl.field.upstream;
const FLAGS = EndpointControl.field.flags;
const WEIGHT = EndpointControl.field.weight;
const CAP = EndpointControl.field.cap;
const STEADY_WEIGHT = EndpointControl.field.steadyWeight;
const BASE_WEIGHT = EndpointControl.field.baseWeight;
const BASE_CAP = EndpointControl.field.baseCap;

/** Largest weight that counts, in hundredths. */
export const MOST_EFFECTIVE_WEIGHT = MOST_WEIGHT * WEIGHT_UNIT;
/** What rounding of a product of shares may add: a tenth of 30 is 3, not 3.0000000000000004. */
const ROUNDING = 1e-9;
/** `agentCap` of an agent that names none, `adaptiveCap` where nobody measures. */
const NO_CAP = 0;

/** By which parts the weight and the cap of an endpoint count; what is absent stays as it is. */
export interface EndpointShares {
  readonly slot: number;
  /** Of slow start, above 0, at most 1: of the weight. */
  readonly weightRamp?: number;
  /** Of slow start, above 0, at most 1: of the cap. */
  readonly capRamp?: number;
  /** Of weights that move, above 0: of the weight only. */
  readonly moved?: number;
  /** Most requests in flight by the word of the agent; 0: it names none. The lowest one of this, the next and the base cap counts. */
  readonly agentCap?: number;
  /** Most requests in flight by what the endpoint bears (adaptive concurrency); 0: nobody measures it. */
  readonly adaptiveCap?: number;
}

/** With which parts an endpoint begins that takes work again. */
export type RampShares = Required<Pick<EndpointShares, 'weightRamp' | 'capRamp'>>;

const FULL: RampShares = { weightRamp: 1, capRamp: 1 };

/** What an agent says of its endpoint's state; what is absent stays as it is. */
export interface AgentState {
  /** ready: takes work. drain: no new work. maint: disabled. */
  readonly admission?: 'ready' | 'drain' | 'maint';
  readonly isDown?: boolean;
}

/**
 * Every change that changes something bumps the control epoch of the endpoint's upstream once, when all its words are stored. Thread: primary.
 *
 * What counts is base x shares: weight = base weight x weight ramp x moved, at least a hundredth unless the base weight is 0; cap = the lowest
 * one of base cap, agent's cap and adaptive cap x cap ramp, at least 1. Setting the base keeps the shares.
 */
export class EndpointControlWriter extends EndpointControlTable {
  readonly #upstreams: UpstreamTable;
  readonly #load: EndpointLoadTable;
  /** By slot. */
  readonly #weightRamp: Float64Array;
  readonly #capRamp: Float64Array;
  readonly #moved: Float64Array;
  readonly #agentCap: Int32Array;
  readonly #adaptiveCap: Int32Array;
  #rampAtReturn: (slot: number) => RampShares = () => FULL;

  constructor(board: MappedBoard, upstreams: UpstreamTable, load: EndpointLoadTable) {
    super(board);
    this.#upstreams = upstreams;
    this.#load = load;
    const slots = board.layout.capacities.endpointSlots;
    this.#weightRamp = new Float64Array(slots).fill(1);
    this.#capRamp = new Float64Array(slots).fill(1);
    this.#moved = new Float64Array(slots).fill(1);
    this.#agentCap = new Int32Array(slots);
    this.#adaptiveCap = new Int32Array(slots);
  }

  /** By the operator, whose word wins: takes back what the agent said of it, until the agent says something else. */
  setEnabled(slot: number, isEnabled: boolean): void {
    this.#setFlags(slot, FLAG.isEnabled | FLAG.agentDisables, isEnabled ? FLAG.isEnabled : 0);
  }

  /** By the health check: its verdict, which ends setUnknown(). */
  setHealthy(slot: number, isHealthy: boolean): void {
    this.#setFlags(slot, FLAG.isHealthy | FLAG.isUnknown, isHealthy ? FLAG.isHealthy : 0);
  }

  /** By the health check: no verdict yet, and until then no work. */
  setUnknown(slot: number): void {
    this.#setFlags(slot, FLAG.isUnknown, FLAG.isUnknown);
  }

  /** By the operator, as setEnabled(). */
  setDraining(slot: number, isDraining: boolean): void {
    this.#setFlags(slot, FLAG.isDraining | FLAG.agentDrains, isDraining ? FLAG.isDraining : 0);
  }

  /** By the name resolver. */
  setResolved(slot: number, isResolved: boolean): void {
    this.#setFlags(slot, FLAG.isResolved, isResolved ? FLAG.isResolved : 0);
  }

  /** By the agent, when it says something new: takes an endpoint out and takes that back, but nothing that others said. */
  setByAgent(slot: number, { admission, isDown }: AgentState): void {
    const admissionBits = admission === undefined ? 0 : FLAG.agentDisables | FLAG.agentDrains;
    const mask = admissionBits | (isDown === undefined ? 0 : FLAG.agentSaysDown);
    const disables = admission === 'maint' ? FLAG.agentDisables : 0;
    const drains = admission === 'drain' ? FLAG.agentDrains : 0;
    this.#setFlags(slot, mask, disables | drains | (isDown === true ? FLAG.agentSaysDown : 0));
  }

  /** Sets what the operator wants. @param weight 0 .. 65535; 0: takes no new work */
  setWeight(slot: number, weight: number): void {
    checkWeight(weight);
    this.#change(slot, () => {
      if (weight > 0 && this.baseWeight(slot) === 0 && this.takesWork(slot)) this.#rampUp(slot);
      return this.#replace(slot, BASE_WEIGHT, weight);
    });
  }

  /** @param cap most requests in flight over all workers; 0: no cap. Requests already above it finish. */
  setCap(slot: number, cap: number): void {
    checkCap(cap);
    this.#change(slot, () => this.#replace(slot, BASE_CAP, cap));
  }

  /** Moves weights and caps of any number of endpoints; one bump of each upstream of which any of them changed. */
  setShares(changes: readonly EndpointShares[]): void {
    const changed = new Set<number>();
    for (const { slot, weightRamp, capRamp, moved, agentCap, adaptiveCap } of changes) {
      this.#checkTaken(slot);
      if (weightRamp !== undefined) this.#weightRamp[slot] = checkedShare(weightRamp, 1);
      if (capRamp !== undefined) this.#capRamp[slot] = checkedShare(capRamp, 1);
      if (moved !== undefined) this.#moved[slot] = checkedShare(moved, Number.MAX_VALUE);
      if (agentCap !== undefined) this.#agentCap[slot] = checkCap(agentCap);
      if (adaptiveCap !== undefined) this.#adaptiveCap[slot] = checkCap(adaptiveCap);
      if (this.#recount(slot)) changed.add(this.#upstreamOf(slot));
    }
    for (const upstream of changed) this.#upstreams.bumpControlEpoch(upstream);
  }

  /** Parts by which slow start lets the endpoint's weight and cap count. */
  rampShares(slot: number): RampShares {
    return { weightRamp: this.#weightRamp[slot] ?? 1, capRamp: this.#capRamp[slot] ?? 1 };
  }

  /** Part by which weights that move let the endpoint's weight count. */
  movedShare(slot: number): number {
    return this.#moved[slot] ?? 1;
  }

  /** Most requests in flight by what the endpoint bears; 0: nobody measures it. */
  adaptiveCap(slot: number): number {
    return this.#adaptiveCap[slot] ?? NO_CAP;
  }

  /**
   * Sets who says with which shares an endpoint begins that takes work again (enabled, healthy, resolved, no longer draining, no longer of
   * weight 0). Asked
   * before workers can see that it does, so that none of them meets it with its full weight.
   *
   * @param rampShares given a slot; absent: full weight and cap, as at first
   */
  rampAtReturn(rampShares: (slot: number) => RampShares = () => FULL): void {
    this.#rampAtReturn = rampShares;
  }

  /** Begins an assignment: enabled, healthy, not draining, full weight. Called by the board when it assigns a slot. */
  begin(slot: number, generation: number, upstream: number, settings: EndpointSettings): void {
    this.#weightRamp[slot] = 1;
    this.#capRamp[slot] = 1;
    this.#moved[slot] = 1;
    this.#agentCap[slot] = NO_CAP;
    this.#adaptiveCap[slot] = NO_CAP;
    const { isResolved, isBackup } = settings;
    const flags = FLAG.isEnabled | FLAG.isHealthy | (isResolved ? FLAG.isResolved : 0) | (isBackup ? FLAG.isBackup : 0);
    Atomics.store(this.int32, this.at(slot, UPSTREAM), upstream);
    this.#storeBase(slot, settings);
    this.#recount(slot);
    Atomics.store(this.int32, this.at(slot, FLAGS), flags);
    Atomics.store(this.int32, this.at(slot, GENERATION), generation);
    this.#upstreams.bumpControlEpoch(upstream);
  }

  /**
   * Takes the settings of a new configuration for an endpoint that was in the one before: its states and shares stay.
   *
   * @param settings isResolved is not looked at: the name is the same
   */
  keep(slot: number, upstream: number, settings: EndpointSettings): void {
    this.#checkTaken(slot);
    const before = this.#upstreamOf(slot);
    if (settings.weight > 0 && this.baseWeight(slot) === 0 && this.takesWork(slot)) this.#rampUp(slot);
    const flags = this.flags(slot) & ~FLAG.isBackup;
    const changes = [
      this.#replace(slot, UPSTREAM, upstream),
      this.#storeBase(slot, settings),
      this.#recount(slot),
      this.#replace(slot, FLAGS, flags | (settings.isBackup ? FLAG.isBackup : 0)),
    ];
    if (!changes.includes(true)) return;
    this.#upstreams.bumpControlEpoch(upstream);
    if (before !== upstream) this.#upstreams.bumpControlEpoch(before);
  }

  /** Ends an assignment: no worker picks the slot once it has seen the new epoch. Called by the board on release. */
  end(slot: number): void {
    Atomics.store(this.int32, this.at(slot, FLAGS), 0);
    Atomics.store(this.int32, this.at(slot, GENERATION), 0);
    this.#upstreams.bumpControlEpoch(this.#upstreamOf(slot));
  }

  #setFlags(slot: number, mask: number, bits: number): void {
    this.#change(slot, () => {
      const before = this.flags(slot);
      const after = (before & ~mask) | bits;
      if (!flagsTakeWork(before) && flagsTakeWork(after)) {
        // How it answered before it left says little of it now. Ahead of the flag: whoever sees it back sees nothing of its past, and never
        // its full weight while it warms up.
        this.#load.forget(slot);
        if (this.baseWeight(slot) > 0) this.#rampUp(slot);
        this.#recount(slot);
      }
      return this.#replace(slot, FLAGS, after);
    });
  }

  #rampUp(slot: number): void {
    const { weightRamp, capRamp } = this.#rampAtReturn(slot);
    this.#weightRamp[slot] = checkedShare(weightRamp, 1);
    this.#capRamp[slot] = checkedShare(capRamp, 1);
  }

  /** @param store stores a word, and says whether it is another one than before */
  #change(slot: number, store: () => boolean): void {
    this.#checkTaken(slot);
    const isStored = store();
    const isRecounted = this.#recount(slot);
    if (isStored || isRecounted) this.#upstreams.bumpControlEpoch(this.#upstreamOf(slot));
  }

  /** Stores the weights and the cap that follow from base and shares. @returns false when they are what they were */
  #recount(slot: number): boolean {
    const weight = this.baseWeight(slot);
    const moved = weight * WEIGHT_UNIT * (this.#moved[slot] ?? 1);
    const { weightRamp, capRamp } = this.rampShares(slot);
    const changes = [
      this.#replace(slot, WEIGHT, weightThatCounts(weight, moved * weightRamp)),
      this.#replace(slot, STEADY_WEIGHT, weightThatCounts(weight, moved)),
      this.#replace(
        slot,
        CAP,
        capThatCounts([this.#baseCap(slot), this.#agentCap[slot] ?? NO_CAP, this.adaptiveCap(slot)], capRamp),
      ),
    ];
    return changes.includes(true);
  }

  #storeBase(slot: number, { weight, cap }: EndpointSettings): boolean {
    checkWeight(weight);
    checkCap(cap);
    const changes = [this.#replace(slot, BASE_WEIGHT, weight), this.#replace(slot, BASE_CAP, cap)];
    return changes.includes(true);
  }

  #baseCap(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, BASE_CAP));
  }

  #upstreamOf(slot: number): number {
    return Atomics.load(this.int32, this.at(slot, UPSTREAM));
  }

  #replace(slot: number, field: number, value: number): boolean {
    return Atomics.exchange(this.int32, this.at(slot, field), value) !== value;
  }

  #checkTaken(slot: number): void {
    invariant(this.generation(slot) !== 0, `slot ${slot} has an endpoint`);
  }
}

/** Pure. @param hundredths base weight x shares */
function weightThatCounts(baseWeight: number, hundredths: number): number {
  if (baseWeight === 0) return 0;
  return Math.min(Math.max(Math.round(hundredths), 1), MOST_EFFECTIVE_WEIGHT);
}

/** Pure. The operator's cap stays the most there is, whatever the others name. */
function capThatCounts(caps: readonly number[], ramp: number): number {
  const named = caps.filter((cap) => cap !== NO_CAP);
  return named.length === 0 ? NO_CAP : Math.max(Math.ceil(Math.min(...named) * ramp - ROUNDING), 1);
}

function checkWeight(weight: number): void {
  const isWeight = Number.isInteger(weight) && weight >= 0 && weight <= MOST_WEIGHT;
  invariant(isWeight, `a weight is a whole number from 0 to ${MOST_WEIGHT}, not ${weight}`);
}

function checkCap(cap: number): number {
  invariant(
    Number.isInteger(cap) && cap >= 0 && cap < 2 ** 31,
    `a cap is a whole number from 0 to 2^31 - 1, not ${cap}`,
  );
  return cap;
}

function checkedShare(share: number, most: number): number {
  invariant(share > 0 && share <= most, `a share is above 0 and at most ${most}, not ${share}`);
  return share;
}
