/** Remembers the last values of every endpoint, for the bars of `sluice top`. */
import type { LiveFigures } from '../../observability/live-figures.js';
import type { TrendKind } from './top-screen.js';

/** As many as the widest bars show. */
const LENGTH = 60;

/** Values of one endpoint, oldest first; null: nothing was measured. */
type History = Readonly<Record<TrendKind, readonly (number | null)[]>>;

/** Forgets endpoints that are gone. */
export class TrendBook {
  #histories: ReadonlyMap<string, History> = new Map();

  /** Takes the figures of a second. */
  add({ upstreams }: Pick<LiveFigures, 'upstreams'>): void {
    const histories = new Map<string, History>();
    for (const { name, endpoints } of upstreams) {
      for (const { address, perSecond, latencyMs } of endpoints) {
        const key = keyOf(name, address);
        const before = this.#histories.get(key);
        histories.set(key, {
          rps: [...(before?.rps ?? []), perSecond].slice(-LENGTH),
          p99: [...(before?.p99 ?? []), latencyMs?.p99 ?? null].slice(-LENGTH),
        });
      }
    }
    this.#histories = histories;
  }

  /** Oldest first. */
  readonly valuesOf = (upstream: string, address: string, kind: TrendKind): readonly (number | null)[] =>
    this.#histories.get(keyOf(upstream, address))?.[kind] ?? [];
}

function keyOf(upstream: string, address: string): string {
  return JSON.stringify([upstream, address]);
}
