/** A failure with a code from the catalogue, made where the fact is known. */
import { ERROR_CATALOG, type ErrorCode, type ErrorKind } from './error-catalog.js';

/** Facts for the log (addresses, durations, errno names); never sent to a client. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean>>;

/** Thrown where the fact is known; turned into HTTP or an exit code in one place. Thread: any. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';

  /**
   * @param code   row of the catalogue
   * @param detail facts for the log
   * @param options `cause`: the error that led here
   */
  constructor(
    readonly code: ErrorCode,
    readonly detail: ErrorDetail = {},
    options?: ErrorOptions,
  ) {
    const facts = Object.entries(detail).map(([key, value]) => `${key}=${value}`);
    super([ERROR_CATALOG[code].text, ...facts].join(', '), options);
  }

  /** What the catalogue says of this code. */
  get kind(): ErrorKind {
    return ERROR_CATALOG[this.code];
  }
}
