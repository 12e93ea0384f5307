/** Generates responses for the parsers: mostly well formed, with the mistakes that parsers disagree about. */
import fc from 'fast-check';
import type { ResponseInput } from './node-response-parser.js';

const STATUS_LINES = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200',
  'HTTP/1.1 404 Not\tFound \xe4',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 103 Early Hints',
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.1 999 x',
  'HTTP/1.1 099 x',
  'HTTP/1.1 20 x',
  'HTTP/1.1 2000 x',
  'HTTP/1.1  200 OK',
  'HTTP/1.2 200 OK',
  'HTTP/2.0 200 OK',
  'HTTP/0.9 200 OK',
  'ICY 200 OK',
  'http/1.1 200 OK',
] as const;

const FIELD_LINES = [
  'Server: x',
  'Date: Sat, 01 Jan 2000 00:00:00 GMT',
  'X-Empty:',
  'X-Text: \t a\tb \xff ',
  'Set-Cookie: a=b',
  'Content-Length: 5',
  'Content-Length: 5',
  'content-length:\t0005 ',
  'Content-Length: 0',
  'Content-Length: 6',
  'Content-Length: 12345678901234567890',
  'Content-Length: 9223372036854775808',
  'Content-Length: 99999999999999999999',
  'Content-Length: +5',
  'Content-Length: -5',
  'Content-Length: 5, 5',
  'Content-Length: 5 5',
  'Content-Length: 0x5',
  'Content-Length:',
  'Content-Length : 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked',
  'transfer-encoding:CHUNKED \t',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunkedx',
  'Transfer-Encoding: identity',
  'Transfer-Encoding:',
  'Transfer-Encoding : chunked',
  'Transfer_Encoding: chunked',
  'Connection: keep-alive',
  'Connection: close',
  'Connection: Close, x-hop',
  'Connection: x, ,keep-alive',
  'Connection: upgrade',
  'Upgrade: x',
  'Proxy-Connection: close',
  'Keep-Alive: timeout=5, max=10',
  'Trailer: X-Sum',
  ' folded',
  'X-No-Colon',
  ': no name',
  'X Name: v',
  'X(: v',
  'X-Nul: \0',
  'X-Bare-Cr: a\rb',
  'X-Bare-Lf: a\nContent-Length: 7',
  'X-Del: \x7f',
] as const;

const PLAIN_BODIES = ['', 'hello', 'hello', 'hello, HTTP/1.1 200 OK\r\n\r\n', '\r\n'] as const;

const CHUNKED_BODIES = [
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  'A;x=y\r\n0123456789\r\n00\r\n\r\n',
  '5;x="a;b"\r\nhello\r\n0;y\r\n\r\n',
  '5 ;x\r\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5;\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
  '5\r\nhello\r\n0\r\nX-Sum : 1\r\nContent-Length: 7\r\n\r\n',
  '5\r\nhello\r\n0\r\n folded\r\n\r\n',
  '5\nhello\n0\n\n',
  '5\r\nhello!\r\n0\r\n\r\n',
  '5\r\nhell\r\n0\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '+5\r\nhello\r\n0\r\n\r\n',
  '\r\n0\r\n\r\n',
  '00000000000000005\r\nhello\r\n0\r\n\r\n',
  '7fffffffffffffff\r\nhello',
  '8000000000000000\r\nhello',
  'fffffffffffffffff\r\nhello',
  '5\r\nhello\r\n0\r\n',
] as const;

/** Bytes that mean something somewhere in a response, for edits. */
const MARKS = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '=',
  '"',
  '0',
  '5',
  'a',
  'x',
  '\0',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
];

interface Edit {
  readonly place: number; // permille of the text
  readonly removed: number; // bytes
  readonly inserted: string;
}

function edited(text: string, { place, removed, inserted }: Edit): string {
  const at = Math.floor((text.length * place) / 1000);
  return text.slice(0, at) + inserted + text.slice(at + removed);
}

const edit: fc.Arbitrary<Edit> = fc.record({
  place: fc.nat({ max: 1000 }),
  removed: fc.constantFrom(0, 0, 1, 2, 20),
  inserted: fc.constantFrom('', ...MARKS),
});

/** Half of the responses have no edit; the text is latin1. */
const responseText: fc.Arbitrary<string> = fc
  .record({
    statusLine: fc.constantFrom(...STATUS_LINES),
    fieldLines: fc.array(fc.constantFrom(...FIELD_LINES), { maxLength: 4 }),
    body: fc.oneof(fc.constantFrom(...PLAIN_BODIES), fc.constantFrom(...CHUNKED_BODIES)),
    edits: fc.oneof(fc.constant<Edit[]>([]), fc.array(edit, { minLength: 1, maxLength: 3 })),
  })
  .map(({ statusLine, fieldLines, body, edits }) =>
    edits.reduce(edited, `${[statusLine, ...fieldLines].join('\r\n')}\r\n\r\n${body}`),
  );

/** A framing field line and a body that may go with it. */
const framedBody: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple<[string, string]>(
    fc.constantFrom('Transfer-Encoding: chunked', 'TRANSFER-ENCODING:chunked '),
    fc.constantFrom(...CHUNKED_BODIES),
  ),
  fc.tuple<[string, string]>(
    fc.constantFrom('Content-Length: 5', 'Content-Length:0', 'X: until close'),
    fc.constantFrom(...PLAIN_BODIES),
  ),
);

/** Responses of which a good part is framed in a way that both parsers can accept, so that bodies are compared, too. */
const framedText: fc.Arbitrary<string> = fc
  .record({
    statusLine: fc.constantFrom(...STATUS_LINES.slice(0, 8)),
    before: fc.array(fc.constantFrom('Server: x', 'X-Text: \t a\tb \xff ', 'Connection: close', 'X-Empty:'), {
      maxLength: 2,
    }),
    framing: framedBody,
    edits: fc.oneof(fc.constant<Edit[]>([]), fc.array(edit, { minLength: 1, maxLength: 1 })),
  })
  .map(({ statusLine, before, framing: [framing, body], edits }) =>
    edits.reduce(edited, `${[statusLine, ...before, framing].join('\r\n')}\r\n\r\n${body}`),
  );

/** One response, perhaps to a HEAD request. */
export const responseInput: fc.Arbitrary<ResponseInput> = fc
  .tuple(
    fc.oneof({ arbitrary: responseText, weight: 1 }, { arbitrary: framedText, weight: 2 }),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([text, tenth]) => ({ bytes: Buffer.from(text, 'latin1'), isHeadRequest: tenth === 0 }));
