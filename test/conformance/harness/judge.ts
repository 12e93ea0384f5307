/** Compares what came of a case with what must; and holds every message against the rules that no case has to name. */
import type { ExpectedFields, ExpectedRequest, ExpectedResponse, Outcome } from '../case-format.js';
import { type Field, isInterim, type Message, statusOf, valuesOf } from './message-reader.js';
import type { Observed } from './run-case.js';

/** @returns the differences, as sentences; [] when there is none */
export function judge(observed: Observed, outcome: Outcome): string[] {
  return [
    ...observed.troubles,
    ...ofEndpoint(observed, outcome),
    ...ofClient(observed, outcome),
    ...ofConnection(observed, outcome),
  ];
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

function ofEndpoint({ endpoint }: Observed, { endpoint: expected, partial = 'none', tunnel }: Outcome): string[] {
  const complete = endpoint.requests.filter(({ isComplete }) => isComplete);
  const partials = endpoint.requests.length - complete.length + endpoint.strays.length;
  const differences = endpoint.requests.flatMap(rulesOfRequests);
  if (expected === 'any') return differences;
  const wanted = expected === 'nothing' ? [] : expected;
  if (complete.length !== wanted.length) {
    const lines = complete.map(({ startLine }) => startLine).join(' | ');
    differences.push(`${complete.length} requests reached the endpoint, not ${wanted.length}: ${quoted(lines)}`);
  }
  for (const [index, request] of complete.entries()) {
    const want = wanted[index];
    if (want !== undefined) differences.push(...ofRequest(request, want));
  }
  if (partials > 0 && partial === 'none')
    differences.push(`the endpoint got something incomplete: ${quoted(endpoint.strays.join(' | ') || 'a request')}`);
  if (partials === 0 && partial === 'required') differences.push('the endpoint did not get the beginning of a request');
  if (endpoint.hasOpenPartial) differences.push('the endpoint still waits for the rest of a request');
  if (tunnel !== undefined && endpoint.tunnel !== tunnel)
    differences.push(`the endpoint got through the tunnel ${quoted(endpoint.tunnel ?? 'nothing')}`);
  return differences;
}

function ofRequest(request: Message, { line, fields = {}, body = '', trailers = {} }: ExpectedRequest): string[] {
  const differences: string[] = [];
  if (line !== undefined && request.startLine !== line)
    differences.push(`the endpoint got the request line ${quoted(request.startLine)}`);
  if (request.body !== body) differences.push(`the endpoint got the body ${quoted(request.body)}`);
  differences.push(...ofFields('the endpoint got', request.fields, fields));
  return [...differences, ...ofFields('the endpoint got the trailer', request.trailers, trailers)];
}

function ofFields(who: string, fields: readonly Field[], expected: ExpectedFields): string[] {
  return Object.entries(expected).flatMap(([name, want]) => {
    const values = valuesOf(fields, name);
    const text = values.join(', ');
    if (want === null) return values.length === 0 ? [] : [`${who} ${name}: ${quoted(text)}`];
    const isAsWanted =
      values.length > 0 &&
      (typeof want === 'string'
        ? text === want
        : want instanceof RegExp
          ? want.test(text)
          : JSON.stringify(values) === JSON.stringify(want));
    return isAsWanted ? [] : [values.length === 0 ? `${who} no ${name}` : `${who} ${name}: ${quoted(text)}`];
  });
}

function ofClient({ responses, clientFault, clientRest, ending }: Observed, outcome: Outcome): string[] {
  const differences: string[] = [];
  const finals = responses.filter((message) => !isInterim(message));
  if (clientFault !== '' && !outcome.client.some(({ isBroken }) => isBroken))
    differences.push(`the client got something malformed: ${clientFault}`);
  if (finals.length !== outcome.client.length) {
    const statuses = finals.map(statusOf).join(', ') || 'none';
    differences.push(`the client got ${finals.length} responses, not ${outcome.client.length}: ${statuses}`);
  }
  let at = 0;
  for (const [index, response] of finals.entries()) {
    const interims: Message[] = [];
    while (responses[at] !== response) interims.push(responses[at++] as Message);
    at++;
    const want = outcome.client[index];
    if (want !== undefined) differences.push(...ofResponse(response, interims, want, ending));
  }
  for (const message of responses) differences.push(...rulesOfResponses(message));
  if (outcome.clientTunnel !== undefined && clientRest !== outcome.clientTunnel)
    differences.push(`the client got through the tunnel ${quoted(clientRest)}`);
  return differences;
}

function ofResponse(
  response: Message,
  interims: readonly Message[],
  want: ExpectedResponse,
  ending: Observed['ending'],
): string[] {
  const differences: string[] = [];
  const statuses = typeof want.status === 'number' ? [want.status] : want.status;
  if (!statuses.includes(statusOf(response)))
    differences.push(`the client got ${statusOf(response)}, not ${statuses.join(' or ')}`);
  const seenInterims = interims.map(statusOf).join(', ');
  const wantInterims = (want.interims ?? []).join(', ');
  if (seenInterims !== wantInterims)
    differences.push(`the client got interim responses: ${seenInterims || 'none'}; not: ${wantInterims || 'none'}`);
  for (const interim of interims)
    differences.push(...ofFields('the interim response has', interim.fields, want.interimFields ?? {}));
  // A body that lasts until the end and ends in order looks complete, whatever the endpoint meant.
  if (want.isBroken === true && (response.isComplete || ending === 'open'))
    differences.push(response.isComplete ? 'a broken response looks complete' : 'a broken response stays open');
  if (want.isBroken !== true && !response.isComplete) differences.push('the response did not become complete');
  if (want.framing !== undefined && response.framing !== want.framing)
    differences.push(`the response is framed by ${response.framing}, not ${want.framing}`);
  const { body } = want;
  if (body !== undefined && !(typeof body === 'string' ? response.body === body : body.test(response.body)))
    differences.push(`the client got the body ${quoted(response.body)}`);
  differences.push(...ofFields('the client got', response.fields, want.fields ?? {}));
  return [...differences, ...ofFields('the client got the trailer', response.trailers, want.trailers ?? {})];
}

function ofConnection({ isKept, ending, responses }: Observed, { connection }: Outcome): string[] {
  const saysClose = responses.some(({ fields }) =>
    valuesOf(fields, 'connection').join().toLowerCase().includes('close'),
  );
  if (connection === 'kept' && !isKept) return [`the client's connection is not kept (${ending})`];
  if (connection === 'closed' && ending === 'open') return ["the client's connection is still open"];
  return connection === 'kept' && saysClose ? ['the client was told to close a connection that is kept'] : [];
}

/** Fields that a proxy may not pass on (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'proxy-authorization'];

/** What holds for every request to an endpoint; its framing and syntax the reader has judged. */
function rulesOfRequests({ startLine, fields, isComplete }: Message): string[] {
  const differences: string[] = [];
  if (!startLine.endsWith(' HTTP/1.1')) differences.push(`the endpoint got another version: ${quoted(startLine)}`);
  const hosts = valuesOf(fields, 'host');
  if (hosts.length !== 1) differences.push(`the endpoint got ${hosts.length} Host fields`);
  for (const name of HOP_BY_HOP)
    if (valuesOf(fields, name).length > 0) differences.push(`the endpoint got the hop-by-hop field ${name}`);
  const options = valuesOf(fields, 'connection').join().toLowerCase();
  for (const name of ['upgrade', 'te'])
    if (valuesOf(fields, name).length > 0 && !options.includes(name))
      differences.push(`the endpoint got ${name} without its Connection option`);
  return isComplete ? differences : [];
}

/** What holds for every response to a client. */
function rulesOfResponses(message: Message): string[] {
  const { fields, startLine } = message;
  const status = statusOf(message);
  const differences: string[] = [];
  if (!startLine.startsWith('HTTP/1.1 ')) differences.push(`the client got another version: ${quoted(startLine)}`);
  if (
    valuesOf(fields, 'keep-alive').length > 0 &&
    !valuesOf(fields, 'connection').join().toLowerCase().includes('keep-alive')
  )
    differences.push('the client got Keep-Alive of the endpoint');
  const isBodyless = status < 200 || status === 204;
  for (const name of ['transfer-encoding', 'content-length'])
    if (isBodyless && valuesOf(fields, name).length > 0) differences.push(`the client got ${name} with ${status}`);
  const dates = valuesOf(fields, 'date').length;
  if (dates > 1) differences.push(`the client got ${dates} Date fields`);
  return differences;
}
