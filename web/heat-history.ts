/** What the page remembers of how long answers took, for each upstream and, where these are few, for each endpoint. Pure. */
import type { LiveFigures } from '../src/observability/live-figures.js';
import { sumOfHeat } from './heat-scale.js';
import { History, type Sample } from './history.js';

/** Most endpoints of an upstream whose heat is kept one by one: 15 minutes of each are some 100 KiB. */
export const MOST_KEPT_ENDPOINTS = 400;

interface UpstreamHeat {
  readonly all: History<readonly number[]>;
  readonly byEndpoint: Map<string, History<readonly number[]>>;
}

/** Heat of the last minutes. */
export class HeatHistory {
  readonly #upstreams = new Map<string, UpstreamHeat>();

  /** Takes one second, and forgets what is not there any more. */
  push({ at, upstreams }: Pick<LiveFigures, 'at' | 'upstreams'>): void {
    forgetOthers(
      this.#upstreams,
      upstreams.map(({ name }) => name),
    );
    for (const { name, endpoints } of upstreams) {
      const kept = this.#upstreams.get(name) ?? { all: new History(), byEndpoint: new Map() };
      this.#upstreams.set(name, kept);
      kept.all.push(at, sumOfHeat(endpoints.map(({ heat }) => heat)));
      const single = endpoints.slice(0, MOST_KEPT_ENDPOINTS);
      forgetOthers(
        kept.byEndpoint,
        single.map(({ address }) => address),
      );
      for (const { address, heat } of single) {
        const own = kept.byEndpoint.get(address) ?? new History();
        kept.byEndpoint.set(address, own);
        own.push(at, heat);
      }
    }
  }

  /** Samples of an upstream, or of one of its endpoints, from a moment on. */
  since(upstream: string, address: string | null, fromMs: number): readonly Sample<readonly number[]>[] {
    const kept = this.#upstreams.get(upstream);
    const history = address === null ? kept?.all : kept?.byEndpoint.get(address);
    return history?.since(fromMs) ?? [];
  }

  clear(): void {
    this.#upstreams.clear();
  }
}

function forgetOthers(map: Map<string, unknown>, names: readonly string[]): void {
  const there = new Set(names);
  for (const name of map.keys()) if (!there.has(name)) map.delete(name);
}
