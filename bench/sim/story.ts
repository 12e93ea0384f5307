/** What a story is: a question put to the balancers, the same traffic for all of them, and figures that answer it. */
import type { BarChart } from './report/bar-chart.js';
import type { LineChart } from './report/line-chart.js';
import type { Table } from './report/table.js';

/** How a story is told. */
export interface Telling {
  readonly seed: number;
  /** Shorter and with fewer repeats: for tests. Targets hold all the same. */
  readonly isQuick: boolean;
  /** Called after each of the story's steps, with what was done. */
  readonly step: (what: string) => void;
}

/** Something that was asked for, and what came out. */
export interface Target {
  readonly what: string;
  /** As a sentence: "at most 180 ms". */
  readonly wanted: string;
  readonly found: string;
  readonly isMet: boolean;
}

/** A picture and the end of its file name. */
export type Chart =
  | { readonly name: string; readonly kind: 'lines'; readonly chart: LineChart }
  | { readonly name: string; readonly kind: 'bars'; readonly chart: BarChart }
  /** Made by the story itself, and shown where the page itself has it: not in the story's part. */
  | { readonly name: string; readonly kind: 'drawn'; readonly svg: string };

/** What a story tells. */
export interface Outcome {
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  readonly targets: readonly Target[];
  /** Paragraphs behind the figures: what is to be seen, and what is not. */
  readonly notes: readonly string[];
}

/** One story; its name is that of its part of the page and begins the names of its pictures. */
export interface Story {
  readonly name: string;
  readonly title: string;
  /** Paragraphs: what is simulated, with every figure of the model. */
  readonly model: readonly string[];
  /** Steps that tell() reports. */
  readonly steps: number;
  readonly tell: (telling: Telling) => Outcome;
}

/** A target that a figure must not exceed. */
export function atMost(what: string, most: number, found: number, written: (value: number) => string): Target {
  return { what, wanted: `at most ${written(most)}`, found: written(found), isMet: found <= most };
}
