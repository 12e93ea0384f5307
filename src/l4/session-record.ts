/** What is known of one open session; made once for each number that the engine uses, and used again. */
import { NO_ENDPOINT, NO_KEY, PickKey } from '../balancing/balancer.js';
import type { TriedSet } from '../balancing/tried-set.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import { NO_ENTRY } from '../board/client-table.js';
import { NO_SUBSET } from '../config/picking-plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import { FIRST_SESSION_NUMBER } from '../engine/session-engine.js';
import type { LimitedSession } from '../policies/session-limits.js';
import { NOT_WAITING, type Waiter } from '../policies/waiter.js';
import type { WaitingRoom } from '../policies/waiting-room.js';
import type { SessionListener } from './session-listener.js';

const US_PER_MS = 1_000;

/**
 * free: no session has this number. connecting: from OPENED until an endpoint is connected to. waiting: for a place at one, before it
 * is connected to. relaying: from there on. refused: the engine has been told to close it. Each ends in ENDED, and is free again.
 */
export type SessionState = 'free' | 'connecting' | 'waiting' | 'relaying' | 'refused';

/** Thread: worker. */
export class SessionRecord implements Waiter, LimitedSession {
  /** Number of its attempts in the worker's ledger, behind those of exchanges. */
  readonly id: number;
  state: SessionState = 'free';
  listener: SessionListener | null = null;
  upstream: UpstreamRuntime | null = null;
  subset = NO_SUBSET;
  /** NO_KEY until its upstream wants one: a record lives on for each session that there ever was at a time, and most need none. */
  key: PickKey = NO_KEY;
  preferred = NO_ENDPOINT;
  endpoint = NO_ENDPOINT;
  attempts = 0;
  tried: TriedSet | null = null;
  entry = NOT_WAITING;
  /** Where it waits; null: it does not. */
  room: WaitingRoom<SessionRecord> | null = null;
  /** Attempts that failed to connect; those on endpoints without addresses are not among them. */
  failedConnects = 0;
  /** Of the latest attempt that failed to connect. */
  lastFailure: ErrorCode | null = null;
  /** Why it was refused, or closed by the proxy. */
  refusal: ErrorCode | null = null;
  // What the record tells of it, in µs.
  /** How long the connection to its endpoint took; 0: there is none. */
  connectUs = 0;
  /** How long it waited for places at endpoints. */
  queueUs = 0;
  durationUs = 0;
  /** The same, uncapped. */
  durationMs = 0;
  bytesFromClient = 0;
  bytesToClient = 0;
  /** Since when it waits; NEVER: it does not. */
  #waitsSince: Tick = NEVER;
  isCountedAtListener = false;
  clientEntry = NO_ENTRY;
  /** The client's address. */
  word0 = 0;
  word1 = 0;
  word2 = 0;
  word3 = 0;

  /** @param session the engine's number */
  constructor(readonly session: number) {
    this.id = FIRST_SESSION_NUMBER + session;
  }

  /** Its key, to be filled in. */
  ownKey(): PickKey {
    if (this.key === NO_KEY) this.key = new PickKey();
    return this.key;
  }

  /** It waits from now on. */
  beginWait(now: Tick): void {
    this.#waitsSince = now;
  }

  /** It goes on, or is over. Idempotent. */
  endWait(now: Tick): void {
    if (this.#waitsSince === NEVER) return;
    this.queueUs += Math.max(msBetween(this.#waitsSince, now) * US_PER_MS, 1);
    this.#waitsSince = NEVER;
  }

  /** Free for the next session of this number; claim and limits have been given back. */
  recycle(): void {
    this.state = 'free';
    this.listener = null;
    this.upstream = null;
    this.preferred = NO_ENDPOINT;
    this.endpoint = NO_ENDPOINT;
    this.attempts = 0;
    this.tried = null;
    this.failedConnects = 0;
    this.lastFailure = null;
    this.refusal = null;
    this.connectUs = 0;
    this.queueUs = 0;
    this.durationUs = 0;
    this.bytesFromClient = 0;
    this.bytesToClient = 0;
  }
}
