/** One upstream as one worker sees it: its plan, the board's tables, and which endpoints may take work now. */
import type { ClaimJournal } from '../board/claim-journal.js';
import type { EndpointControlTable } from '../board/endpoint-control.js';
import type { EndpointLoadTable } from '../board/endpoint-load.js';
import type { HashTable } from '../board/hash-table.js';
import type { UpstreamTable } from '../board/upstream-table.js';
import type { WaitingTable } from '../board/waiting-table.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { SubsetPlan } from '../config/picking-plan.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import { invariant } from '../core/invariant.js';
import { EndpointGroup, type GroupMember } from './endpoint-group.js';

/** Read what you need of it; only refresh() changes anything. Thread: worker. */
export class UpstreamView {
  readonly plan: UpstreamPlan;
  readonly load: EndpointLoadTable;
  readonly claims: ClaimJournal;
  readonly waiting: WaitingTable;
  /** In which keys are looked up, over all endpoints of the upstream; null: its balancer needs none. */
  readonly hashTable: HashTable | null;
  /** Endpoints that take work and are no backups. */
  readonly primaries = new EndpointGroup();
  /** Endpoints that take work while no primary is eligible. */
  readonly backups = new EndpointGroup();
  /** Indices of the endpoints that may be picked at all: those of the subset. */
  readonly #candidates: readonly number[];
  readonly #turn: number;
  readonly #control: EndpointControlTable;
  readonly #upstreams: UpstreamTable;
  /** Control epoch of the groups; 0, before any endpoint was assigned, is never current. */
  #epoch = 0;

  /** @param subset whose endpoints are seen; null: all of them */
  constructor(plan: UpstreamPlan, board: WorkerBoard, subset: SubsetPlan | null) {
    this.plan = plan;
    this.#candidates = subset?.endpoints ?? plan.endpoints.map((_, endpoint) => endpoint);
    this.#turn = subset?.turn ?? plan.turn;
    this.load = board.load;
    this.claims = board.claims;
    this.waiting = board.waiting;
    this.hashTable = board.hashTables[plan.hashTable] ?? null; // NO_HASH_TABLE is no index
    this.#control = board.control;
    this.#upstreams = board.upstreams;
    this.refresh();
  }

  /** Slot and generation of an endpoint, by its index in the plan. */
  endpoint(index: number): EndpointPlan {
    const endpoint = this.plan.endpoints[index];
    invariant(endpoint, 'a picked endpoint is one of the plan');
    return endpoint;
  }

  /** Rebuilds the groups if a control record has changed. HOT while it has not: one load. */
  refresh(): void {
    if (this.#upstreams.controlEpochHint(this.plan.index) === this.#epoch) return;
    // The epoch is read before the records: a change after it bumps the epoch again, and the next refresh sees that.
    this.#epoch = this.#upstreams.controlEpoch(this.plan.index);
    this.primaries.replace(this.#membersThatTakeWork(false));
    this.backups.replace(this.#membersThatTakeWork(true));
  }

  /** Whose turn it is among equals; no two workers get the same number. HOT. */
  nextTurn(): number {
    return this.#upstreams.nextTurn(this.#turn);
  }

  #membersThatTakeWork(isBackup: boolean): GroupMember[] {
    const members: GroupMember[] = [];
    for (const endpoint of this.#candidates) {
      const { slot, generation } = this.endpoint(endpoint);
      // Another generation: the slot has been given to another endpoint, and a newer plan is on its way.
      if (this.#control.generation(slot) !== generation) continue;
      if (!this.#control.takesWork(slot) || this.#control.isBackup(slot) !== isBackup) continue;
      const weight = this.#control.weight(slot);
      if (weight > 0) members.push({ endpoint, slot, generation, weight, cap: this.#control.cap(slot) });
    }
    return members;
  }
}
