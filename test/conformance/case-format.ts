/** What a conformance case is: bytes of a client, answers of an endpoint, and what each of them must see. All text is latin1, a character a byte. */

/** Settings of the listener that a case needs; the candidates say what each means to them. */
export type ProfileName = 'usual' | 'limits' | 'times' | 'trusting';

/** Bounds of profile `limits`; every candidate is set to these where it can be. */
export const LIMITS = { headBytes: 2048, requestLineBytes: 512, headers: 20, bodyBytes: 1000, requests: 4 } as const;

/** Every client and endpoint timeout of profile `times`. */
export const SHORT_TIMEOUT_MS = 400;

/**
 * One thing that the client does, the next when it is done: a string is sent.
 * - wait 'response', 'interim': for one more final or interim response; 'head': for the head of a final response; 'request': for one more head at the endpoint; 'end': until the proxy has closed;
 *   'tunnel': until what came behind a 101 holds `bytes`
 * - act 'half-close': sends FIN and reads on; 'reset'
 */
export type ClientStep =
  | string
  | { readonly wait: 'response' | 'interim' | 'head' | 'request' | 'end' }
  | { readonly wait: 'tunnel'; readonly bytes: string }
  | { readonly act: 'half-close' | 'reset' };

/**
 * One thing that the endpoint does when the head of a request has come: a string is sent.
 * - wait 'request': until the request is complete; 'client': until the client has done all its steps; 'tunnel': until `bytes` have come behind the request;
 *   'end': until the proxy has closed
 * - act 'close': FIN; 'reset'; 'switch': what comes from now on is no HTTP
 */
export type EndpointStep =
  | string
  | { readonly wait: 'request' | 'client' | 'end' }
  | { readonly wait: 'tunnel'; readonly bytes: string }
  | { readonly act: 'close' | 'reset' | 'switch' };

/** All values of a field in their order, or their text joined by ", ", or a pattern for that text; null: it may not be there. */
export type ExpectedField = string | RegExp | readonly string[] | null;
/** By name, in lower case. */
export type ExpectedFields = Readonly<Record<string, ExpectedField>>;

/** A complete request at the endpoint. */
export interface ExpectedRequest {
  /** Exactly this request line. */
  readonly line?: string;
  readonly fields?: ExpectedFields;
  /** Without its framing; '' unless it is said. */
  readonly body?: string;
  readonly trailers?: ExpectedFields;
}

/** A final response at the client. */
export interface ExpectedResponse {
  readonly status: number | readonly number[];
  /** Statuses of the interim responses before it; none unless it is said. */
  readonly interims?: readonly number[];
  readonly interimFields?: ExpectedFields;
  readonly fields?: ExpectedFields;
  readonly body?: string | RegExp;
  readonly framing?: 'none' | 'length' | 'chunked' | 'until-end';
  readonly trailers?: ExpectedFields;
  /** It answers HEAD: no body whatever it says. */
  readonly isForHead?: true;
  /** It may not end like a complete one: a broken chunk or length, or a reset. */
  readonly isBroken?: true;
}

/** What must come of a case. */
export interface Outcome {
  /** Complete requests, in order and no others; 'nothing': not one byte; 'any': whatever it is. */
  readonly endpoint: 'nothing' | 'any' | readonly ExpectedRequest[];
  /**
   * A request that never becomes complete behind those: 'none' (unless it is said), 'allowed', or 'required'. Its connection must end, so that the endpoint
   * cannot take it for one that is still coming.
   */
  readonly partial?: 'none' | 'allowed' | 'required';
  /** Bytes behind the request that was switched. */
  readonly tunnel?: string;
  readonly client: readonly ExpectedResponse[];
  /** Bytes behind the 101. */
  readonly clientTunnel?: string;
  /** The client's connection afterwards: 'kept' serves another request; 'closed' has ended, in whatever way; 'any'. */
  readonly connection: 'kept' | 'closed' | 'any';
}

/** One case of the suite. */
export interface ConformanceCase {
  /** Unique; the behaviour in the present tense. */
  readonly name: string;
  /** Section of an RFC, or where a smuggling vector was published. */
  readonly source: string;
  readonly profile?: ProfileName;
  readonly client: readonly ClientStep[];
  /** For the first, second, … request that reaches the endpoint; behind the last and without any: OK. A string: sent once the request is complete. */
  readonly answers?: readonly (string | readonly EndpointStep[])[];
  /** What sluice promises. */
  readonly expect: Outcome;
  /** What the source allows as well. */
  readonly allowed?: readonly Outcome[];
  /** The case is about time, or about what lies in one read (surplus that comes later is the next answer to any reader): it is not repeated with its bytes cut. */
  readonly isTimed?: true;
}

/** A head: each line with its end, and the empty line. */
export function head(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The endpoint's usual answer. */
export const OK = `${head('HTTP/1.1 200 OK', 'Content-Type: text/plain', 'Content-Length: 2')}ok`;

/** Refused by the proxy: nothing reaches the endpoint, and the connection is not used again. */
export function refused(...statuses: readonly number[]): Outcome {
  return { endpoint: 'nothing', client: [{ status: statuses }], connection: 'closed' };
}

/** Passed on and answered with OK; the connection is kept. */
export function passed(...requests: readonly ExpectedRequest[]): Outcome {
  return { endpoint: requests, client: requests.map(() => ({ status: 200, body: 'ok' })), connection: 'kept' };
}

/** The endpoint's answer reaches the client of `GET /`, on a connection that is kept. */
export function relayed(
  response: Omit<ExpectedResponse, 'status'> & { readonly status?: number | readonly number[] },
): Outcome {
  return { endpoint: [{ line: 'GET / HTTP/1.1' }], client: [{ status: 200, ...response }], connection: 'kept' };
}

/** The smallest request. */
export const GET = head('GET / HTTP/1.1', 'Host: a.test');
