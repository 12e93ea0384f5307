/** What the front end knows of a request while it is being admitted. */
import type { RequestFacts } from '../../request-admission.js';

/** Facts of the request that is being admitted: one record for all, since admit keeps nothing of it. */
export class NativeFacts implements RequestFacts {
  hasLoop = false;
  maxForwards = -1;
  // The front end has held head and announced body against the listener's limits itself (RequestFault).
  readonly headBytes = 0;
  readonly fields = 0;
  readonly bodyBytes = -1;
}
