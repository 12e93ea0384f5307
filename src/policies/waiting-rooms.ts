/** The waiting rooms of one data plane: which upstreams have one, and when what waits in them is looked after. */
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { Bell } from '../board/bell.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { UpstreamPlan } from '../config/plan.js';
import type { Tick } from '../core/tick.js';
import type { Cancel, Timers } from '../core/timers.js';
import { type RoomKeeper, type Waiter, type WaitingHost, WaitingRoom } from './waiting-room.js';

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
  readonly #rooms: readonly (WaitingRoom<W> | null)[];
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
    this.#bell = parts.board.openBell(parts.plane, () => this.#hear());
    this.#rooms = parts.upstreams.map((upstream) => {
      const { plan } = upstream;
      if (plan.queue === null) return null;
      const queue = parts.board.openQueue(parts.plane, {
        upstream: plan.queue.record,
        firstEntry: plan.queue.firstEntry,
        length: plan.queue.length,
        members: membersOf(plan),
      });
      return new WaitingRoom<W>(upstream, queue, parts.host, this);
    });
  }

  /** Of an upstream by its index in the plan; null: nobody waits for it. */
  of(upstream: number): WaitingRoom<W> | null {
    return this.#rooms[upstream] ?? null;
  }

  /** How many wait in this data plane. */
  get size(): number {
    return this.#rooms.reduce((sum, room) => sum + (room?.size ?? 0), 0);
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
    for (const room of this.#rooms) room?.close();
  }

  #hear(): void {
    // Before what there is to hear is looked for, or a ring between the two would be missed.
    if (this.size > 0) this.#bell.listen();
    this.#answer(this.#host.readTick());
  }

  #answer(now: Tick): void {
    for (const room of this.#rooms) room?.answer(now);
  }

  #setTimer(ms: number): void {
    this.#cancel?.();
    this.#timerMs = ms;
    this.#cancel = this.#timers.after(ms, () => {
      this.#cancel = null;
      this.#lookAfter();
    });
  }

  #lookAfter(): void {
    const now = this.#host.readTick();
    let nextMs = this.#lookMs;
    for (const room of this.#rooms) {
      if (room === null || room.size === 0) continue;
      if (this.#lookMs !== Number.POSITIVE_INFINITY) room.look(now);
      room.answer(now);
      nextMs = Math.min(nextMs, room.expire(now));
    }
    if (this.size > 0 && !this.#isClosed) this.#setTimer(nextMs);
  }
}

/** By subset plus 1, the whole upstream first: 1 for each endpoint that belongs to it. */
function membersOf({ endpoints, subsets }: UpstreamPlan): Uint8Array[] {
  const whole = new Uint8Array(endpoints.length).fill(1);
  const rest = subsets.map((subset) => {
    const members = new Uint8Array(endpoints.length);
    for (const endpoint of subset.endpoints) members[endpoint] = 1;
    return members;
  });
  return [whole, ...rest];
}
