/** The listeners of the native front end in one worker, from one plan to the next. */
import type { L7ListenerPlan, RoutePlan } from '../../../config/plan.js';
import { invariant } from '../../../core/invariant.js';
import { ProxyError } from '../../../core/proxy-error.js';
import type { Cancel, Timers } from '../../../core/timers.js';
import type { FrontEnd } from '../../../engine/front-end.js';
import type { SessionListening, SessionListenings } from '../../../worker/data-plane.js';
import { NativeListener } from './native-listener.js';

/** What they work with. */
export interface NativeListenersParts {
  readonly frontEnd: Pick<FrontEnd, 'openListener' | 'listen' | 'closeListener' | 'cutListener'>;
  readonly timers: Timers;
  /** The time of a listener that is gone is over: what its exchanges still do is to end. Before its connections are cut. */
  readonly cut: (listener: number) => void;
}

/** A listener of the plan that counts, and what the front end was told of it last. */
interface OpenListener {
  readonly listener: NativeListener;
  readonly settings: string;
  /** '': connections are handed over by the primary. */
  readonly listening: string;
}

/** Thread: worker; one for each front end. */
export class NativeListeners {
  readonly #parts: NativeListenersParts;
  /** By number: those of the plan, and those that were in a plan before, for what they still have. */
  readonly #byNumber: (NativeListener | null)[] = [];
  readonly #open = new Map<number, OpenListener>();
  /** Timers of those that are gone, until they are cut. */
  readonly #leaving = new Map<number, Cancel>();

  constructor(parts: NativeListenersParts) {
    this.#parts = parts;
  }

  /** HOT. @param number of a listener that is or was in a plan */
  at(number: number): NativeListener {
    const listener = this.#byNumber[number];
    invariant(listener, 'a connection comes from a listener of the native front end');
    return listener;
  }

  /**
   * Goes by a plan: what is new is opened, what has changed counts from the next request of each connection on, and what is gone accepts no
   * more; its idle connections close, answers in flight close theirs, and after `graceMs` whatever is left is cut.
   *
   * @param plans      those of the front end
   * @param listenings of all listeners of the plan
   * @returns why the first of those that cannot accept for themselves cannot; null: all do
   */
  apply(plans: readonly L7ListenerPlan[], listenings: SessionListenings, graceMs: number): ProxyError | null {
    const numbers = new Set(plans.map(({ number }) => number));
    for (const number of this.#open.keys()) if (!numbers.has(number)) this.#leave(number, graceMs);
    // All are known before the first connection comes.
    for (const plan of plans) this.#openOne(plan);
    let failure: ProxyError | null = null;
    for (const { number } of plans) failure = this.#listen(number, listenings[number]) ?? failure;
    return failure;
  }

  /** Does the primary hand connections to one of them? */
  get areHandedOver(): boolean {
    return [...this.#open.values()].some(({ listening }) => listening === '');
  }

  /** Of listeners that are gone: requests may still begin with them. */
  get leavingRoutes(): readonly RoutePlan[] {
    return this.#byNumber.flatMap((listener) =>
      listener === null || this.#open.get(listener.number)?.listener === listener ? [] : listener.plan.routes,
    );
  }

  /** Nothing is cut any more. Idempotent. */
  close(): void {
    for (const cancel of this.#leaving.values()) cancel();
    this.#leaving.clear();
  }

  #openOne(plan: L7ListenerPlan): void {
    const { number } = plan;
    this.#leaving.get(number)?.();
    this.#leaving.delete(number);
    const listener = new NativeListener(plan);
    while (this.#byNumber.length <= number) this.#byNumber.push(null);
    this.#byNumber[number] = listener;
    const former = this.#open.get(number);
    const settings = listener.settings();
    // Which table a Host has is said by the routes' hosts, which the settings do not hold.
    const text = JSON.stringify([settings, plan.routes.map(({ host }) => host)]);
    this.#open.set(number, { listener, settings: text, listening: former?.listening ?? '' });
    if (former?.settings !== text) this.#parts.frontEnd.openListener(number, settings);
  }

  #listen(number: number, listening: SessionListening | undefined): ProxyError | null {
    const open = this.#open.get(number);
    if (listening === undefined || open === undefined) return null;
    const text = JSON.stringify(listening);
    if (open.listening === text) return null;
    try {
      this.#parts.frontEnd.listen(number, listening.from, listening.options);
    } catch (error) {
      return failureToListen(open.listener.plan.name, error);
    }
    this.#open.set(number, { ...open, listening: text });
    return null;
  }

  #leave(number: number, graceMs: number): void {
    this.#open.delete(number);
    this.#parts.frontEnd.closeListener(number);
    const cancel = this.#parts.timers.after(graceMs, () => {
      this.#leaving.delete(number);
      this.#parts.cut(number);
      this.#parts.frontEnd.cutListener(number);
    });
    this.#leaving.set(number, cancel);
  }
}

/** @throws what is no failure of a system call */
function failureToListen(listener: string, cause: unknown): ProxyError {
  if (!(cause instanceof Error) || !('code' in cause)) throw cause;
  const { code, message } = cause;
  const reason = code === 'EADDRINUSE' ? 'IN_USE' : code === 'EACCES' ? 'DENIED' : 'UNAVAILABLE';
  return new ProxyError(`SLUICE_ADDRESS_${reason}`, { listener, reason: message }, { cause });
}
