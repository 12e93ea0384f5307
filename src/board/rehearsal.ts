/** Tables on which a pick can be rehearsed: they read the board as any other, and what a pick would change stays as it is. */
import { ClaimJournal, REFUSED_FULL, REFUSED_GENERATION } from './claim-journal.js';
import { countOf, generationOf } from './claims-word.js';
import { EndpointLoadTable } from './endpoint-load.js';
import { ProbeJournal } from './probe-journal.js';
import type { MappedBoard } from './shared-memory.js';
import { UpstreamTable } from './upstream-table.js';

/** What a rehearsal has instead of a worker's own tables. */
export interface RehearsalTables {
  readonly load: EndpointLoadTable;
  readonly claims: ClaimJournal;
  readonly probes: ProbeJournal;
  readonly upstreams: UpstreamTable;
}

/** Thread: worker. */
export function rehearsalTables(board: MappedBoard, worker: number): RehearsalTables {
  const load = new RehearsedLoad(board);
  return {
    load,
    claims: new RehearsedClaims(board, worker, load),
    probes: new RehearsedProbes(board, worker, 'probes'),
    upstreams: new RehearsedUpstreams(board),
  };
}

/** Says what a claim would say, and claims nothing. */
class RehearsedClaims extends ClaimJournal {
  readonly #load: EndpointLoadTable;

  constructor(board: MappedBoard, worker: number, load: EndpointLoadTable) {
    super(board, worker, load);
    this.#load = load;
  }

  override claim(slot: number, generation: number, cap: number): number {
    const seen = this.#load.claims(slot);
    if (generationOf(seen) !== generation) return REFUSED_GENERATION;
    return cap !== 0 && countOf(seen) >= cap ? REFUSED_FULL : countOf(seen) + 1;
  }

  /** What others have changed since the comparison does not matter: nothing is decided here. */
  override claimIfUnchanged(slot: number, generation: number, _compared: number, cap: number): number {
    return this.claim(slot, generation, cap);
  }

  override end(): void {}
}

class RehearsedProbes extends ProbeJournal {
  override claim(record: number, generation: number, most: number): boolean {
    return this.held(record, generation) < most;
  }

  override end(): void {}
}

/** Whose turn it would be: the cursor stays. */
class RehearsedUpstreams extends UpstreamTable {
  override nextTurn(turn: number, cursor: number): number {
    return this.turnHint(turn, cursor);
  }
}

/** A pause that is over is left for those to end who pick. */
class RehearsedLoad extends EndpointLoadTable {
  override endPause(): boolean {
    return true;
  }
}
