/** Writes failures to the log without letting a storm of them become one of its own. */
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import type { Logger } from './logger.js';

/** Lines of one code that a worker writes in one period; the rest is counted and told with the next line. */
const LINES_PER_PERIOD = 10;
const PERIOD_MS = 1_000;

interface Budget {
  periodStartMs: number;
  written: number;
  suppressed: number;
}

/** One per worker. Endpoint and proxy faults are warnings; what clients do wrong is worth a debug line only. Thread: worker. */
export class FailureLog {
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  readonly #budgets = new Map<ErrorCode, Budget>();

  constructor(logger: Logger, nowMs: () => number) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  /** @param facts what a person needs to find the cause: endpoint, request id, errno … */
  write(
    event: 'attempt-failed' | 'exchange-failed' | 'session-failed' | 'connection-failed',
    code: ErrorCode,
    facts: Readonly<Record<string, unknown>>,
  ): void {
    const level = ERROR_CATALOG[code].fault === 'client' ? 'debug' : 'warn';
    if (!this.#logger.isLevelEnabled(level)) return;
    const budget = this.#budgetOf(code);
    if (budget.written >= LINES_PER_PERIOD) {
      budget.suppressed++;
      return;
    }
    budget.written++;
    const suppressed = budget.suppressed === 0 ? {} : { suppressed: budget.suppressed };
    budget.suppressed = 0;
    this.#logger[level]({ event, code, ...facts, ...suppressed }, ERROR_CATALOG[code].text);
  }

  #budgetOf(code: ErrorCode): Budget {
    const now = this.#nowMs();
    let budget = this.#budgets.get(code);
    if (budget === undefined) {
      budget = { periodStartMs: now, written: 0, suppressed: 0 };
      this.#budgets.set(code, budget);
    } else if (now - budget.periodStartMs >= PERIOD_MS) {
      budget.periodStartMs = now;
      budget.written = 0;
    }
    return budget;
  }
}
