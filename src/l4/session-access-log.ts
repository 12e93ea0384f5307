/** The access log of sessions: tells it the facts of each one that is over. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import { type AddressWords, addressText } from '../core/peer-address.js';
import { AccessFact, type AccessLines, NO_NAME } from '../engine/access-lines.js';
import type { AccessLog, LineSource } from '../observability/access-log.js';
import { DELIVERED, type SessionEnding } from './session-ending.js';
import type { SessionListener } from './session-listener.js';
import type { SessionRecord } from './session-record.js';
import type { SessionObserver } from './session-recorder.js';

const US_PER_MS = 1_000;
const NOT_KNOWN = -1;
/** Of a session that went well, as nginx has it for streams. */
const OK = 200;
/** Of one that ended for a reason that has no status: its client left, or the operator ended it. */
const CLIENT_LEFT = 499;

/** Thread: worker. */
export class SessionAccessLog implements SessionObserver, LineSource<AccessLines> {
  readonly #log: AccessLog<AccessLines>;

  constructor(log: AccessLog<AccessLines>) {
    this.#log = log;
  }

  ended(record: SessionRecord, ending: SessionEnding, endpoint: number): void {
    const { listener, upstream } = record;
    if (listener === null || !this.#begin(listener, ending, record)) return;
    const log = this.#log;
    const { facts } = log;
    if (upstream !== null) {
      const names = log.namesOf(upstream.plan);
      facts[AccessFact.upstream] = names.upstream;
      facts[AccessFact.endpoint] = endpoint === NO_ENDPOINT ? NO_NAME : (names.endpoints[endpoint] ?? NO_NAME);
    }
    facts[AccessFact.attempts] = record.attempts;
    facts[AccessFact.bytesFromClient] = record.bytesFromClient;
    facts[AccessFact.bytesToClient] = record.bytesToClient;
    facts[AccessFact.totalUs] = record.durationMs * US_PER_MS;
    facts[AccessFact.queueUs] = record.queueUs;
    facts[AccessFact.connectUs] = record.connectUs;
    log.write(this);
  }

  neverOpened(listener: SessionListener, code: ErrorCode, peer: AddressWords, durationMs: number): void {
    if (!this.#begin(listener, code, peer)) return;
    this.#log.facts[AccessFact.totalUs] = durationMs * US_PER_MS;
    this.#log.write(this);
  }

  /** Facts that every line has; all others are as for a session that reached nobody. @returns false: it has no line */
  #begin({ plan }: SessionListener, ending: SessionEnding, client: AddressWords): boolean {
    const log = this.#log;
    const isFailure = ending !== DELIVERED;
    if (!plan.isLogged || !log.wants(isFailure)) return false;
    const { facts, texts } = log;
    facts.fill(0, AccessFact.isSession);
    facts[AccessFact.isSession] = 1;
    facts[AccessFact.listener] = log.nameOf(plan.name);
    facts[AccessFact.route] = facts[AccessFact.upstream] = facts[AccessFact.endpoint] = NO_NAME;
    facts[AccessFact.code] = isFailure ? log.nameOf(ending) : NO_NAME;
    facts[AccessFact.status] = isFailure ? ERROR_CATALOG[ending].status || CLIENT_LEFT : OK;
    facts[AccessFact.isReused] = NOT_KNOWN;
    facts[AccessFact.client] = texts.write(addressText(client));
    return true;
  }

  /** HOT. */
  writeAccessLine(lines: AccessLines): number {
    return lines.write();
  }
}
