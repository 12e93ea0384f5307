/** The access log of exchanges: tells it the facts of each one that is over. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import { ACCESS_TEXTS, AccessFact, type AccessLines, NO_NAME } from '../engine/access-lines.js';
import type { AccessLog } from '../observability/access-log.js';
import { DELIVERED, type Ending, type Exchange } from './exchange.js';
import type { ExchangeObserver } from './exchange-recorder.js';
import { LogTextMap } from './log-texts.js';

/** A response of this or above is a failure, whoever gave it. */
const FIRST_FAILING_STATUS = 500;
const NOT_KNOWN = -1;
const FIRST_TEXT = AccessFact[ACCESS_TEXTS[0]];
const LAST_TEXT = FIRST_TEXT + ACCESS_TEXTS.length;

/** HOT (bench/micro/engine/access-lines.bench.ts). Thread: worker. */
export class ExchangeAccessLog implements ExchangeObserver {
  readonly #log: AccessLog<AccessLines>;

  constructor(log: AccessLog<AccessLines>) {
    this.#log = log;
  }

  ended(exchange: Exchange, ending: Ending): void {
    const log = this.#log;
    const { listener, status } = exchange;
    if (!listener.isLogged || !log.wants(ending !== DELIVERED || status >= FIRST_FAILING_STATUS)) return;
    const { facts } = log;
    const { upstream, answeredBy, route } = exchange;
    const isAnswered = answeredBy !== NO_ENDPOINT && upstream !== null;
    const names = upstream === null ? null : log.namesOf(upstream.plan);
    facts[AccessFact.isSession] = 0;
    facts[AccessFact.listener] = log.nameOf(listener.name);
    facts[AccessFact.route] = upstream === null || route === null ? NO_NAME : log.nameOf(route.name);
    facts[AccessFact.upstream] = names === null ? NO_NAME : names.upstream;
    facts[AccessFact.endpoint] = names !== null && isAnswered ? (names.endpoints[answeredBy] ?? NO_NAME) : NO_NAME;
    facts[AccessFact.code] = ending === DELIVERED ? NO_NAME : log.nameOf(ending);
    facts[AccessFact.status] = status;
    facts[AccessFact.attempts] = exchange.recovery.attemptsBefore + exchange.attempts;
    facts[AccessFact.bytesFromClient] = exchange.bytesFromClient;
    facts[AccessFact.bytesToClient] = exchange.bytesToClient;
    facts[AccessFact.totalUs] = exchange.totalUs;
    facts[AccessFact.queueUs] = exchange.queueUs;
    facts[AccessFact.connectUs] = isAnswered ? exchange.connectUs : 0;
    facts[AccessFact.firstByteUs] = isAnswered ? exchange.firstByteUs : 0;
    facts[AccessFact.isReused] = isAnswered ? Number(exchange.isReused) : NOT_KNOWN;
    for (let text = FIRST_TEXT; text < LAST_TEXT; text++) facts[text] = 0;
    const hasTrace = exchange.trace !== null;
    if (hasTrace || exchange.hasLogTexts) {
      const texts = new LogTextMap();
      exchange.tellLog(texts);
      if (exchange.trace !== null) texts.put('traceId', exchange.trace.traceId);
      texts.give(log);
    }
    log.write(exchange);
  }
}
