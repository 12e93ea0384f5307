/** Requests and sessions of one worker that wait for a place at an endpoint of an upstream, in the line of all workers. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { ReleaseObserver, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import { NO_ENTRY_IN_LINE } from '../board/wait-line.js';
import type { WaitQueue } from '../board/wait-queue.js';
import type { QueuePlan } from '../config/resilience-plan.js';
import { invariant } from '../core/invariant.js';
import { msBetween, NEVER, type Tick, tickAfter } from '../core/tick.js';
import { NOT_WAITING, type RoomKeeper, type Waiter, type WaitingHost } from './waiter.js';
import { hasTried, membersOf, slotsOf, triedSlots, turnOf } from './waiting-places.js';

/** WaitingRoom.wait: it waits; the host is told of its place, its deadline or its displacement. */
export const WAITS = -2;
/** WaitingRoom.wait: as many wait as may, none of them of a worse priority (SLUICE_QUEUE_FULL). */
export const QUEUE_IS_FULL = -3;

/** One that waits, as its own worker knows it. */
interface Stay<W> {
  readonly waiter: W;
  /** Tells its entry from that of whoever gets it next. */
  readonly sequence: number;
  readonly deadlineAt: Tick;
}

/**
 * One for each queue, in each data plane of a worker. Before the first pick of such an upstream: if `mustQueue`, or if the
 * pick finds nobody and UpstreamRuntime.whyNone says SLUICE_ENDPOINTS_FULL, then `wait`. Claims that are given back are noticed through
 * UpstreamRuntime.
 *
 * Whatever changes the line happens under the queue's lock, the picks of waiters included. So whenever the lock is free, a place that
 * somebody who waits uncalled could use is either kept for one that was called, or about to be called out by the worker that has just
 * given it back.
 *
 * With another plan the room stays as long as its queue does, and looks for places at the endpoints of that plan (`follow`). A room whose
 * queue is gone takes nobody in any more (`shut`), and serves those that are in it, in whatever worker, before anybody in the upstream's
 * next queue who could use the same places. Thread: worker.
 */
export class WaitingRoom<W extends Waiter> implements ReleaseObserver {
  readonly plan: QueuePlan;
  /** Whose endpoints it looks for places at; written by follow() only. */
  upstream: UpstreamRuntime;
  /** Indices of its endpoints by their slots. */
  #bySlot: ReadonlyMap<number, number>;
  #isShut = false;
  /** The room of a former queue of the upstream, where some may still wait; null: there is none. */
  former: WaitingRoom<W> | null = null;
  readonly #queue: WaitQueue;
  readonly #host: WaitingHost<W>;
  readonly #keeper: RoomKeeper;
  /** By entry, oldest first. */
  readonly #stays = new Map<number, Stay<W>>();
  /** Displaced by another one of this room, whose pipeline must not be called from within. */
  readonly #displaced: W[] = [];
  #displacementsSeen = 0;
  #looksSeen = 0;
  /** The clock as it was last told. */
  #now: Tick = NEVER;

  /** @param plan of the queue */
  constructor(plan: QueuePlan, upstream: UpstreamRuntime, queue: WaitQueue, host: WaitingHost<W>, keeper: RoomKeeper) {
    this.plan = plan;
    this.#queue = queue;
    this.#host = host;
    this.#keeper = keeper;
    this.upstream = upstream;
    this.#bySlot = slotsOf(upstream);
    this.follow(upstream);
  }

  /** Looks for places at the endpoints of another runtime from now on. */
  follow(upstream: UpstreamRuntime): void {
    this.upstream = upstream;
    this.#bySlot = slotsOf(upstream);
    this.#queue.members = membersOf(upstream);
  }

  /** The queue is in the plan, or not any more: then nobody joins it. */
  shut(isShut: boolean): void {
    this.#isShut = isShut;
  }

  /** Does anybody wait, in whatever worker? Then newcomers must not pick past them. HOT: one load. */
  get hasWaiters(): boolean {
    return this.#queue.waiting > 0;
  }

