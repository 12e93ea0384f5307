/** The command `explain`: where a request would go now, and why. */
import { ERROR_CATALOG } from '../../core/error-catalog.js';
import type { ExplainedCandidate, ExplainRequest, Explanation } from '../../worker/explaining.js';
import { NOTHING, plainText } from './figures-text.js';
import { TerminalExit, type TerminalExitCode, type TerminalSurroundings } from './terminal-surroundings.js';
import { type Column, tableLines } from './text-table.js';

/** Asks and prints. @returns the exit code */
export async function runExplain(
  request: ExplainRequest,
  isJson: boolean,
  { client, out }: TerminalSurroundings,
): Promise<TerminalExitCode> {
  const explanation = await client.post<Explanation>('/api/v1/explain', request);
  out.write(
    isJson ? `${JSON.stringify(explanation, null, 2)}\n` : `${explanationLines(request, explanation).join('\n')}\n`,
  );
  return TerminalExit.OK;
}

const COLUMNS: readonly Column[] = [
  { heading: 'ENDPOINT', isNumber: false },
  { heading: 'MAY BE PICKED', isNumber: false },
  { heading: 'GROUP', isNumber: false },
  { heading: 'WEIGHT', isNumber: true },
  { heading: 'IN FLIGHT', isNumber: true },
  { heading: 'CAP', isNumber: true },
  { heading: 'SCORE', isNumber: true },
];

/** The explanation for people. Pure. */
export function explanationLines({ method, host, target }: ExplainRequest, explanation: Explanation): string[] {
  const { listener, worker, route, policies, upstream, balance, candidates } = explanation;
  const lines = [
    `${method} ${plainText(`${host}${target}`)} at listener ${plainText(listener)}, as worker ${worker} sees it`,
    '',
    `route     ${route === null ? routelessText(explanation) : plainText(`${route.host} ${route.path}`)}`,
    ...policies.map((policy, index) => `${index === 0 ? 'policies  ' : '          '}${plainText(policy)}`),
    ...(upstream === null ? [] : [`upstream  ${plainText(upstream)}${balance === null ? '' : `, balance ${balance}`}`]),
    `answer    ${answerText(explanation)}`,
  ];
  if (candidates.length === 0) return lines;
  return [
    ...lines,
    '',
    ...tableLines(
      COLUMNS,
      candidates.map((candidate) => cellsOf(candidate, explanation)),
    ),
  ];
}

function routelessText({ code }: Explanation): string {
  return code === null ? 'none is looked at: the listener redirects' : 'none matches';
}

function answerText({ route, endpoint, isDrawn, code, candidates }: Explanation): string {
  if (code !== null) {
    const { status, text } = ERROR_CATALOG[code];
    return `${code}${status === null ? '' : `, status ${status}`}: ${text}`;
  }
  if (route === null) return 'the redirect';
  if (endpoint !== null) return `endpoint ${plainText(endpoint)}`;
  const eligible = candidates.filter(({ exclusion }) => exclusion === null).length;
  return isDrawn ? `lots are drawn among ${eligible} endpoints` : 'nobody';
}

function cellsOf(candidate: ExplainedCandidate, { endpoint }: Explanation): string[] {
  const { exclusion, group, weight, inFlight, cap, score } = candidate;
  return [
    `${candidate.endpoint === endpoint ? '* ' : '  '}${plainText(candidate.endpoint)}`,
    exclusion === null ? 'yes' : `no: ${exclusion}`,
    group ?? NOTHING,
    String(weight),
    String(inFlight),
    cap === 0 ? NOTHING : String(cap),
    score === null ? NOTHING : String(Math.round(score * 1_000) / 1_000),
  ];
}
