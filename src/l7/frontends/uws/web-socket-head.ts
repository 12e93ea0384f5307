/** The heads of a WebSocket's handshake: what `ws` is to send to the endpoint, and what of the endpoint's answer goes to the client. */
import type { UwsRequest } from './load-uws.js';

/** What the endpoint is asked for. Strings hold one byte for each character, as Node's http client takes them. */
export interface HandshakeHead {
  readonly target: string;
  /** By lower-case name; several fields of one name as an array. */
  readonly fields: Readonly<Record<string, string | string[]>>;
  /** The subprotocols that the client offers, in its order. */
  readonly protocols: readonly string[];
}

/** The head of an endpoint's answer, as Node's http client gives it. */
export interface AnswerHead {
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  /** Names and values in turn, one byte for each character. */
  readonly rawHeaders: readonly string[];
}

/** A field line whose value holds no control character but tabs. */
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9a-z-]+): ([\t\x20-\x7e\x80-\u{10ffff}]*)$/u;
/** A request target without blanks and control characters. */
const TARGET = /^[\x21-\x7e\x80-\u{10ffff}]+$/u;
const ASCII = /^[\t\x20-\x7e]*$/;
const UPGRADE_OPTION = /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i;
const REQUEST_LINE_END = ' HTTP/1.1';

/** The version that both libraries speak (RFC 6455). */
const WEB_SOCKET_VERSION = '13';

/** Fields of the handshake that `ws` writes itself. Subprotocols pass as they are. */
const HANDSHAKE_FIELDS = new Set([
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-accept',
]);

/** Fields of an answer that are about the endpoint's connection only, or that uWebSockets.js writes itself. */
const DROPPED_ANSWER_FIELDS = new Set([
  'connection',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'content-length',
  'date',
]);

/**
 * Whether a request wants a WebSocket of the version that is proxied, and has no body. Anything else with a Sec-WebSocket-Key is a
 * plain request: it loses its Upgrade, and the endpoint answers as it likes (RFC 9110 7.8).
 */
export function wantsWebSocket(request: UwsRequest): boolean {
  return (
    request.getHeader('upgrade').toLowerCase() === 'websocket' &&
    UPGRADE_OPTION.test(request.getHeader('connection')) &&
    request.getHeader('sec-websocket-version') === WEB_SOCKET_VERSION &&
    request.getHeader('content-length') === '' &&
    request.getHeader('transfer-encoding') === ''
  );
}

/**
 * Takes the head that RequestHead has built apart. Pure.
 *
 * @param text "GET target HTTP/1.1", then field lines, each ended by CRLF
 * @returns null when it holds what may not be in a head
 */
export function handshakeHeadOf(text: string): HandshakeHead | null {
  const [requestLine = '', ...lines] = text.split('\r\n');
  const target = requestLine.slice(requestLine.indexOf(' ') + 1, -REQUEST_LINE_END.length);
  if (!TARGET.test(target)) return null;
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  const protocols: string[] = [];
  for (const line of lines) {
    if (line === '') continue;
    const [, name, value] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return null;
    if (HANDSHAKE_FIELDS.has(name)) continue;
    if (name === 'sec-websocket-protocol') protocols.push(...tokensOf(value));
    const before = fields[name];
    const bytes = byteStringOf(value);
    if (before === undefined) fields[name] = bytes;
    else if (Array.isArray(before)) before.push(bytes);
    else fields[name] = [before, bytes];
  }
  return { target: byteStringOf(target), fields, protocols };
}

/**
 * The head of an answer for the client: status line without version, and fields, without what belongs to the endpoint's connection.
 *
 * @param isUpgrade the answer is a 101: what of the handshake uWebSockets.js writes itself is left out, too
 */
export function clientHeadOf(answer: AnswerHead, isUpgrade: boolean): Buffer {
  const { statusCode = 0, statusMessage = '', rawHeaders } = answer;
  const nominated = new Set(
    valuesOf(rawHeaders, 'connection')
      .flatMap(tokensOf)
      .map((name) => name.toLowerCase()),
  );
  let text = `${statusCode} ${statusMessage}`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const key = name.toLowerCase();
    if (DROPPED_ANSWER_FIELDS.has(key) || nominated.has(key)) continue;
    if (isUpgrade && key.startsWith('sec-websocket-')) continue;
    text += `\r\n${name}: ${rawHeaders[at + 1] ?? ''}`;
  }
  return Buffer.from(text, 'latin1');
}

/** The values of an answer's fields of that name, in order. @param name in lower case */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

/** Members of a comma-separated list. */
function tokensOf(value: string): string[] {
  return value
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

/** uWebSockets.js has decoded the request's bytes as UTF-8; Node's http client writes one byte for each character. */
function byteStringOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}
