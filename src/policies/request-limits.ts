/** Admits requests whose head and announced body stay within the listener's limits. */
import type { L7LimitsPlan } from '../config/plan.js';
import { ADMIT, type Verdict } from './verdict.js';

/** The limits of a listener that sizes are held against. */
type SizeLimits = Pick<L7LimitsPlan, 'headBytes' | 'headers' | 'bodyBytes'>;

/** What the policy looks at; `bodyBytes` is negative when there is no body or its length is not announced. */
export interface RequestSize {
  readonly headBytes: number;
  readonly fields: number;
  readonly bodyBytes: number;
}

/** Decides from sizes alone; a chunked body is counted as it comes (`exceedsBody`). HOT. Thread: worker. */
export function admitSize(limits: SizeLimits, size: RequestSize): Verdict {
  if (size.headBytes > limits.headBytes || size.fields > limits.headers) return 'SLUICE_HEAD_TOO_LARGE';
  if (size.bodyBytes > limits.bodyBytes) return 'SLUICE_BODY_TOO_LARGE';
  return ADMIT;
}

/** Whether a body that has grown to `receivedBytes` is over the limit. */
export function exceedsBody(limits: SizeLimits, receivedBytes: number): boolean {
  return receivedBytes > limits.bodyBytes;
}
