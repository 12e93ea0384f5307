/** The endpoints of one group that are on trial, or whose breaker is half-open: they get probes only, so many at a time. */
import { countOf, generationOf } from '../board/claims-word.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { TriedSet } from './tried-set.js';

/** None of them has a place: as NO_ENDPOINT. */
export const NO_TRIAL = -1;

interface Trial {
  readonly endpoint: number;
  readonly slot: number;
  readonly generation: number;
  readonly cap: number;
  readonly probes: number;
}

/**
 * The first requests of their group are the probes, whatever its balancer: so an endpoint is back as soon as it works, however small its share is.
 * Filled anew with its group. Thread: worker.
 */
export class TrialList {
  readonly #board: Pick<WorkerBoard, 'probes' | 'claims' | 'load'>;
  readonly #trials: Trial[] = [];
  #next = 0;

  constructor(board: Pick<WorkerBoard, 'probes' | 'claims' | 'load'>) {
    this.#board = board;
  }

  get size(): number {
    return this.#trials.length;
  }

  clear(): void {
    this.#trials.length = 0;
  }

  /**
   * @param endpoint index in the upstream's plan
   * @param cap      most requests in flight; 0: no cap
   * @param probes   most of them that are probes, over all workers
   */
  add(endpoint: number, slot: number, generation: number, cap: number, probes: number): void {
    this.#trials.push({ endpoint, slot, generation, cap, probes });
  }

  has(endpoint: number): boolean {
    return this.#trials.some((trial) => trial.endpoint === endpoint);
  }

  /**
   * Claims a place on one of them, and a place among its probes: hand both to EndpointLedger.begin() with AS_PROBE.
   *
   * @returns index in the plan, or NO_TRIAL: none has a place
   */
  claimAny(tried: TriedSet): number {
    const trials = this.#trials;
    for (let step = 0; step < trials.length; step++) {
      this.#next = (this.#next + 1) % trials.length;
      const trial = trials[this.#next] as Trial; // next < length
      if (!tried.has(trial.endpoint) && this.#claim(trial)) return trial.endpoint;
    }
    return NO_TRIAL;
  }

  /** Places that are free on a certain one, of its own and among its probes. 0: it has none, or is not on the list. */
  placesAt(endpoint: number): number {
    const trial = this.#trials.find((each) => each.endpoint === endpoint);
    if (trial === undefined) return 0;
    const { slot, generation, cap, probes } = trial;
    const claims = this.#board.load.claims(slot);
    if (generationOf(claims) !== generation) return 0;
    const own = cap === 0 ? probes : cap - countOf(claims);
    return Math.max(0, Math.min(own, probes - this.#board.probes.held(slot, generation)));
  }

  /** As claimAny, on a certain one. @returns false: it has no place, or is not on the list */
  claim(endpoint: number): boolean {
    const trial = this.#trials.find((each) => each.endpoint === endpoint);
    return trial !== undefined && this.#claim(trial);
  }

  #claim({ slot, generation, cap, probes }: Trial): boolean {
    const { probes: journal, claims } = this.#board;
    if (!journal.claim(slot, generation, probes)) return false;
    if (claims.claim(slot, generation, cap) > 0) return true;
    journal.end(slot, generation);
    return false;
  }
}
