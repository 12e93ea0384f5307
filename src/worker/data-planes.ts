/** Makes one data plane of those that its plans need, so that a worker serves L7 and L4 listeners side by side. */
import type { ListenerPlan, Plan } from '../config/plan.js';
import { ProxyError } from '../core/proxy-error.js';
import {
  type DataPlane,
  type DataPlaneOptions,
  type DataPlaneStats,
  type HandOffPlace,
  type MakeDataPlane,
  NO_STATS,
  type PlanChange,
} from './data-plane.js';
import type { ExplainRequest, Explanation } from './explaining.js';

/** What makes the data plane of each mode. */
export type DataPlaneMakers = Readonly<Record<ListenerPlan['mode'], MakeDataPlane>>;

/** A mode that no listener has is not even made: it may need what is not installed. Thread: worker. */
export function dataPlanesOf(makers: DataPlaneMakers): MakeDataPlane {
  return (options) => new DataPlanes(makers, options);
}

type Mode = ListenerPlan['mode'];

class DataPlanes implements DataPlane {
  readonly #makers: DataPlaneMakers;
  readonly #options: DataPlaneOptions;
  /** In the order in which they were made. One whose last listener has gone stays for its open work, and for the next plan. */
  readonly #byMode = new Map<Mode, DataPlane>();
  /** For those that are still to be made. */
  readonly #challenges = new Map<string, string>();
  #isDraining = false;
  #isClosed = false;

  constructor(makers: DataPlaneMakers, options: DataPlaneOptions) {
    this.#makers = makers;
    this.#options = options;
    try {
      for (const mode of modesOf(options.plan)) this.#byMode.set(mode, makers[mode](options));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get #all(): readonly DataPlane[] {
    return [...this.#byMode.values()];
  }

  async start(): Promise<void> {
    for (const dataPlane of this.#all) await dataPlane.start();
  }

  drain(): void {
    this.#isDraining = true;
    for (const dataPlane of this.#all) dataPlane.drain();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    return this.#all.flatMap((dataPlane) => dataPlane.handOffPlaces());
  }

  openExchanges(): number {
    return this.#all.reduce((sum, dataPlane) => sum + dataPlane.openExchanges(), 0);
  }

  setAddresses(slot: number, addresses: readonly string[]): void {
    for (const dataPlane of this.#all) dataPlane.setAddresses(slot, addresses);
  }

  /** One that fails keeps no other from its part; the first failure is told. */
  async apply(change: PlanChange): Promise<void> {
    // First: what is new has its first line where the new plan says.
    this.#options.accessLog.apply(change.plan);
    this.#options.spans.apply(change.plan.tracing);
    const failures: unknown[] = [];
    const note = (error: unknown): void => void failures.push(error);
    for (const dataPlane of this.#all) await dataPlane.apply(change).catch(note);
    for (const mode of modesOf(change.plan)) {
      if (!this.#byMode.has(mode)) await this.#add(mode, change).catch(note);
    }
    // A bug before what an operator can mend: it ends the worker.
    const worst = failures.find((error) => !(error instanceof ProxyError)) ?? failures[0];
    if (worst !== undefined) throw worst;
  }

  /** The first listener of a mode. One that cannot start is tried again with the next plan. */
  async #add(mode: Mode, { plan, addresses, sessionListenings }: PlanChange): Promise<void> {
    const dataPlane = this.#makers[mode]({ ...this.#options, plan, addresses, sessionListenings });
    this.#byMode.set(mode, dataPlane);
    for (const [token, keyAuthorization] of this.#challenges) dataPlane.setChallenge(token, keyAuthorization);
    try {
      await dataPlane.start();
    } catch (error) {
      this.#byMode.delete(mode);
      dataPlane.close();
      throw error;
    }
    // The worker may have been told so while it started.
    if (this.#isDraining) dataPlane.drain();
    if (this.#isClosed) dataPlane.close();
  }

  explain(request: ExplainRequest): Explanation | null {
    for (const dataPlane of this.#all) {
      const explanation = dataPlane.explain(request);
      if (explanation !== null) return explanation;
    }
    return null;
  }

  certificatesChanged(listener: number): void {
    for (const dataPlane of this.#all) dataPlane.certificatesChanged(listener);
  }

  setChallenge(token: string, keyAuthorization: string | null): void {
    if (keyAuthorization === null) this.#challenges.delete(token);
    else this.#challenges.set(token, keyAuthorization);
    for (const dataPlane of this.#all) dataPlane.setChallenge(token, keyAuthorization);
  }

  cut(slot: number, generation: number): void {
    for (const dataPlane of this.#all) dataPlane.cut(slot, generation);
  }

  stats(): DataPlaneStats {
    return this.#all.map((dataPlane) => dataPlane.stats()).reduce(sumOf, NO_STATS);
  }

  close(): void {
    this.#isClosed = true;
    for (const dataPlane of this.#all) dataPlane.close();
  }
}

function modesOf({ listeners }: Plan): ReadonlySet<Mode> {
  return new Set(listeners.map(({ mode }) => mode));
}

function sumOf(a: DataPlaneStats, b: DataPlaneStats): DataPlaneStats {
  return {
    openConnections: a.openConnections + b.openConnections,
    openExchanges: a.openExchanges + b.openExchanges,
    exchanges: a.exchanges + b.exchanges,
    upstreamConnections: a.upstreamConnections + b.upstreamConnections,
  };
}
