/** Circuits on the board: closed, open until a moment, or half-open since one; each is 64 bits, replaced as one. */
import { invariant } from '../core/invariant.js';
import type { Tick } from '../core/tick.js';
import { generationOf } from './claims-word.js';
import type { Placement } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

/** How far a circuit is. `closed`: everything passes. `open`: nothing does. `half-open`: a few find out whether more may. */
export const CIRCUIT_PHASES = ['closed', 'open', 'half-open'] as const;
export type CircuitPhase = (typeof CIRCUIT_PHASES)[number];

/** One circuit as it was read. */
export interface Circuit {
  /** Which assignment of the slot it is about. */
  readonly generation: number;
  readonly phase: CircuitPhase;
  /** In a row, as the policy counts them: 0 .. MOST_OPENINGS. */
  readonly openings: number;
  /** Probes that have succeeded since it is half-open, 0 .. MOST_SUCCESSES. */
  readonly successes: number;
  /** Open: until when. Half-open: since when. Closed: since when, or NEVER where it never was anything else. */
  readonly at: Tick;
}

/** Further openings in a row are not told apart. */
export const MOST_OPENINGS = 511;
export const MOST_SUCCESSES = 1_023;

// The upper word: [generation:11][phase:2][successes:10][openings:9], the generation where claims-word.ts has it. The lower word: at.
const PHASE_SHIFT = 19;
const PHASE_MASK = 0b11 << PHASE_SHIFT;
const SUCCESSES_SHIFT = 9;
const GENERATION_SHIFT = 21;
const WORD_BITS = 32n;

/**
 * One circuit in each record of a group. Thread: any.
 *
 * Whoever wants to change a circuit loads it, and replaces it if it is still what was loaded: of several threads one succeeds, and it alone
 * tells the log.
 */
export class CircuitTable {
  readonly #int32: Int32Array;
  readonly #int64: BigInt64Array;
  readonly #base: number;
  readonly #stride: number;

  /** @param field of the circuit in each record */
  constructor(board: MappedBoard, { base, stride }: Placement, field: number) {
    invariant((base + field) % 2 === 0 && stride % 2 === 0, 'a circuit lies on a border of 64 bits');
    this.#int32 = board.int32;
    this.#int64 = board.int64;
    this.#base = base + field;
    this.#stride = stride;
  }

  /** HOT: a plain load; who acts on it loads again. */
  isClosedHint(record: number): boolean {
    // record < records: inside the view
    return ((this.#int32[this.#base + record * this.#stride + 1] as number) & PHASE_MASK) === 0;
  }

  load(record: number): Circuit {
    return circuitOf(Atomics.load(this.#int64, this.#at(record)));
  }

  /** @returns false when it is no longer `seen`: load it again */
  replace(record: number, seen: Circuit, next: Circuit): boolean {
    const before = wordOf(seen);
    return Atomics.compareExchange(this.#int64, this.#at(record), before, wordOf(next)) === before;
  }

  /** Begins anew, closed. Thread: primary. */
  begin(record: number, generation: number): void {
    const next = { generation, phase: 'closed', openings: 0, successes: 0, at: 0 } as const;
    Atomics.store(this.#int64, this.#at(record), wordOf(next));
  }

  #at(record: number): number {
    return (this.#base + record * this.#stride) / 2;
  }
}

function circuitOf(word: bigint): Circuit {
  const upper = Number(BigInt.asIntN(32, word >> WORD_BITS));
  return {
    generation: generationOf(upper),
    phase: CIRCUIT_PHASES[(upper & PHASE_MASK) >>> PHASE_SHIFT] ?? 'closed',
    openings: upper & MOST_OPENINGS,
    successes: (upper >>> SUCCESSES_SHIFT) & MOST_SUCCESSES,
    at: Number(BigInt.asIntN(32, word)),
  };
}

function wordOf({ generation, phase, openings, successes, at }: Circuit): bigint {
  const upper =
    (generation << GENERATION_SHIFT) |
    (CIRCUIT_PHASES.indexOf(phase) << PHASE_SHIFT) |
    (Math.min(successes, MOST_SUCCESSES) << SUCCESSES_SHIFT) |
    Math.min(openings, MOST_OPENINGS);
  return BigInt.asIntN(64, (BigInt(upper) << WORD_BITS) | BigInt.asUintN(32, BigInt(at)));
}
