/** An explanation of a pick in one line, short enough for a response field: docs/operations.md says how to read it. */
import { NO_ENDPOINT } from './balancer.js';
import { type ExplainedEndpoint, NO_GROUP, type PickExplanation, reasonOf } from './explain.js';

/** Longest text over all attempts of an exchange. Clients and proxies in between take heads of 8 KiB at least: half of that is theirs. */
export const MOST_EXPLANATION_BYTES = 4_096;

const CUT = '...';
const BETWEEN_ENDPOINTS = '; ';
const BETWEEN_ATTEMPTS = ' | ';
/** Digits of a score: what equals must differ in is compared by the balancer, not by the reader. */
const SCORE_DIGITS = 6;
const HEX = 16;
const WORD_DIGITS = 8;
const MS_PER_S = 1_000;

/** What is no visible ASCII, or has a meaning in this text. */
const NOT_PLAIN = /[^!-~]|[%,;=|]/gu;
const LONE_SURROGATE = /^\p{Cs}$/u;
const REPLACEMENT = '\ufffd';

/**
 * @param picked  index of the endpoint that the explained pick has claimed, or NO_ENDPOINT
 * @param attempt of the exchange, from 1
 * @returns printable ASCII; longer than MOST_EXPLANATION_BYTES for a large upstream
 */
export function explanationText(explanation: PickExplanation, picked: number, attempt: number): string {
  const { endpoints } = explanation;
  // In the order in which they matter, since what is too long loses its end.
  const order = endpoints
    .map((_, index) => index)
    .sort((a, b) => placeOf(explanation, a, picked) - placeOf(explanation, b, picked));
  const parts = [headOf(explanation, picked, attempt)];
  let bytes = 0;
  for (const index of order) {
    const part = endpointText(explanation, index, picked);
    parts.push(part);
    bytes += part.length;
    if (bytes > MOST_EXPLANATION_BYTES) break;
  }
  return parts.join(BETWEEN_ENDPOINTS);
}

/**
 * Adds the text of one more attempt. What is too long is cut, of earlier attempts so that the latest has half of the room.
 *
 * @param before of the attempts before; null: this is the first
 * @returns at most MOST_EXPLANATION_BYTES
 */
export function withAttempt(before: string | null, text: string): string {
  if (before === null) return cutTo(text, MOST_EXPLANATION_BYTES);
  const left = MOST_EXPLANATION_BYTES - BETWEEN_ATTEMPTS.length;
  const earlier = cutTo(before, Math.max(left - text.length, Math.floor(left / 2)));
  return `${earlier}${BETWEEN_ATTEMPTS}${cutTo(text, left - earlier.length)}`;
}

function cutTo(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - CUT.length)}${CUT}`;
}

function headOf(explanation: PickExplanation, picked: number, attempt: number): string {
  const { upstream, balance, subset, preferred, groups, endpoints } = explanation;
  const nameOf = (index: number): string => word(endpoints[index]?.name ?? 'none');
  const levels = groups.filter(({ isBackups }) => !isBackups);
  const panicking = groups.flatMap((group, number) => (group.ignoresHealth ? [groupName(explanation, number)] : []));
  const from = endpoints[picked]?.group ?? NO_GROUP;
  const facts = [
    `picked=${picked === NO_ENDPOINT ? 'none' : nameOf(picked)}`,
    `why=${reasonOf(explanation, picked)}`,
    `attempt=${attempt}`,
    `upstream=${word(upstream)}`,
    `balance=${balance}`,
  ];
  if (from !== NO_GROUP && (levels.length > 1 || groups[from]?.isBackups === true))
    facts.push(`from=${groupName(explanation, from)}`);
  if (levels.length > 1) facts.push(`loads=${levels.map(({ load }) => `${load}%`).join(',')}`);
  if (panicking.length > 0) facts.push(`panic=${panicking.join(',')}`);
  if (subset !== null)
    facts.push(
      `subset=${Object.entries(subset)
        .map(([label, value]) => `${word(label)}:${word(value)}`)
        .join(',')}`,
    );
  if (explanation.picksByKey) facts.push(`hash=${hexOf(explanation.hashHigh)}${hexOf(explanation.hash)}`);
  if (preferred !== NO_ENDPOINT) facts.push(`affinity=${nameOf(preferred)}`);
  return facts.join(' ');
}

function endpointText(explanation: PickExplanation, index: number, picked: number): string {
  const endpoint = explanation.endpoints[index] as ExplainedEndpoint; // index < length
  const { name, weight, inflight, cap, bound, score, pauseMs } = endpoint;
  const out = outOf(explanation, endpoint, index, picked);
  const facts = [word(name)];
  if (out !== null) facts.push(`out=${out}`);
  if (score !== null) facts.push(`score=${Number(score.toPrecision(SCORE_DIGITS))}`);
  facts.push(`in-flight=${inflight}`);
  if (cap > 0) facts.push(`cap=${cap}`);
  if (bound > 0) facts.push(`bound=${bound}`);
  facts.push(`weight=${weight}`);
  if (pauseMs > 0) facts.push(`pause=${Math.ceil(pauseMs / MS_PER_S)}s`);
  return facts.join(' ');
}

/** Why an endpoint was not picked, where it could not be; null: it could. */
function outOf(explanation: PickExplanation, endpoint: ExplainedEndpoint, index: number, picked: number) {
  if (index === picked) return null;
  if (endpoint.exclusion !== null) return endpoint.exclusion;
  const from = explanation.endpoints[picked]?.group ?? NO_GROUP;
  if (from === NO_GROUP || endpoint.group === from) return null;
  return explanation.groups[endpoint.group]?.isBackups === true ? 'backup-not-needed' : 'other-level';
}

/** The picked one, then who could have been, then the others. */
function placeOf(explanation: PickExplanation, index: number, picked: number): number {
  if (index === picked) return 0;
  const endpoint = explanation.endpoints[index] as ExplainedEndpoint; // index < length
  return outOf(explanation, endpoint, index, picked) === null ? 1 : 2;
}

function groupName({ groups }: PickExplanation, number: number): string {
  return groups[number]?.isBackups === true ? 'backups' : `level-${number}`;
}

function hexOf(word: number): string {
  return (word >>> 0).toString(HEX).padStart(WORD_DIGITS, '0');
}

/** A name as one word: what is not plain is written as in a URI, from its UTF-8 bytes. */
function word(name: string): string {
  return name.replace(NOT_PLAIN, (character) =>
    encodeURIComponent(LONE_SURROGATE.test(character) ? REPLACEMENT : character),
  );
}
