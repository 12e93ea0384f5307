/** Admits sessions, and client connections of L7, as long as their listener and their client stay within the listener's limits. */
import { type ClientLimits, NO_ENTRY, REFUSED_RATE, REFUSED_SESSIONS } from '../board/client-table.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { ListenerPlan, SessionLimitsPlan } from '../config/plan.js';
import { intervalUsFor } from '../core/gcra.js';
import { invariant } from '../core/invariant.js';
import { ADMIT, type Verdict } from './verdict.js';

/** What the policy looks at in a session, and what it keeps there until release(). */
export interface LimitedSession {
  /** The client's IP address as four words of an IPv6 address, IPv4 as ::ffff:a.b.c.d; all 0: none, as behind a UNIX socket. */
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** Written by SessionLimits only; begins false. */
  isCountedAtListener: boolean;
  /** Written by SessionLimits only; begins NO_ENTRY. */
  clientEntry: number;
}

/** The limits of one listener, as the tables take them. */
interface CompiledLimits {
  /** 0: no limit. */
  readonly sessions: number;
  /** null: no limit. */
  readonly client: ClientLimits | null;
}

/**
 * Every limit is a listener's own, and exact over all workers. The order: sessions of the listener, sessions of the client, rate of the
 * client; what a refused session has got of the former is given back, and one that the sessions refuse has not used up any rate.
 * Clients of a UNIX socket have no address, so only the listener's own limit is theirs. Where nothing is limited, nothing shared is
 * touched.
 *
 * Thread: worker; one for each. HOT (bench/micro/board/session-limits.bench.ts).
 */
export class SessionLimits {
  readonly #board: Pick<WorkerBoard, 'listenerSessions' | 'clients'>;
  /** By the number of the listener; null: nothing is limited. */
  readonly #limits: (CompiledLimits | null)[] = [];

  /** @param listeners all of the plan; where the front end is not ours to limit (uws), their limits are off */
  constructor(board: Pick<WorkerBoard, 'listenerSessions' | 'clients'>, listeners: readonly ListenerPlan[]) {
    this.#board = board;
    this.apply(listeners);
  }

  /**
   * Goes by another plan: its limits count for sessions that come from now on. Those that are open stay, also beyond a lower limit, and
   * are counted where they were counted in. A listener that is gone keeps its limits for what still comes from it.
   */
  apply(listeners: readonly ListenerPlan[]): void {
    for (const { number, limits } of listeners) {
      while (this.#limits.length < number) this.#limits.push(null);
      this.#limits[number] = compiled(limits);
    }
  }

  /** Is anything limited there? Where nothing is, admit need not be called. @param listener its number */
  isLimited(listener: number): boolean {
    return (this.#limits[listener] ?? null) !== null;
  }

  /**
   * Counts a new session in, or says why not. Then call release() at its end, whatever the verdict was.
   *
   * @param listener its number
   * @param nowUs    whole µs of the shared clock: Math.floor(clock.nowMs() * 1000)
   */
  admit(session: LimitedSession, listener: number, nowUs: number): Verdict {
    const limits = this.#limits[listener];
    if (limits === null || limits === undefined) return ADMIT;
    invariant(!session.isCountedAtListener && session.clientEntry === NO_ENTRY, 'a new session is not counted yet');
    if (limits.sessions !== 0) {
      if (!this.#board.listenerSessions.claim(listener, limits.sessions)) return 'SLUICE_SESSION_LIMIT';
      session.isCountedAtListener = true;
    }
    if (limits.client === null || isWithoutAddress(session)) return ADMIT;
    const entry = this.#board.clients.claim(listener, session, limits.client, nowUs);
    if (entry >= NO_ENTRY) {
      session.clientEntry = entry;
      return ADMIT;
    }
    this.release(session, listener);
    if (entry === REFUSED_SESSIONS) return 'SLUICE_CLIENT_SESSION_LIMIT';
    return entry === REFUSED_RATE ? 'SLUICE_CLIENT_RATE_LIMIT' : 'SLUICE_CLIENT_TABLE_FULL';
  }

  /** Counts a session out of what admit() has counted it in; nothing happens where it has not. Idempotent. */
  release(session: LimitedSession, listener: number): void {
    if (session.clientEntry !== NO_ENTRY) this.#board.clients.release(session.clientEntry);
    session.clientEntry = NO_ENTRY;
    if (session.isCountedAtListener) this.#board.listenerSessions.release(listener);
    session.isCountedAtListener = false;
  }
}

function compiled({ sessions, sessionsPerClient, newSessionsPerClient }: SessionLimitsPlan): CompiledLimits | null {
  const client =
    sessionsPerClient === 0 && newSessionsPerClient === null
      ? null
      : {
          sessions: sessionsPerClient,
          intervalUs: newSessionsPerClient === null ? 0 : intervalUsFor(newSessionsPerClient.perSecond),
          burst: newSessionsPerClient?.burst ?? 1,
        };
  return sessions === 0 && client === null ? null : { sessions, client };
}

function isWithoutAddress({ word0, word1, word2, word3 }: LimitedSession): boolean {
  return (word0 | word1 | word2 | word3) === 0;
}
