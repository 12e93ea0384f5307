/** What the readers of command lines report. */

/** One thing wrong with a command line. */
export interface UsageProblem {
  readonly sentence: string;
  /** What to do; null when the sentence says it all. */
  readonly hint: string | null;
}