  get isShut(): boolean {
    return this.#isShut;
  }

  /** Does anybody wait in a former queue of the upstream? HOT without one: one load. */
  get #isBehind(): boolean {
    return this.former !== null && (this.former.hasWaiters || this.former.#isBehind);
  }

  /** Those of this room. */
  get size(): number {
    return this.#stays.size + this.#displaced.length;
  }

  /**
   * Is a newcomer to get in line, since others wait before it? Not where nobody takes work that it may have: then it is told so at once,
   * or is a probe, and does not wait for what may not come. HOT: one load where nobody waits.
   */
  mustQueue(waiter: W, now: Tick): boolean {
    return (
      (this.hasWaiters || this.#isBehind) &&
      !this.#isShut &&
      (waiter.upstream ?? this.upstream).whyNone(waiter, now) === 'SLUICE_ENDPOINTS_FULL'
    );
  }

  // --- what the pipeline does ---------------------------------------------------------------------------------------------

  /**
   * Puts one in line. The host is not called within, but for a pick; it hears of the rest later.
   *
   * @param priority   0 (first) .. PRIORITIES - 1
   * @param deadlineMs > 0, from now
   * @returns the slot of an endpoint that it has got at once (as if picked: begin there), WAITS or QUEUE_IS_FULL
   */
  wait(waiter: W, priority: number, deadlineMs: number, now: Tick): number {
    invariant(waiter.entry === NOT_WAITING, 'who joins a queue is in none');
    if (this.#isShut) return QUEUE_IS_FULL;
    this.#now = now;
    this.#keeper.listen();
    const queue = this.#queue;
    const isBehind = this.#isBehind;
    queue.lock();
    const entry = queue.enter({ owner: queue.owner, priority, subset: turnOf(waiter) }, triedSlots(waiter));
    if (entry === NO_ENTRY_IN_LINE) {
      queue.unlock();
      return QUEUE_IS_FULL;
    }
    const slot = isBehind ? NO_ENDPOINT : this.#pickAtOnce(entry, waiter);
    const sequence = queue.line.sequenceOf(entry);
    if (slot !== NO_ENDPOINT) queue.leave(entry);
    const isTold = queue.unlock();
    this.#forget(entry);
    if (slot === NO_ENDPOINT) {
      waiter.entry = entry;
      this.#stays.set(entry, { waiter, sequence, deadlineAt: tickAfter(now, deadlineMs) });
      this.#keeper.expect(deadlineMs);
    }
    if (isTold) this.#keeper.answerSoon();
    return slot === NO_ENDPOINT ? WAITS : slot;
  }

  /** Its client has left, or it ends for another reason. Nothing happens where it does not wait, so every way out may call it. */
  leave(waiter: W): void {
    const { entry } = waiter;
    if (entry === NOT_WAITING) return;
    waiter.entry = NOT_WAITING;
    const stay = this.#stays.get(entry);
    if (stay?.waiter !== waiter) {
      this.#displaced.splice(this.#displaced.indexOf(waiter), 1);
      return;
    }
    this.#stays.delete(entry);
    this.#takeOut(entry, stay);
  }

  /** A claim has been given back: calls the first in line that can use the place. HOT: one load where nobody waits. */
  released(slot: number, now: Tick): void {
    const queue = this.#queue;
    // Who waits in a former queue came before.
    if (this.former !== null) this.former.released(slot, now);
    if (queue.waiting === 0) return;
    this.#now = now;
    if (this.#placesAt(slot) === 0 || this.#isOwed(slot)) return;
    queue.lock();
    this.#callFor(slot);
    if (queue.unlock()) this.#keeper.answerSoon();
  }

  // --- what its keeper does -----------------------------------------------------------------------------------------------

  /** Lets those pick that were called, and tells those that were displaced. */
  answer(now: Tick): void {
    this.#now = now;
    for (const waiter of this.#displaced.splice(0)) {
      waiter.entry = NOT_WAITING;
      this.#host.displaced(waiter);
    }
    if (this.#stays.size === 0) return;
    this.#findDisplaced();
    if (this.#queue.looks !== this.#looksSeen) this.look(now);
    while (this.#answerOne());
  }

  /**
   * Calls for every place that is free and kept for nobody: endpoints that came back and caps that were raised give no claim back.
   */
  look(now: Tick): void {
    this.#now = now;
    const queue = this.#queue;
    this.#looksSeen = queue.looks;
    if (queue.waiting === 0) return;
    const { endpoints } = this.upstream.plan;
    const open = this.#isBehind ? endpoints.filter(({ slot }) => !this.#isOwed(slot)) : endpoints;
    queue.lock();
    for (const { slot } of open) {
      let places = this.#placesAt(slot);
      if (places > 0) places -= queue.reservedAt(slot);
      while (places > 0 && queue.callNext(slot) !== NO_ENTRY_IN_LINE) places -= 1;
    }
    if (queue.unlock()) this.#keeper.answerSoon();
  }

  /** Ends the waiting of those whose time is over. @returns ms until the next one's is, or Infinity */
  expire(now: Tick): number {
    this.#now = now;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [entry, stay] of [...this.#stays]) {
      const leftMs = msBetween(now, stay.deadlineAt);
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      // What the host does with one may end others.
      else if (this.#stays.get(entry) === stay) {
        this.#stays.delete(entry);
        stay.waiter.entry = NOT_WAITING;
        this.#takeOut(entry, stay);
        this.#host.timedOut(stay.waiter);
      }
    }
    return nextMs;
  }

  /** All leave, and the host hears nothing: the data plane closes. */
  close(): void {
    for (const { waiter } of [...this.#stays.values()]) this.leave(waiter);
    for (const waiter of this.#displaced.splice(0)) waiter.entry = NOT_WAITING;
  }

  /** Is a place at an endpoint for somebody in a former queue? Takes their locks, so not under this one's. */
  #isOwed(slot: number): boolean {
    for (let room = this.former; room !== null; room = room.former) if (room.#isWanted(slot)) return true;
    return false;
  }

  #isWanted(slot: number): boolean {
    const queue = this.#queue;
    if (queue.waiting === 0) return false;
    queue.lock();
    const isWanted = queue.isWanted(slot);
    queue.unlock();
    return isWanted;
  }

  // --- under the lock -----------------------------------------------------------------------------------------------------

  /**
   * A newcomer may have a place that nobody before it can use: any, if it is the first in line; otherwise only where some are choosy, and
   * then for a free place that is kept for nobody, for which the first of all that can use it is called.
   */
  #pickAtOnce(entry: number, waiter: W): number {
    const { line } = this.#queue;
    if (line.first() === entry) return this.#host.pick(waiter);
    if (line.choosy === 0) return NO_ENDPOINT;
    for (const { slot } of this.upstream.plan.endpoints) {
      if (!this.#queue.canUse(entry, slot)) continue;
      if (this.#callFor(slot) !== entry) continue;
      const picked = this.#pickCalled(entry, waiter);
      if (picked !== NO_ENDPOINT) return picked;
    }
    return NO_ENDPOINT;
  }

  /** 0 where no endpoint of the upstream has the slot: its plan has changed. */
  #placesAt(slot: number): number {
    const endpoint = this.#bySlot.get(slot);
    return endpoint === undefined ? 0 : this.upstream.placesAt(endpoint, this.#now);
  }

  /** Calls for a place at an endpoint, if there is one that is kept for nobody. @returns who was called, or NO_ENTRY_IN_LINE */
  #callFor(slot: number): number {
    const places = this.#placesAt(slot);
    const isFree = places > 0 && places > this.#queue.reservedAt(slot);
    return isFree ? this.#queue.callNext(slot) : NO_ENTRY_IN_LINE;
  }

  /**
   * Answers a call: the waiter picks. Its entry stays in line, and goes on waiting where nobody was picked.
   *
   * @returns the slot, or NO_ENDPOINT
   */
  #pickCalled(entry: number, waiter: W): number {
    const queue = this.#queue;
    const { line } = queue;
    const place = line.placeOf(entry);
    // Whoever was called before it and came too late waits again: the place is theirs.
    const earlier = queue.firstFor(place, entry);
    if (earlier !== NO_ENTRY_IN_LINE) {
      line.uncall(entry);
      queue.call(earlier, place);
      return NO_ENDPOINT;
    }
    const endpoint = this.#bySlot.get(place);
    if (endpoint === undefined) {
      // Called by a worker that has the next plan already, or still had the one before.
      line.uncall(entry);
      return NO_ENDPOINT;
    }
    // Any other place that is free may be somebody else's by now.
    this.upstream.wanted = endpoint;
    const slot = this.#host.pick(waiter);
    this.upstream.wanted = NO_ENDPOINT;
    if (slot === NO_ENDPOINT) {
      line.uncall(entry);
      // It has tried more endpoints than its entry tells of. Otherwise somebody who saw no waiters has taken the place.
      if (hasTried(waiter, place)) {
        line.addTried(entry, place);
        this.#callFor(place);
      }
      return slot;
    }
    if (slot !== place) this.#exchangePlaces(entry, slot);
    return slot;
  }

  /** One that was called for a place has taken another one: whoever that was kept for gets this one, or it is called out again. */
  #exchangePlaces(entry: number, taken: number): void {
    const queue = this.#queue;
    const { line } = queue;
    const place = line.placeOf(entry);
    const other = queue.firstCalledFor(taken);
    line.setPlace(entry, taken);
    if (other !== NO_ENTRY_IN_LINE && queue.canUse(other, place)) line.setPlace(other, place);
    else this.#callFor(place);
  }

  /** @returns false: none of this room's was called */
  #answerOne(): boolean {
    const queue = this.#queue;
    queue.lock();
    const entry = queue.firstCalledHere();
    if (entry === NO_ENTRY_IN_LINE) {
      queue.unlock();
      return false;
    }
    const stay = this.#stays.get(entry);
    invariant(stay, 'who is called in a data plane waits there');
    const slot = this.#pickCalled(entry, stay.waiter);
    if (slot !== NO_ENDPOINT) queue.leave(entry);
    if (queue.unlock()) this.#keeper.answerSoon();
    if (slot === NO_ENDPOINT) return true;
    this.#stays.delete(entry);
    stay.waiter.entry = NOT_WAITING;
    this.#host.begin(stay.waiter, slot);
    return true;
  }

  /** Gives an entry back, and the place that it was called for to the next. */
  #takeOut(entry: number, { sequence }: Stay<W>): void {
    const queue = this.#queue;
    queue.lock();
    if (queue.isHeld(entry, sequence)) {
      const place = queue.isCalled(entry) ? queue.line.placeOf(entry) : NO_ENDPOINT;
      queue.leave(entry);
      if (place !== NO_ENDPOINT) this.#callFor(place);
    }
    if (queue.unlock()) this.#keeper.answerSoon();
  }

  // --- displacement -------------------------------------------------------------------------------------------------------

  /** A newcomer of this room has the entry now: whose it was has lost it. */
  #forget(entry: number): void {
    const stay = this.#stays.get(entry);
    if (stay === undefined) return;
    this.#stays.delete(entry);
    this.#displaced.push(stay.waiter);
  }

  /** Tells those whose entries others have got. */
  #findDisplaced(): void {
    const queue = this.#queue;
    if (queue.displacements === this.#displacementsSeen) return;
    queue.lock();
    this.#displacementsSeen = queue.displacements;
    const lost = [...this.#stays].filter(([entry, { sequence }]) => !queue.isHeld(entry, sequence));
    queue.unlock();
    for (const [entry, stay] of lost) {
      if (this.#stays.get(entry) !== stay) continue;
      this.#stays.delete(entry);
      stay.waiter.entry = NOT_WAITING;
      this.#host.displaced(stay.waiter);
    }
  }
}
