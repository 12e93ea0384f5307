/** What happened in a simulation, request by request, and the figures made of it. */

/** How a request ended. */
export const SERVED = 0;
export const FAILED = 1;
/** No endpoint would take it. */
export const TURNED_AWAY = 2;

/** Who is told of attempts and ends. */
export interface Observer {
  /** @param key of the request: its hash */
  attempt(nowMs: number, endpoint: number, key: number): void;
  end(arrivedMs: number, nowMs: number, endpoint: number, ending: number, routeClass: number): void;
}

/** For long runs: only the mean latency of what arrived after a moment. */
export class MeanLatency implements Observer {
  readonly #fromMs: number;
  #sumMs = 0;
  #count = 0;

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
  }

  /** In ms; NaN: nothing was served. */
  get meanMs(): number {
    return this.#sumMs / this.#count;
  }

  attempt(): void {
    // Nothing of an attempt counts here.
  }

  end(arrivedMs: number, nowMs: number, _endpoint: number, ending: number): void {
    if (ending !== SERVED || arrivedMs < this.#fromMs) return;
    this.#sumMs += nowMs - arrivedMs;
    this.#count += 1;
  }
}

/** Columns of equal length, a row for each request in the order of their ends. */
export class Recording implements Observer {
  readonly arrivedMs: number[] = [];
  readonly latencyMs: number[] = [];
  /** Of the last attempt; -1: none was made. */
  readonly endpoint: number[] = [];
  readonly ending: number[] = [];
  readonly routeClass: number[] = [];
  /** Every attempt: when it began and where. */
  readonly attemptedMs: number[] = [];
  readonly attemptedOn: number[] = [];
  /** Hash of the request's key. */
  readonly attemptedKey: number[] = [];

  end(arrivedMs: number, nowMs: number, endpoint: number, ending: number, routeClass: number): void {
    this.arrivedMs.push(arrivedMs);
    this.latencyMs.push(nowMs - arrivedMs);
    this.endpoint.push(endpoint);
    this.ending.push(ending);
    this.routeClass.push(routeClass);
  }

  attempt(nowMs: number, endpoint: number, key: number): void {
    this.attemptedMs.push(nowMs);
    this.attemptedOn.push(endpoint);
    this.attemptedKey.push(key);
  }

  /** Latencies of served requests that arrived in [fromMs, toMs), sorted. */
  latencies(fromMs = 0, toMs = Infinity, routeClass = -1): Float64Array {
    const found = this.latencyMs.filter(
      (_, at) =>
        this.ending[at] === SERVED &&
        this.arrivedMs[at]! >= fromMs &&
        this.arrivedMs[at]! < toMs &&
        (routeClass < 0 || this.routeClass[at] === routeClass),
    );
    return Float64Array.from(found).sort();
  }

  /** Requests that arrived in [fromMs, toMs) and ended so. */
  count(ending: number, fromMs = 0, toMs = Infinity): number {
    let count = 0;
    for (let at = 0; at < this.ending.length; at++)
      if (this.ending[at] === ending && this.arrivedMs[at]! >= fromMs && this.arrivedMs[at]! < toMs) count++;
    return count;
  }

  /** Attempts on each endpoint that began in [fromMs, toMs). */
  attemptsOn(endpoints: number, fromMs = 0, toMs = Infinity): number[] {
    const counts = new Array<number>(endpoints).fill(0);
    for (let at = 0; at < this.attemptedMs.length; at++)
      if (this.attemptedMs[at]! >= fromMs && this.attemptedMs[at]! < toMs) counts[this.attemptedOn[at]!]! += 1;
    return counts;
  }

  /** Share of the attempts in [fromMs, toMs) that went to an endpoint; 0 when there were none. */
  share(endpoint: number, fromMs = 0, toMs = Infinity): number {
    let own = 0;
    let all = 0;
    for (let at = 0; at < this.attemptedMs.length; at++) {
      if (this.attemptedMs[at]! < fromMs || this.attemptedMs[at]! >= toMs) continue;
      all += 1;
      if (this.attemptedOn[at] === endpoint) own += 1;
    }
    return all === 0 ? 0 : own / all;
  }

  /** Share of the attempts that went to the endpoint which got most of their key's: what a cache there could serve. */
  locality(): number {
    const byKey = new Map<number, Map<number, number>>();
    this.attemptedKey.forEach((key, at) => {
      const endpoint = this.attemptedOn[at]!;
      const counts = byKey.get(key) ?? new Map<number, number>();
      byKey.set(key, counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1));
    });
    let atHome = 0;
    for (const counts of byKey.values()) atHome += Math.max(...counts.values());
    return atHome / this.attemptedKey.length;
  }

  /** The endpoint's share in each window of a stretch of time: [middle of the window in ms, share]. */
  shareOverTime(endpoint: number, fromMs: number, toMs: number, windowMs: number): [number, number][] {
    const windows = Math.round((toMs - fromMs) / windowMs);
    const own = new Array<number>(windows).fill(0);
    const all = new Array<number>(windows).fill(0);
    for (let at = 0; at < this.attemptedMs.length; at++) {
      const window = Math.floor((this.attemptedMs[at]! - fromMs) / windowMs);
      if (window < 0 || window >= windows) continue;
      all[window]! += 1;
      if (this.attemptedOn[at] === endpoint) own[window]! += 1;
    }
    return all.map((count, window) => [fromMs + (window + 0.5) * windowMs, count === 0 ? 0 : own[window]! / count]);
  }

  /** A percentile of the latency in each window of a stretch of time; windows without a served request are left out. */
  latencyOverTime(percent: number, fromMs: number, toMs: number, windowMs: number): [number, number][] {
    const windows: number[][] = Array.from({ length: Math.round((toMs - fromMs) / windowMs) }, () => []);
    for (let at = 0; at < this.arrivedMs.length; at++)
      if (this.ending[at] === SERVED)
        windows[Math.floor((this.arrivedMs[at]! - fromMs) / windowMs)]?.push(this.latencyMs[at]!);
    return windows.flatMap((latencies, window): [number, number][] =>
      latencies.length === 0
        ? []
        : [[fromMs + (window + 0.5) * windowMs, percentile(Float64Array.from(latencies).sort(), percent)]],
    );
  }
}

/**
 * A percentile by nearest rank.
 *
 * @param sorted ascending; NaN for none
 * @param percent 0 .. 100
 */
export function percentile(sorted: Float64Array, percent: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))]!;
}

/** Arithmetic mean; NaN for none. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]!;
  return sum / values.length;
}

/** Standard deviation over mean: how uneven a set of counts is. */
export function variation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2))) / middle;
}
