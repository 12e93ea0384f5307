/** The waiting rooms of one data plane: which upstreams have one, and when what waits in them is looked after. */
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { Bell } from '../board/bell.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { QueuePlan } from '../config/resilience-plan.js';
import type { Tick } from '../core/tick.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { RoomKeeper, Waiter, WaitingHost } from './waiter.js';
import { WaitingRoom } from './waiting-room.js';

/**
 * While somebody waits, free places are looked for this often: when an endpoint returns or its cap rises nobody rings. Short against
 * the seconds that requests wait; a look takes some µs.
 */
export const LOOK_MS = 50;

/** Which bell of its worker a data plane has. */
export const Plane = { L7: 0, L4: 1 } as const;

/** What waiting rooms work with. */
export interface WaitingRoomsParts<W extends Waiter> {
  readonly board: WorkerBoard;
  /** One of Plane. */
  readonly plane: number;
  /** Of this data plane, by the indices of the plan. */
  readonly upstreams: readonly UpstreamRuntime[];
  readonly host: WaitingHost<W>;
  readonly timers: Timers;
  /** Calls back at the end of this turn of the event loop. */
  readonly soon: (run: () => void) => void;
  /** Instead of LOOK_MS; Infinity: never. */
  readonly lookMs?: number;
}

/** Thread: worker; one for each of its data planes. */
export class WaitingRooms<W extends Waiter> implements RoomKeeper {
  readonly #board: WorkerBoard;
  readonly #plane: number;
  /** Those of the upstreams of the plan that counts, and those of former queues that still have waiters, here or in other workers. */
  readonly #rooms = new Set<WaitingRoom<W>>();
  /** By the runtimes of that plan. */
  #byUpstream: ReadonlyMap<UpstreamRuntime, WaitingRoom<W>> = new Map();
  readonly #bell: Bell;
  readonly #host: WaitingHost<W>;
  readonly #timers: Timers;
  readonly #soon: (run: () => void) => void;
  readonly #lookMs: number;
  #cancel: Cancel | null = null;
  /** For how long the timer was set. */
  #timerMs = 0;
  #isAnswering = false;
  #isClosed = false;

  constructor(parts: WaitingRoomsParts<W>) {
    this.#host = parts.host;
    this.#timers = parts.timers;
    this.#soon = parts.soon;
    this.#lookMs = parts.lookMs ?? LOOK_MS;
    this.#board = parts.board;
    this.#plane = parts.plane;
    this.#bell = parts.board.openBell(parts.plane, () => this.#hear());
    this.apply(parts.upstreams);
  }

