/** Which cuts of its bytes a case is repeated with: the meaning of a stream may not depend on how it was split. */
import type { ClientStep, ConformanceCase, EndpointStep } from './case-format.js';
import type { Cut } from './harness/changes.js';
import type { Job } from './harness/run-suite.js';

/** Above this, one byte at a time would take seconds: pieces of PIECE_BYTES instead. */
const MOST_SINGLE_BYTES = 700;
const PIECE_BYTES = 61;
/** Streams above this have no cut at each of their positions: they are about size. */
const MOST_POSITIONS = 3_000;

function streamOf(steps: readonly (ClientStep | EndpointStep)[]): string {
  return steps.filter((step): step is string => typeof step === 'string').join('');
}

/** What the endpoint sends over all its answers. */
function answerOf({ answers = [] }: ConformanceCase): string {
  return answers.map((answer) => (typeof answer === 'string' ? answer : streamOf(answer))).join('');
}

/** Positions where one line ends and another begins are worth the most: CR, LF, what is beside them, and colons. */
function interestingPositions(bytes: string): number[] {
  const positions = new Set<number>();
  for (const match of bytes.slice(0, MOST_POSITIONS).matchAll(/\r\n|[\r\n:;]/g))
    for (const offset of [0, 1, 2]) positions.add(match.index + offset);
  return [...positions].filter((at) => at > 0 && at < bytes.length);
}

function cutsOf(bytes: string, isLong: boolean, random: () => number): Cut[] {
  if (bytes.length < 2) return [];
  const all = Array.from({ length: Math.min(bytes.length, MOST_POSITIONS) - 1 }, (_, index) => index + 1);
  const single: Cut = {
    pieceBytes: bytes.length <= MOST_SINGLE_BYTES ? 1 : Math.max(PIECE_BYTES, Math.ceil(bytes.length / 400)),
  };
  if (isLong) return [...all.map((at) => ({ at })), single];
  const some = sample(interestingPositions(bytes), 7, random);
  const any = sample(all, 5, random);
  return [...new Set([...some, ...any])].map((at): Cut => ({ at })).concat([single]);
}

function sample(from: readonly number[], count: number, random: () => number): number[] {
  const left = [...from];
  return Array.from(
    { length: Math.min(count, left.length) },
    () => left.splice(Math.floor(random() * left.length), 1)[0] ?? 0,
  );
}

/**
 * Every case that is not about time, with the client's bytes cut and with the endpoint's.
 *
 * @param isLong at each position; otherwise at some, chosen by `random`. One byte at a time in both
 */
export function cutJobs(cases: readonly ConformanceCase[], isLong: boolean, random: () => number): Job[] {
  return cases
    .filter(({ isTimed }) => isTimed !== true)
    .flatMap((testCase) => [
      ...cutsOf(streamOf(testCase.client), isLong, random).map((client) => ({ testCase, cuts: { client } })),
      ...cutsOf(answerOf(testCase), isLong, random).map((endpoint) => ({ testCase, cuts: { endpoint } })),
    ]);
}
