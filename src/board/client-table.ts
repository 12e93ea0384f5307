/** What each client has open at a listener that limits it, and when it may come again: exact over all workers. */
import { arrivalAfter, mayArrive, NO_ARRIVAL } from '../core/gcra.js';
import { halfSipHash } from '../core/half-sip-hash.js';
import { invariant } from '../core/invariant.js';
import { CLIENT_WAYS } from './capacities.js';
import { ClientArrivals, ClientBucket, ClientSessions, Header } from './layout.js';
import type { MappedBoard } from './shared-memory.js';
import { releaseLock, takeLock } from './table-lock.js';

const LOCK = ClientBucket.field.lock;
const OWNERS = ClientBucket.field.owners;
const HIGHS = ClientBucket.field.highs;
const LOWS = ClientBucket.field.lows;
const ARRIVALS = ClientArrivals.field.arrivals;
const OPEN = ClientSessions.field.open;

/** Of a way that no client has had. */
const NOBODY = 0;
const NO_WAY = -1;
/** Third word of an IPv4-mapped IPv6 address; the two before it are 0. */
const MAPPED_PREFIX = 0xffff;
const HASHES = 2 ** 32;

/** Admitted, and nothing to give back: the listener does not limit the sessions of a client. */
export const NO_ENTRY = -1;
/** The client has as many sessions open as it may have. */
export const REFUSED_SESSIONS = -2;
/** The client comes faster than it may. */
export const REFUSED_RATE = -3;
/** Every entry that the client could have belongs to another one that has sessions open or came just now. */
export const REFUSED_NO_WAY = -4;

/** An IP address as four words of an IPv6 address, the first bytes highest; IPv4 as ::ffff:a.b.c.d. */
export interface ClientAddress {
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
}

/** What a listener allows each client. */
export interface ClientLimits {
  /** Most sessions over all workers; 0: no limit. */
  readonly sessions: number;
  /** intervalUsFor(perSecond); 0: no limit of the rate. */
  readonly intervalUs: number;
  /** How many may come at once, >= 1. */
  readonly burst: number;
}

/**
 * A client is an IPv4 address, or the /64 that an IPv6 address lies in: that is the smallest network that is given out, and whoever
 * has it can come from any of its 2^64 addresses. IPv4-mapped addresses are IPv4. A client has an entry of its own at each listener,
 * because limits are a listener's.
 *
 * The table is set-associative: a keyed hash gives a client's bucket, and its entry is one of the bucket's 16 ways. Each worker
 * counts its own sessions of an entry in its own stripe; their sum is the count. An entry whose counts are all 0 and whose arrival time
 * has passed says nothing any more: it is free, whoever it belonged to. A client whose bucket has no free way is refused.
 *
 * Pairs:
 * - A claim looks the entry up, adds up, decides and counts under the bucket's lock: two workers never both take a client's last
 *   place, nor give it two entries. Identity, arrival time and own count are plain stores before the lock is freed; whoever takes the
 *   lock next sees them.
 * - A release counts one less without the lock, by an atomic operation. A claim elsewhere sees it or not, as if the session had ended
 *   just before or just after. Counts only rise under the lock, so an entry found free stays so until the lock is freed.
 * - A worker that dies inside a claim leaves an arrival time, at most, for a session that never was, and a count that the primary sets
 *   to 0 (session-reclaim.ts). It leaves no half an identity that could be taken for another client's: `owner` is cleared first and
 *   written last, both by atomic stores, which keep the others between them.
 * - A plain float64 could tear in theory; V8 moves an aligned one with a single instruction on x86-64 and arm64.
 *
 * Thread: worker. HOT (bench/micro/board/session-limits.bench.ts): allocates nothing.
 */
export class ClientTable {
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;
  readonly #worker: number;
  readonly #keyLow: number;
  readonly #keyHigh: number;
  readonly #buckets: number;
  readonly #bucketBase: number;
  readonly #bucketStride: number;
  readonly #arrivalBase: number;
  readonly #arrivalStride: number;
  readonly #own: number;
  /** First count of each worker's stripe. */
  readonly #all: readonly number[];

  constructor(board: MappedBoard, worker: number) {
    const { stripes, board: groups, capacities } = board.layout;
    const own = stripes[worker];
    invariant(own, `the board has a stripe for worker ${worker}`);
    this.#int32 = board.int32;
    this.#float64 = board.float64;
    this.#worker = worker;
    this.#keyLow = board.int32[groups.header.base + Header.field.hashKeyLow] as number; // inside the header
    this.#keyHigh = board.int32[groups.header.base + Header.field.hashKeyHigh] as number;
    this.#buckets = capacities.clientEntries / CLIENT_WAYS;
    this.#bucketBase = groups.clientBucket.base;
    this.#bucketStride = groups.clientBucket.stride;
    this.#arrivalBase = groups.clientArrivals.base + ARRIVALS;
    this.#arrivalStride = groups.clientArrivals.stride;
    this.#own = own.clientSessions.base + OPEN;
    this.#all = stripes.map((stripe) => stripe.clientSessions.base + OPEN);
  }

