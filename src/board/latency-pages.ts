/** The histograms of one worker: directories and octaves in pages, given out when something falls into them. */
import {
  DIRECTORY_COUNT,
  DIRECTORY_OCTAVES,
  DIRECTORY_SUM,
  FIGURES_PAGE_BYTES,
  FiguresState,
  PAGE_FLOAT64,
  PAGE_INT32,
} from './figures-layout.js';
import type { MappedFigures } from './figures-memory.js';
import { LONGEST_LATENCY_US, OCTAVE_STEPS, OCTAVES, octaveOf, stepOf } from './latency-buckets.js';
import type { LatencyCounts } from './latency-counts.js';

/** No page: nothing has been recorded. Nothing begins at the start of the memory, which others have. */
const NO_PAGE = 0;

/**
 * HOT (bench/micro/l7/recording.bench.ts). Thread: owner writes, any reads; the next thread of the worker goes on from the old counts.
 *
 * Pair: the owner stores, whoever adds up loads, neither with an ordering: statistics. A page is zero until it is written, so that who sees
 * its number before its counts reads too little, and the right thing the next time. Pages are never given back.
 */
export class LatencyPages {
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;
  /** In pages, from the start of the memory: page n begins n pages on. */
  readonly #firstPage: number;
  readonly #pages: number;
  readonly #used: number;
  readonly #missed: number;

  constructor({ int32, float64, layout }: MappedFigures) {
    this.#int32 = int32;
    this.#float64 = float64;
    this.#firstPage = layout.pagesOffsetBytes / FIGURES_PAGE_BYTES;
    this.#pages = layout.pages;
    this.#used = layout.state.base + FiguresState.field.pages;
    this.#missed = layout.state.base + FiguresState.field.missed;
  }

  /**
   * Counts one latency. HOT.
   *
   * @param index word that says where the histogram's directory is (FiguresLayout.directories)
   * @param us    whole; beyond 0 .. LONGEST_LATENCY_US the nearest of them counts
   */
  record(index: number, us: number): void {
    const value = us < 0 ? 0 : us > LONGEST_LATENCY_US ? LONGEST_LATENCY_US : us | 0;
    let directory = this.#int32[index] as number; // inside this memory
    if (directory === NO_PAGE) {
      directory = this.#takePage() * PAGE_INT32;
      if (directory === NO_PAGE) return;
      this.#int32[index] = directory;
    }
    const octave = octaveOf(value);
    const entry = directory + DIRECTORY_OCTAVES + octave;
    let page = this.#int32[entry] as number;
    if (page === NO_PAGE) {
      page = this.#takePage() * PAGE_FLOAT64;
      if (page === NO_PAGE) return;
      this.#int32[entry] = page;
    }
    const head = directory >> 1;
    const bucket = page + stepOf(value, octave);
    this.#float64[bucket] = (this.#float64[bucket] as number) + 1;
    this.#float64[head + DIRECTORY_SUM] = (this.#float64[head + DIRECTORY_SUM] as number) + value;
    this.#float64[head + DIRECTORY_COUNT] = (this.#float64[head + DIRECTORY_COUNT] as number) + 1;
  }

  /** Latencies recorded in one histogram. @param index as in record() */
  countOf(index: number): number {
    const directory = this.#int32[index] as number;
    return directory === NO_PAGE ? 0 : (this.#float64[(directory >> 1) + DIRECTORY_COUNT] as number);
  }

  /** Adds one histogram to what was read of others. @param index as in record() */
  addTo(counts: LatencyCounts, index: number): void {
    const directory = this.#int32[index] as number;
    if (directory === NO_PAGE) return;
    const { buckets } = counts;
    let read = 0;
    for (let octave = 0; octave < OCTAVES; octave++) {
      const first = this.#int32[directory + DIRECTORY_OCTAVES + octave] as number;
      if (first === NO_PAGE) continue;
      for (let step = 0; step < OCTAVE_STEPS; step++) {
        const count = this.#float64[first + step] as number;
        if (count === 0) continue;
        const bucket = octave * OCTAVE_STEPS + step;
        buckets[bucket] = (buckets[bucket] as number) + count;
        read += count;
      }
    }
    // What was read, not what the directory says by now: buckets and their sum belong together.
    counts.count += read;
    counts.sumUs += this.#float64[(directory >> 1) + DIRECTORY_SUM] as number;
  }

  /** Latencies that no page was left for. */
  get missed(): number {
    return this.#float64[this.#missed] as number;
  }

  /** Cold: at most once for each page. Without one the latency is counted as missed. @returns its place in pages, or NO_PAGE */
  #takePage(): number {
    const page = Math.max(this.#float64[this.#used] as number, 1);
    if (page >= this.#pages) {
      this.#float64[this.#missed] = (this.#float64[this.#missed] as number) + 1;
      return NO_PAGE;
    }
    this.#float64[this.#used] = page + 1;
    return this.#firstPage + page;
  }
}
