/** The last step of an exchange: counts it in this worker's stripe and tells the log what went wrong. */
import type { WorkerStripe } from '../board/worker-stripe.js';
import type { ErrorCode } from '../core/error-catalog.js';
import type { FailureLog } from '../observability/failure-log.js';
import { DELIVERED, type Ending, type Exchange, type RequestDescription } from './exchange.js';

/** Thread: worker. */
export class ExchangeRecorder {
  readonly #stripe: WorkerStripe;
  readonly #failures: FailureLog;

  constructor(stripe: WorkerStripe, failures: FailureLog) {
    this.#stripe = stripe;
    this.#failures = failures;
  }

  /** HOT. */
  begin(): void {
    this.#stripe.beginExchange();
  }

  /**
   * One attempt has failed; the exchange may go on with another one.
   *
   * @param endpoint index in the upstream
   */
  attemptFailed(exchange: Exchange, endpoint: number, code: ErrorCode, errno: number): void {
    const upstream = exchange.upstream;
    if (upstream === null) return;
    this.#failures.write('attempt-failed', code, {
      upstream: upstream.plan.name,
      endpoint: upstream.endpointName(endpoint),
      attempt: attemptsOf(exchange),
      ...(errno === 0 ? {} : { errno }),
      requestId: exchange.describe().requestId,
    });
  }

  /** HOT for DELIVERED. */
  end(exchange: Exchange, ending: Ending): void {
    this.#stripe.endExchange();
    if (exchange.status !== 0) this.#stripe.countResponse(exchange.status);
    if (ending === DELIVERED) return;
    this.#stripe.countFailure(ending);
    this.#failures.write('exchange-failed', ending, {
      listener: exchange.listener.name,
      ...(exchange.upstream === null ? {} : { upstream: exchange.upstream.plan.name }),
      ...known(exchange.describe()),
      status: exchange.status,
      attempts: attemptsOf(exchange),
    });
  }
}

/** On all upstreams. */
function attemptsOf({ attempts, recovery }: Exchange): number {
  return recovery.attemptsBefore + attempts;
}

/** What of a request is known: one that could not be parsed may have neither method nor id. */
function known({ method, path, requestId }: RequestDescription): Partial<RequestDescription> {
  return {
    ...(method === '' ? {} : { method }),
    ...(path === '' ? {} : { path: visible(path) }),
    ...(requestId === '' ? {} : { requestId }),
  };
}

/** Bytes of a path that are not printable ASCII as `\xHH`, as nginx does: a terminal may take some of them for commands. */
function visible(path: string): string {
  return path.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${hexOf(code, 2)}` : `\\u${hexOf(code, 4)}`;
  });
}

const HIDDEN = /[^ -~]/g;

function hexOf(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0');
}