  /**
   * Counts a session of a client in, and its arrival, if its listener's limits allow both; else nothing has changed.
   *
   * @param listener index in the plan
   * @param nowUs    whole µs of the shared clock
   * @returns the client's entry, for release(); NO_ENTRY; or REFUSED_SESSIONS, REFUSED_RATE or REFUSED_NO_WAY
   */
  claim(listener: number, client: ClientAddress, limits: ClientLimits, nowUs: number): number {
    const isMapped = client.word0 === 0 && client.word1 === 0 && client.word2 === MAPPED_PREFIX;
    const owner = ((listener + 1) << 1) | (isMapped ? 1 : 0);
    const high = isMapped ? 0 : client.word0;
    const low = isMapped ? client.word3 : client.word1;
    const hash = halfSipHash(owner, high, low, this.#keyLow, this.#keyHigh);
    const bucket = Math.floor((hash / HASHES) * this.#buckets);
    const base = this.#bucketBase + bucket * this.#bucketStride;
    takeLock(this.#int32, base + LOCK, this.#worker);
    const result = this.#claimLocked(bucket, owner, high, low, limits, nowUs);
    releaseLock(this.#int32, base + LOCK);
    return result;
  }

  /** Counts a session out that claim() counted in. @param entry what claim() returned */
  release(entry: number): void {
    const before = Atomics.sub(this.#int32, this.#own + entry, 1);
    invariant(before > 0, 'a session that is given back was counted for its client');
  }

  /** Sessions counted in on an entry over all workers; exact under the lock. */
  sessions(entry: number): number {
    let sessions = 0;
    for (let worker = 0; worker < this.#all.length; worker++)
      sessions += this.#int32[(this.#all[worker] as number) + entry] as number; // inside a stripe
    return sessions;
  }

  #claimLocked(bucket: number, owner: number, high: number, low: number, limits: ClientLimits, nowUs: number): number {
    let way = this.#wayOf(bucket, owner, high, low);
    if (way === NO_WAY) {
      way = this.#freeWay(bucket, nowUs);
      if (way === NO_WAY) return REFUSED_NO_WAY;
      this.#assign(bucket, way, owner, high, low);
    }
    const entry = bucket * CLIENT_WAYS + way;
    if (limits.sessions !== 0 && this.sessions(entry) >= limits.sessions) return REFUSED_SESSIONS;
    if (limits.intervalUs !== 0) {
      const at = this.#arrivalBase + bucket * this.#arrivalStride + way;
      const arrivalUs = this.#float64[at] as number; // inside the bucket's record
      if (!mayArrive(arrivalUs, nowUs, limits.intervalUs, limits.burst)) return REFUSED_RATE;
      this.#float64[at] = arrivalAfter(arrivalUs, nowUs, limits.intervalUs);
    }
    if (limits.sessions === 0) return NO_ENTRY;
    const own = this.#own + entry;
    this.#int32[own] = (this.#int32[own] as number) + 1; // inside this stripe
    return entry;
  }

  /** The way that this client has had last, free by now or not. */
  #wayOf(bucket: number, owner: number, high: number, low: number): number {
    const base = this.#bucketBase + bucket * this.#bucketStride;
    for (let way = 0; way < CLIENT_WAYS; way++) {
      if (
        this.#int32[base + OWNERS + way] === owner &&
        this.#int32[base + HIGHS + way] === high &&
        this.#int32[base + LOWS + way] === low
      )
        return way;
    }
    return NO_WAY;
  }

  #freeWay(bucket: number, nowUs: number): number {
    const owners = this.#bucketBase + bucket * this.#bucketStride + OWNERS;
    const arrivals = this.#arrivalBase + bucket * this.#arrivalStride;
    for (let way = 0; way < CLIENT_WAYS; way++) {
      if (this.#int32[owners + way] === NOBODY) return way;
      const hasPassed = (this.#float64[arrivals + way] as number) <= nowUs; // inside the bucket's record
      if (hasPassed && this.sessions(bucket * CLIENT_WAYS + way) === 0) return way;
    }
    return NO_WAY;
  }

  /** A way that is free may bear half of what a dead worker was writing: all of it is written anew. */
  #assign(bucket: number, way: number, owner: number, high: number, low: number): void {
    const base = this.#bucketBase + bucket * this.#bucketStride;
    Atomics.store(this.#int32, base + OWNERS + way, NOBODY);
    this.#float64[this.#arrivalBase + bucket * this.#arrivalStride + way] = NO_ARRIVAL;
    this.#int32[base + HIGHS + way] = high;
    this.#int32[base + LOWS + way] = low;
    Atomics.store(this.#int32, base + OWNERS + way, owner);
  }
}
