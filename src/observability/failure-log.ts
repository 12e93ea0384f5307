/** Writes failures to the log without letting a storm of them become one of its own. */
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import type { Logger } from './logger.js';

/** Lines of one event and code that a worker writes in one period; the rest is counted and told with the next line. */
const LINES_PER_PERIOD = 10;
const PERIOD_MS = 1_000;

interface Budget {
  periodStartMs: number;
  written: number;
  suppressed: number;
}

/** What is told. */
export type FailureEvent =
  | 'attempt-failed'
  | 'exchange-failed'
  | 'session-failed'
  | 'connection-failed'
  | 'tls-handshake-failed';

/** One per worker. Endpoint and proxy faults are warnings; what clients do wrong is worth a debug line only. Thread: worker. */
export class FailureLog {
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  /** Attempts that fail in a burst must not use up the lines that tell how their exchanges ended. */
  readonly #budgets: Readonly<Record<FailureEvent, Map<ErrorCode, Budget>>> = {
    'attempt-failed': new Map(),
    'exchange-failed': new Map(),
    'session-failed': new Map(),
    'connection-failed': new Map(),
    'tls-handshake-failed': new Map(),
  };

  constructor(logger: Logger, nowMs: () => number) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  /** @param facts what a person needs to find the cause: endpoint, request id, errno … */
  write(event: FailureEvent, code: ErrorCode, facts: Readonly<Record<string, unknown>>): void {
    const level = ERROR_CATALOG[code].fault === 'client' ? 'debug' : 'warn';
    if (!this.#logger.isLevelEnabled(level)) return;
    const budget = this.#budgetOf(this.#budgets[event], code);
    if (budget.written >= LINES_PER_PERIOD) {
      budget.suppressed++;
      return;
    }
    budget.written++;
    const suppressed = budget.suppressed === 0 ? {} : { suppressed: budget.suppressed };
    budget.suppressed = 0;
    this.#logger[level]({ event, code, ...facts, ...suppressed }, ERROR_CATALOG[code].text);
  }

  #budgetOf(budgets: Map<ErrorCode, Budget>, code: ErrorCode): Budget {
    const now = this.#nowMs();
    let budget = budgets.get(code);
    if (budget === undefined) {
      budget = { periodStartMs: now, written: 0, suppressed: 0 };
      budgets.set(code, budget);
    } else if (now - budget.periodStartMs >= PERIOD_MS) {
      budget.periodStartMs = now;
      budget.written = 0;
    }
    return budget;
  }
}
