/** Sessions that wait for a place at an endpoint: put off in the engine, and decided for when their turn or their end has come. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { NEVER, type Tick } from '../core/tick.js';
import { LATER, REFUSE } from '../engine/session-engine.js';
import type { WaitingHost } from '../policies/waiter.js';
import { QUEUE_IS_FULL, WAITS } from '../policies/waiting-room.js';
import type { WaitingRooms } from '../policies/waiting-rooms.js';
import type { SessionRecord } from './session-record.js';

/** Sessions say nothing of their urgency: as requests of a route that says nothing of it. */
const SESSION_PRIORITY = 4;

/** What of the engine decides late. */
export interface LateDecisions {
  /** As SessionEngine.decide. */
  decide(session: number, slot: number): void;
}

/** Thread: worker; one for each session pipeline. */
export class SessionWaiting implements WaitingHost<SessionRecord> {
  readonly #readTick: () => Tick;
  readonly #follow: (record: SessionRecord) => void;
  #rooms: WaitingRooms<SessionRecord> | null = null;
  #engine: LateDecisions | null = null;
  #now: Tick = NEVER;

  /**
   * @param readTick reads the clock for the pipeline, too
   * @param follow   takes a session to its upstream's runtime of the plan that counts now, if that is another one
   */
  constructor(readTick: () => Tick, follow: (record: SessionRecord) => void) {
    this.#readTick = readTick;
    this.#follow = follow;
  }

  /** Once, before the first session: nobody waits until then. */
  open(rooms: WaitingRooms<SessionRecord>, engine: LateDecisions): void {
    this.#rooms = rooms;
    this.#engine = engine;
  }

  /**
   * Picks an endpoint for a session's next attempt to connect, or puts it in line where all are full, or others wait already.
   *
   * @returns a slot, LATER, or REFUSE: then `refusal` says why
   */
  decide(record: SessionRecord, now: Tick): number {
    this.#follow(record);
    const upstream = record.upstream as UpstreamRuntime;
    const room = this.#rooms?.of(upstream) ?? null;
    if (room === null || !room.mustQueue(record, now)) {
      const slot = upstream.pick(record, now);
      if (slot !== NO_ENDPOINT) return slot;
      const reason = upstream.whyNone(record, now);
      if (room === null || reason !== 'SLUICE_ENDPOINTS_FULL') return refuse(record, record.lastFailure ?? reason);
    }
    this.#now = now;
    const got = room.wait(record, SESSION_PRIORITY, upstream.plan.timeouts.queueMs, now);
    if (got === QUEUE_IS_FULL) return refuse(record, 'SLUICE_QUEUE_FULL');
    if (got !== WAITS) return got;
    record.state = 'waiting';
    record.room = room;
    record.beginWait(now);
    return LATER;
  }

  /** The session ends: it waits no more, if it did. */
  leave(record: SessionRecord): void {
    record.room?.leave(record);
    record.room = null;
  }

  // --- what the rooms ask for ---------------------------------------------------------------------------------------------

  pick(record: SessionRecord): number {
    this.#follow(record);
    return (record.upstream as UpstreamRuntime).pick(record, this.#now);
  }

  readTick(): Tick {
    this.#now = this.#readTick();
    return this.#now;
  }

  begin(record: SessionRecord, slot: number): void {
    record.state = 'connecting';
    record.room = null;
    record.endWait(this.#now);
    this.#engine?.decide(record.session, slot);
  }

  timedOut(record: SessionRecord): void {
    this.#engine?.decide(record.session, refuse(record, 'SLUICE_QUEUE_TIMEOUT'));
  }

  displaced(record: SessionRecord): void {
    this.#engine?.decide(record.session, refuse(record, 'SLUICE_QUEUE_FULL'));
  }
}

/** @returns the decision */
export function refuse(record: SessionRecord, code: ErrorCode): number {
  record.state = 'refused';
  record.refusal = code;
  return REFUSE;
}