  /** Of an upstream of the plan that counts; null: nobody waits for it. HOT without a queue: two loads. */
  of(upstream: UpstreamRuntime): WaitingRoom<W> | null {
    return upstream.plan.queue === null ? null : (this.#byUpstream.get(upstream) ?? null);
  }

  /**
   * Goes by another plan. A room whose queue is in it keeps its waiters, and picks for them at the endpoints of that plan. Where the queue
   * is gone, or another one, the room takes nobody in any more and ends when its waiters have left, those of other workers too; they get
   * places of the upstream's new runtime, if there is one, and before those that join its next queue.
   *
   * @param upstreams of this data plane, by the indices of the plan
   */
  apply(upstreams: readonly UpstreamRuntime[]): void {
    const byUpstream = new Map<UpstreamRuntime, WaitingRoom<W>>();
    for (const upstream of upstreams) {
      const { queue } = upstream.plan;
      upstream.releases = null;
      if (queue !== null) byUpstream.set(upstream, this.#roomOf(upstream, queue));
    }
    this.#byUpstream = byUpstream;
    for (const [upstream, room] of byUpstream) {
      room.former = null;
      room.shut(false);
      upstream.releases = room;
    }
    const current = new Set(byUpstream.values());
    for (const room of this.#rooms) if (!current.has(room)) this.#outlive(room, upstreams);
    // Behind the former ones: the next time the oldest of them are looked at first.
    for (const room of current) {
      this.#rooms.delete(room);
      this.#rooms.add(room);
    }
    if (this.#hasFormer) this.expect(LOOK_MS);
  }

  /** The room of a queue, which may be that of a plan before. */
  #roomOf(upstream: UpstreamRuntime, queue: QueuePlan): WaitingRoom<W> {
    for (const room of this.#rooms) {
      if (!isSame(room.plan, queue) || room.upstream.plan.name !== upstream.plan.name) continue;
      room.follow(upstream);
      return room;
    }
    return new WaitingRoom<W>(queue, upstream, this.#board.openQueue(this.#plane, queue), this.#host, this);
  }

  /**
   * A queue is not in the plan any more: who waits there, in whatever worker, still comes before those that join the upstream's next queue.
   * Workers that go by the plan before may still join it, so that one without waiters stays until the next look.
   */
  #outlive(room: WaitingRoom<W>, upstreams: readonly UpstreamRuntime[]): void {
    const wasShut = room.isShut;
    room.shut(true);
    room.former = null;
    if (wasShut && !room.hasWaiters && room.size === 0) return void this.#rooms.delete(room);
    const upstream = upstreams.find(({ plan }) => plan.name === room.upstream.plan.name);
    if (upstream === undefined) return;
    room.follow(upstream);
    const next = this.#byUpstream.get(upstream);
    if (next === undefined) {
      upstream.releases = room;
      return;
    }
    room.former = next.former;
    next.former = room;
  }

  /** How many wait in this data plane. */
  get size(): number {
    let sum = 0;
    for (const { size } of this.#rooms) sum += size;
    return sum;
  }

  answerSoon(): void {
    if (this.#isAnswering || this.#isClosed) return;
    this.#isAnswering = true;
    this.#soon(() => {
      this.#isAnswering = false;
      if (!this.#isClosed) this.#answer(this.#host.readTick());
    });
  }

  listen(): void {
    this.#bell.listen();
  }

  expect(deadlineMs: number): void {
    const ms = Math.min(deadlineMs, this.#lookMs);
    if (this.#cancel === null || ms < this.#timerMs) this.#setTimer(ms);
  }

  /** Everybody leaves; nothing is called any more. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#bell.silence();
    this.#cancel?.();
    for (const room of this.#rooms) room.close();
  }

  #hear(): void {
    // Before what there is to hear is looked for, or a ring between the two would be missed.
    if (this.size > 0) this.#bell.listen();
    this.#answer(this.#host.readTick());
  }

  #answer(now: Tick): void {
    for (const room of this.#rooms) room.answer(now);
  }

  #setTimer(ms: number): void {
    this.#cancel?.();
    this.#timerMs = ms;
    this.#cancel = this.#timers.after(ms, () => {
      this.#cancel = null;
      this.#lookAfter();
    });
  }

  get #hasFormer(): boolean {
    for (const room of this.#rooms) if (room.isShut) return true;
    return false;
  }

  /** Former queues in which nobody waits any more are nobody's soon: their records may be given to others. */
  #forgetFormer(): void {
    for (const room of this.#rooms) {
      if (!room.isShut || room.hasWaiters || room.size > 0) continue;
      this.#rooms.delete(room);
      for (const other of this.#rooms) if (other.former === room) other.former = room.former;
      const { upstream } = room;
      if (upstream.releases === room) upstream.releases = room.former;
    }
  }

  #lookAfter(): void {
    this.#forgetFormer();
    const now = this.#host.readTick();
    let nextMs = this.#hasFormer ? Math.min(LOOK_MS, this.#lookMs) : this.#lookMs;
    for (const room of this.#rooms) {
      if (room.size === 0) continue;
      if (this.#lookMs !== Number.POSITIVE_INFINITY) room.look(now);
      room.answer(now);
      nextMs = Math.min(nextMs, room.expire(now));
    }
    if ((this.size > 0 || this.#hasFormer) && !this.#isClosed) this.#setTimer(nextMs);
  }
}

function isSame(one: QueuePlan, other: QueuePlan): boolean {
  return one.record === other.record && one.firstEntry === other.firstEntry && one.length === other.length;
}
