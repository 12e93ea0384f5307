/** Compares what came of an HTTP/2 case with what may. */
import { type Message, valuesOf } from '../../harness/message-reader.js';
import type { SeenByEndpoint } from '../../harness/scripted-endpoint.js';
import { unfolded } from './frame-notation.js';
import type { HeaderField } from './hpack-decoder.js';
import type { Http2Case, WantedAnswer, WantedFields, WantedOutcome, WantedRequest } from './http2-case.js';
import type { SeenStream } from './http2-client.js';

/** What came of a case. */
export interface Observed {
  readonly endpoint: SeenByEndpoint;
  readonly streams: ReadonlyMap<number, SeenStream>;
  readonly ending: 'open' | 'closed' | 'reset';
  readonly goaway: string;
  /** A PING was acknowledged and a request answered behind everything. */
  readonly isKept: boolean;
  /** What went wrong besides. */
  readonly troubles: readonly string[];
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

/** How it ended, in one line: what the table and the record show. */
export function summaryOf({ streams, ending, goaway, isKept }: Observed): string {
  const parts = [...streams].flatMap(([stream, { status, reset, interims, isComplete }]) => {
    const words = [...interims, ...(status === 0 ? [] : [isComplete ? status : `${status}…`])].map(String);
    if (reset !== '') words.push(`reset ${reset}`);
    return words.length === 0 ? [] : [`${stream}: ${words.join(' ')}`];
  });
  const shown = parts.length > 4 ? [...parts.slice(0, 3), `… ${parts.length} streams`] : parts;
  const connection = ending === 'open' ? (isKept ? 'kept' : 'stuck') : goaway === '' ? 'closed' : `goaway ${goaway}`;
  return [...shown, connection].join('; ');
}

/** @returns the differences from one outcome; [] when there is none. @param isPromised what a proxy may drop has to be there, too */
export function judge(observed: Observed, testCase: Http2Case, outcome: WantedOutcome, isPromised: boolean): string[] {
  return [
    ...observed.troubles,
    ...ofConnection(observed, outcome),
    ...[...outcome.streams].flatMap(([stream, want]) => ofStream(observed.streams.get(stream), stream, want)),
    ...Object.entries(testCase.answer ?? {}).flatMap(([stream, want]) =>
      outcome.streams.get(Number(stream))?.statuses === undefined
        ? []
        : ofAnswer(observed.streams.get(Number(stream)), stream, isPromised ? want : mayDrop(want)),
    ),
    ...ofEndpoint(observed.endpoint, testCase, outcome),
  ];
}

/** Trailers and interim answers may be dropped on the way (RFC 9110 sections 6.5.1 and 15.2). */
function mayDrop({ trailers: _, interims: __, ...rest }: WantedAnswer): WantedAnswer {
  return rest;
}

function ofConnection({ ending, goaway, isKept }: Observed, { connection, codes }: WantedOutcome): string[] {
  if (connection === 'kept') {
    if (ending !== 'open') return [`the connection has ended (${goaway === '' ? ending : `GOAWAY ${goaway}`})`];
    return isKept ? [] : ['the connection is open and does not serve'];
  }
  if (ending === 'open') return [`the connection is still open${goaway === '' ? '' : ` (GOAWAY ${goaway})`}`];
  if (codes.length === 0 || codes.includes(goaway)) return [];
  return [goaway === '' ? 'the connection ended without GOAWAY' : `the client got GOAWAY ${goaway}`];
}

function ofStream(
  seen: SeenStream | undefined,
  stream: number,
  want: { readonly reset?: readonly string[]; readonly statuses?: readonly number[] },
): string[] {
  const { status = 0, reset = '', isComplete = false } = seen ?? {};
  const got = reset === '' ? (status === 0 ? 'nothing' : `the status ${status}`) : `RST_STREAM ${reset}`;
  if (want.reset !== undefined) {
    const isWanted = reset !== '' && (want.reset.length === 0 || want.reset.includes(reset));
    return isWanted ? [] : [`stream ${stream} got ${got}, not RST_STREAM ${want.reset.join(' or ')}`];
  }
  if (want.statuses === undefined) return isComplete || reset !== '' ? [`stream ${stream} got ${got}`] : [];
  if (!want.statuses.includes(status)) return [`stream ${stream} got ${got}, not ${want.statuses.join(' or ')}`];
  // An answer may be whole before the request is, and the stream then be reset without an error (RFC 9113 section 8.1).
  return isComplete ? [] : [`the answer of stream ${stream} is not complete`];
}

function ofFields(who: string, wanted: WantedFields, valuesOfName: (name: string) => readonly string[]): string[] {
  return Object.entries(wanted).flatMap(([name, want]) => {
    const values = valuesOfName(name);
    const text = values.join(', ');
    if (want === null) return values.length === 0 ? [] : [`${who} ${name}: ${quoted(text)}`];
    return values.length > 0 && text === unfolded(want) ? [] : [`${who} ${name}: ${quoted(text)}, not ${quoted(want)}`];
  });
}

const ofName = (fields: readonly HeaderField[]) => (name: string) =>
  fields.filter(([own]) => own === name).map(([, value]) => value);

function ofAnswer(
  seen: SeenStream | undefined,
  stream: string,
  { fields = {}, body, interims, trailers = {} }: WantedAnswer,
): string[] {
  if (seen === undefined) return [];
  const differences = ofFields(`stream ${stream} got`, fields, ofName(seen.fields));
  if (body !== undefined && seen.body !== unfolded(body))
    differences.push(`stream ${stream} got the body ${quoted(seen.body)}`);
  if (interims !== undefined && seen.interims.join() !== interims.join())
    differences.push(`stream ${stream} got the interim answers ${seen.interims.join() || 'none'}`);
  return [...differences, ...ofFields(`stream ${stream} got the trailer`, trailers, ofName(seen.trailers))];
}

function ofEndpoint(seen: SeenByEndpoint, testCase: Http2Case, { streams }: WantedOutcome): string[] {
  const complete = seen.requests.filter(({ isComplete }) => isComplete);
  const differences = seen.strays.map((stray) => `the endpoint got something that is no request: ${quoted(stray)}`);
  if (seen.hasOpenPartial && testCase.reaches !== 'any')
    differences.push('the endpoint still waits for the rest of a request');
  const answered = [...streams.values()].filter(({ statuses }) => (statuses?.[0] ?? 0) - 200 in [...Array(100)]).length;
  const wanted = testCase.reaches ?? answered;
  if (wanted !== 'any' && complete.length !== wanted) {
    const lines = complete.map(({ startLine }) => startLine).join(' | ');
    differences.push(`${complete.length} requests reached the endpoint, not ${wanted}: ${quoted(lines)}`);
  }
  for (const [index, want] of (testCase.requests ?? []).entries()) {
    const request = complete[index];
    if (request !== undefined) differences.push(...ofRequest(request, want));
  }
  return differences;
}

function ofRequest(request: Message, { line, fields = {}, body = '', trailers = {} }: WantedRequest): string[] {
  const differences: string[] = [];
  if (line !== undefined && request.startLine !== line)
    differences.push(`the endpoint got the request line ${quoted(request.startLine)}`);
  if (request.body !== unfolded(body)) differences.push(`the endpoint got the body ${quoted(request.body)}`);
  differences.push(...ofFields('the endpoint got', fields, (name) => valuesOf(request.fields, name)));
  return [
    ...differences,
    ...ofFields('the endpoint got the trailer', trailers, (name) => valuesOf(request.trailers, name)),
  ];
}
