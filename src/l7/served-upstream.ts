/** An upstream as the requests of one plan meet it: its runtime, and what this data plane has beside it. */
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { WaitingRoom } from '../policies/waiting-room.js';
import type { Exchange } from './exchange.js';
import type { ExchangeAffinity } from './exchange-affinity.js';

/** Thread: worker. Requests that began under a former plan go on with theirs, unless they follow the plan (Attempts). */
export interface ServedUpstream {
  readonly runtime: UpstreamRuntime;
  /** null: an upstream without. */
  readonly affinity: ExchangeAffinity | null;
  /** Where requests wait for a place; null: nobody waits. */
  readonly room: WaitingRoom<Exchange> | null;
}
