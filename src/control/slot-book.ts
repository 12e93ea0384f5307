/** Which endpoint has which slot of the board, by name: so that an endpoint keeps its load, latency and counts in the next configuration. */
import type { Board, SlotAssignment } from '../board/board.js';
import type { EndpointSettings } from '../board/endpoint-control.js';
import { invariant } from '../core/invariant.js';

/** Who an endpoint is in every configuration. */
export interface EndpointIdentity {
  /** Name of its upstream. */
  readonly upstream: string;
  /** EndpointPlan.name. */
  readonly endpoint: string;
}

/** What became of the endpoints between two configurations: their slots. */
export interface SlotChanges {
  readonly kept: readonly number[];
  /** For WeightKeeper.replace(). */
  readonly joined: readonly number[];
  /** For SlotBook.release(), once no worker uses the former plan for new work. */
  readonly left: readonly number[];
}

interface KnownEndpoint extends SlotAssignment {
  /** As configured. */
  readonly settings: EndpointSettings;
}

interface KeptEndpoint extends KnownEndpoint {
  readonly upstream: number;
  readonly weightBefore: number;
}

/** Thread: primary; there is one for each board, and nobody else assigns or releases its slots. */
export class SlotBook {
  readonly #board: Board;
  #entries: ReadonlyMap<string, KnownEndpoint> = new Map();

  constructor(board: Board) {
    this.#board = board;
  }

  /** Can these endpoints all have slots while those of the present configuration still have theirs? Ask before edit(). */
  hasRoomFor(endpoints: readonly EndpointIdentity[]): boolean {
    const newcomers = endpoints.filter((each) => !this.#entries.has(keyOf(each)));
    return newcomers.length <= this.#board.freeSlots;
  }

  /**
   * Opens the edition of another configuration; the first one of the process, too. One at a time: commit or withdraw it before the next.
   */
  edit(): SlotEdition {
    return new SlotEdition(this.#board, this.#entries, (entries) => {
      this.#entries = entries;
    });
  }

  /** Takes slots back whose endpoints have left; what they have in flight finishes. */
  release(left: readonly number[]): void {
    for (const slot of left) this.#board.release(slot);
  }
}

/** The slots of one configuration while it is compiled. Endpoints that stay are not touched before commit(). */
export class SlotEdition {
  readonly #board: Board;
  readonly #before: ReadonlyMap<string, KnownEndpoint>;
  readonly #commit: (entries: ReadonlyMap<string, KnownEndpoint>) => void;
  readonly #kept = new Map<string, KeptEndpoint>();
  readonly #joined = new Map<string, KnownEndpoint>();
  #isOver = false;

  constructor(
    board: Board,
    before: ReadonlyMap<string, KnownEndpoint>,
    commit: (entries: ReadonlyMap<string, KnownEndpoint>) => void,
  ) {
    this.#board = board;
    this.#before = before;
    this.#commit = commit;
  }

  /**
   * The place of an endpoint: the one it has, or a new one.
   *
   * @param upstream record of its upstream
   * @throws Error (invariant) when it has one in this edition already, or no slot is free (SlotBook.hasRoomFor)
   */
  assign(identity: EndpointIdentity, upstream: number, settings: EndpointSettings): SlotAssignment {
    const key = keyOf(identity);
    const isNew = !this.#isOver && !this.#kept.has(key) && !this.#joined.has(key);
    invariant(isNew, `endpoint ${identity.endpoint} of ${identity.upstream} is assigned once, in an open edition`);
    const before = this.#before.get(key);
    if (before !== undefined) {
      const { slot, generation } = before;
      this.#kept.set(key, { slot, generation, upstream, settings, weightBefore: before.settings.weight });
      return { slot, generation };
    }
    // Nobody sees it yet: workers know slots by their plan only.
    const assignment = this.#board.assign(upstream, settings);
    this.#joined.set(key, { ...assignment, settings });
    return assignment;
  }

  /**
   * The configuration is taken: those that stay get its settings, except that a weight which the operator has set stays until the configured
   * one is another. Publish the plan, then release those that left.
   */
  commit(): SlotChanges {
    this.#end();
    const entries = new Map(this.#joined);
    for (const [key, { slot, generation, upstream, settings, weightBefore }] of this.#kept) {
      const isSameWeight = settings.weight === weightBefore;
      const weight = isSameWeight ? this.#board.control.baseWeight(slot) : settings.weight;
      this.#board.keep(slot, upstream, { ...settings, weight });
      entries.set(key, { slot, generation, settings });
    }
    const left = [...this.#before].filter(([key]) => !entries.has(key));
    this.#commit(entries);
    return {
      kept: [...this.#kept.values()].map(({ slot }) => slot),
      joined: [...this.#joined.values()].map(({ slot }) => slot),
      left: left.map(([, { slot }]) => slot),
    };
  }

  /** The configuration is not taken after all: everything is as it was. */
  withdraw(): void {
    this.#end();
    for (const { slot } of this.#joined.values()) this.#board.release(slot);
  }

  #end(): void {
    invariant(!this.#isOver, 'an edition is committed or withdrawn once');
    this.#isOver = true;
  }
}

function keyOf({ upstream, endpoint }: EndpointIdentity): string {
  return JSON.stringify([upstream, endpoint]);
}
