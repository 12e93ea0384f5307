/** Reads the one line that an agent beside an endpoint answers with: the words of HAProxy's agent-check (semantics.md 6). */

/** What an answer says; what is null it does not mention. */
export interface AgentAnswer {
  /** Part of its weight that the endpoint wants, 0 .. 20. */
  readonly share: number | null;
  /** Most requests in flight; 0: no cap. */
  readonly cap: number | null;
  readonly admission: 'ready' | 'drain' | 'maint' | null;
  /** true: down, failed or stopped. */
  readonly isDown: boolean | null;
}

/** An answer, or why it is none. */
export type AgentReading =
  | { readonly ok: true; readonly answer: AgentAnswer }
  | { readonly ok: false; readonly reason: string };

/** Longest line: an agent says a few words. What has no end by then is no answer. */
export const MOST_ANSWER_BYTES = 256;

/** As much of its weight as an endpoint may ask for; that of the reported weights. */
const MOST_PERCENT = 2_000;
const MOST_CAP = 2 ** 31 - 1;
/** Characters of a word that the log repeats. */
const SHOWN_CHARACTERS = 40;

const DOWN = new Set(['down', 'failed', 'stopped']);
const ADMISSIONS = new Set(['ready', 'drain', 'maint'] as const);

/**
 * Reads a line without its end. Words stand in any order, with blanks, tabs or commas between them, in any case; of several of a kind the last
 * one counts. Behind a `#` is a comment. One word that is not known spoils the line: half of what an agent says may be the opposite of all.
 * Pure.
 */
export function readAgentAnswer(line: string): AgentReading {
  const words = (line.split('#', 1)[0] ?? '').split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0) return { ok: false, reason: 'it says nothing' };
  let answer: AgentAnswer = { share: null, cap: null, admission: null, isDown: null };
  for (const word of words) {
    const said = meaningOf(word.toLowerCase());
    if (said === undefined) return { ok: false, reason: `it says ${JSON.stringify(word.slice(0, SHOWN_CHARACTERS))}` };
    answer = { ...answer, ...said };
  }
  return { ok: true, answer };
}

/** undefined: none. */
function meaningOf(word: string): Partial<AgentAnswer> | undefined {
  if (word === 'up') return { isDown: false };
  if (DOWN.has(word)) return { isDown: true };
  for (const admission of ADMISSIONS) if (word === admission) return { admission };
  const percent = numberIn(/^(\d{1,4})%$/, word, MOST_PERCENT);
  if (percent !== undefined) return { share: percent / 100 };
  const cap = numberIn(/^maxconn:(\d{1,10})$/, word, MOST_CAP);
  return cap === undefined ? undefined : { cap };
}

function numberIn(pattern: RegExp, word: string, most: number): number | undefined {
  const digits = pattern.exec(word)?.[1];
  const value = Number(digits);
  return digits !== undefined && value <= most ? value : undefined;
}
