/** A logger that keeps what is logged, for tests. */
import { createLogger, type Logger } from '../../../src/observability/logger.js';

export interface LogCapture {
  readonly logger: Logger;
  readonly records: Record<string, unknown>[];
  /** Values of `event`, in order. */
  events(): unknown[];
}

export function captureLog(): LogCapture {
  const records: Record<string, unknown>[] = [];
  const logger = createLogger('trace', { write: (line) => void records.push(JSON.parse(line)) });
  return { logger, records, events: () => records.map((record) => record.event) };
}
