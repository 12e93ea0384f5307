/** What the page remembers of the last minutes: samples in the order of time, oldest forgotten. Pure. */

/** Longest window of time that the page shows. */
export const LONGEST_WINDOW_S = 15 * 60;

/** Without a sample for longer than this a line breaks off; figures come each second. */
const GAP_MS = 3_000;

/** A value at a moment; `at` in ms since 1970. */
export interface Sample<Value> {
  readonly at: number;
  readonly value: Value;
}

/** Samples of at most `keptMs`. */
export class History<Value> {
  readonly #keptMs: number;
  #samples: Sample<Value>[] = [];

  constructor(keptMs: number = LONGEST_WINDOW_S * 1_000) {
    this.#keptMs = keptMs;
  }

  /** Takes the next sample. One that is not later than the last one takes the place of what it contradicts. */
  push(at: number, value: Value): void {
    while ((this.#samples.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= at) this.#samples.pop();
    this.#samples.push({ at, value });
    const firstKept = this.#samples.findIndex((sample) => sample.at >= at - this.#keptMs);
    // In pieces: each shift would move all.
    if (firstKept > 60) this.#samples = this.#samples.slice(firstKept);
  }

  /** Samples from `from` on, in ms since 1970. */
  since(from: number): readonly Sample<Value>[] {
    const first = this.#samples.findIndex(({ at }) => at >= from);
    return first < 0 ? [] : this.#samples.slice(first);
  }

  clear(): void {
    this.#samples = [];
  }
}

/** Columns for a chart: moments in seconds since 1970, then one column for each line. */
export type ChartColumns = readonly [number[], ...(number | null)[][]];

/**
 * Samples as columns; where none came for a while an empty row breaks the lines, so that no line is drawn through what nobody saw.
 *
 * @param lineCount how many numbers each sample has
 */
export function chartColumns(samples: readonly Sample<readonly (number | null)[]>[], lineCount: number): ChartColumns {
  const moments: number[] = [];
  const lines = Array.from({ length: lineCount }, (): (number | null)[] => []);
  let previousAt: number | null = null;
  for (const { at, value } of samples) {
    if (previousAt !== null && at - previousAt > GAP_MS) {
      moments.push((previousAt + 1) / 1_000);
      for (const line of lines) line.push(null);
    }
    moments.push(at / 1_000);
    lines.forEach((line, index) => {
      line.push(value[index] ?? null);
    });
    previousAt = at;
  }
  return [moments, ...lines];
}

/** SVG paths of a small line without axes, and of the area under it, in a box of 100 x 30 with the latest at its right edge. */
export interface Spark {
  readonly line: string;
  readonly area: string;
}

/**
 * Draws samples from 0 up to the largest.
 *
 * @param untilMs  right edge, ms since 1970
 * @param windowMs width of the box in time
 */
export function sparkOf(samples: readonly Sample<number | null>[], untilMs: number, windowMs: number): Spark {
  const most = samples.reduce((max, { value }) => Math.max(max, value ?? 0), 0);
  const pieces: { x: string; y: string }[][] = [];
  let previousAt: number | null = null;
  for (const { at, value } of samples) {
    const isGap = previousAt === null || at - previousAt > GAP_MS;
    previousAt = value === null ? null : at;
    if (value === null) continue;
    const x = (100 - ((untilMs - at) / windowMs) * 100).toFixed(1);
    const y = (most === 0 ? 29 : 29 - (value / most) * 25).toFixed(1);
    if (isGap) pieces.push([]);
    pieces.at(-1)?.push({ x, y });
  }
  const lines = pieces.map((piece) => piece.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join(''));
  const areas = pieces.map((piece, index) => `${lines[index]}L${piece.at(-1)?.x} 30L${piece[0]?.x} 30Z`);
  return { line: lines.join(''), area: areas.join('') };
}
