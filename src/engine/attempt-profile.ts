/** What the engine has to know of an attempt beyond its request: made known once under a number, named with each attempt. */

/** Attempts go by their pool's own times, hold what the engine itself needs for its replay, and ask about no status. */
export const PLAIN_PROFILE = 0;
/** Highest number of a profile; as kMaxProfile of the engine. */
export const MOST_PROFILES = 65_535;

/** Settings of attempts. Times in ms; 0: the pool's own. */
export interface AttemptProfile {
  readonly connectTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /**
   * From the begin of the attempt, or from the end of the client's body where that comes later, to the head of its response; waiting in
   * the pool's queue included. 0: none. Fails with ATTEMPT_TIMEOUT.
   */
  readonly attemptTimeoutMs: number;
  /**
   * The request is held until a byte of a response that nobody asks about has come, so that it can be sent again: its head, and a body of up
   * to so many bytes. 0: requests without a body only; -1: nothing is held beyond what is not sent yet.
   */
  readonly heldBodyBytes: number;
  /**
   * Statuses of which a response is not passed on before TypeScript has said so, where its request is held whole. Ascending, 200 .. 599.
   */
  readonly askedStatuses: readonly number[];
}

/** Facts of an attempt that failed, or whose response is asked about; bits of one number. Data for who decides about a retry. */
export const AttemptFact = {
  /** All of the request is held, and its time is not over: it can be sent again. */
  HELD: 1,
  /** Bytes of it have been handed to a connection to an endpoint, in this attempt or one before it. */
  SENT: 2,
  /** The attempt ran on a connection that had served before. */
  REUSED: 4,
  /** A byte of a response has come. */
  ANSWERED: 8,
} as const;
