/** Makes one data plane of those that a plan needs, so that a worker serves L7 and L4 listeners side by side. */
import type { ListenerPlan } from '../config/plan.js';
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
  return (options) => {
    const modes = new Set(options.plan.listeners.map(({ mode }) => mode));
    return new DataPlanes(
      [...modes].map((mode) => makers[mode]),
      options,
    );
  };
}

class DataPlanes implements DataPlane {
  readonly #dataPlanes: DataPlane[] = [];

  constructor(makers: readonly MakeDataPlane[], options: DataPlaneOptions) {
    try {
      for (const make of makers) this.#dataPlanes.push(make(options));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async start(): Promise<void> {
    for (const dataPlane of this.#dataPlanes) await dataPlane.start();
  }

  drain(): void {
    for (const dataPlane of this.#dataPlanes) dataPlane.drain();
  }

  handOffPlaces(): readonly HandOffPlace[] {
    return this.#dataPlanes.flatMap((dataPlane) => dataPlane.handOffPlaces());
  }

  openExchanges(): number {
    return this.#dataPlanes.reduce((sum, dataPlane) => sum + dataPlane.openExchanges(), 0);
  }

  setAddresses(slot: number, addresses: readonly string[]): void {
    for (const dataPlane of this.#dataPlanes) dataPlane.setAddresses(slot, addresses);
  }

  async apply(change: PlanChange): Promise<void> {
    for (const dataPlane of this.#dataPlanes) await dataPlane.apply(change);
  }

  reopenFiles(): void {
    for (const dataPlane of this.#dataPlanes) dataPlane.reopenFiles();
  }

  explain(request: ExplainRequest): Explanation | null {
    for (const dataPlane of this.#dataPlanes) {
      const explanation = dataPlane.explain(request);
      if (explanation !== null) return explanation;
    }
    return null;
  }

  cut(slot: number, generation: number): void {
    for (const dataPlane of this.#dataPlanes) dataPlane.cut(slot, generation);
  }

  stats(): DataPlaneStats {
    return this.#dataPlanes.map((dataPlane) => dataPlane.stats()).reduce(sumOf, NO_STATS);
  }

  close(): void {
    for (const dataPlane of this.#dataPlanes) dataPlane.close();
  }
}

function sumOf(a: DataPlaneStats, b: DataPlaneStats): DataPlaneStats {
  return {
    openConnections: a.openConnections + b.openConnections,
    openExchanges: a.openExchanges + b.openExchanges,
    exchanges: a.exchanges + b.exchanges,
    upstreamConnections: a.upstreamConnections + b.upstreamConnections,
  };
}
