/** Generates requests for the parsers: mostly well formed, with the mistakes that parsers disagree about. */
import fc from 'fast-check';

const REQUEST_LINES = [
  'GET / HTTP/1.1',
  'GET / HTTP/1.1',
  'POST /a/b?c=d HTTP/1.1',
  'POST /a/b?c=d HTTP/1.1',
  'PUT /%00/../x HTTP/1.1',
  'GET / HTTP/1.0',
  'POST /old HTTP/1.0',
  'HEAD /h HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'GET * HTTP/1.1',
  'GET http://b/x?y HTTP/1.1',
  'GET https://b:80 HTTP/1.1',
  'GET http://b?x HTTP/1.1',
  'GET http://u@b/ HTTP/1.1',
  'GET http:///x HTTP/1.1',
  'GET ftp://b/ HTTP/1.1',
  'CONNECT b:443 HTTP/1.1',
  'CONNECT b HTTP/1.1',
  'CONNECT / HTTP/1.1',
  'GET /a#b HTTP/1.1',
  'GET /\xe4 HTTP/1.1',
  'GET  / HTTP/1.1',
  'GET /  HTTP/1.1',
  'GET / HTTP/1.1 ',
  'GET\t/ HTTP/1.1',
  'GET /a b HTTP/1.1',
  'GET /',
  'GET / HTTP/2.0',
  'GET / HTTP/1.2',
  'GET / HTTP/0.9',
  'GET / http/1.1',
  'GET / HTTP/1.10',
  'PRI * HTTP/2.0',
  'get / HTTP/1.1',
  'UNHEARD / HTTP/1.1',
  'PROPFIND /d HTTP/1.1',
  '\r\nGET /led HTTP/1.1',
  '\r\n\r\n\r\n\r\n\r\nGET /led HTTP/1.1',
] as const;

const FIELD_LINES = [
  'Accept: */*',
  'X-Empty:',
  'X-Text: \t a\tb \xff ',
  'Host: b',
  'Host:',
  'Host: a b',
  'Content-Length: 5',
  'Content-Length: 5',
  'content-length: 0005 ',
  'Content-Length:\t5',
  'Content-Length: 0',
  'Content-Length: 6',
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
  'transfer-encoding:CHUNKED ',
  'Transfer-Encoding: chunked\t',
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
  'Connection: cookie',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Expect: x',
  'TE: trailers',
  'Max-Forwards: 3',
  ' folded',
  'X-No-Colon',
  ': no name',
  'X Name: v',
  'X(: v',
  'X-Space : v',
  'X-Nul: \0',
  'X-Bare-Cr: a\rb',
  'X-Bare-Lf: a\nContent-Length: 7',
  'X-Del: \x7f',
] as const;

const BODIES = [
  '',
  'hello',
  'hello',
  'helloGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  'A;x=y\r\n0123456789\r\n00\r\n\r\n',
  '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
  '5\nhello\n0\n\n',
  '5\r\nhello!\r\n0\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\n',
] as const;

/** Bytes that mean something somewhere in a request, for edits. */
const MARKS = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '/',
  '?',
  '#',
  '@',
  '[',
  '*',
  '0',
  '5',
  'a',
  '\0',
  '\x7f',
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

const HOST_LINES = [['Host: a'], ['Host: a'], ['host:a.test:80 '], ['Host: [::1]'], []] as const;

/** Any mixture of what stands above; half of them without an edit. */
const mixedText: fc.Arbitrary<string> = fc
  .record({
    requestLine: fc.constantFrom(...REQUEST_LINES),
    host: fc.constantFrom<readonly string[]>(...HOST_LINES),
    fieldLines: fc.array(fc.constantFrom(...FIELD_LINES), { maxLength: 3 }),
    body: fc.constantFrom(...BODIES),
    edits: fc.oneof(fc.constant<Edit[]>([]), fc.array(edit, { minLength: 1, maxLength: 3 })),
  })
  .map(({ requestLine, host, fieldLines, body, edits }) =>
    edits.reduce(edited, `${[requestLine, ...host, ...fieldLines].join('\r\n')}\r\n\r\n${body}`),
  );

/** Requests that both parsers can accept for the most part, so that what they mean is compared, too. */
const soundText: fc.Arbitrary<string> = fc
  .record({
    requestLine: fc.constantFrom(...REQUEST_LINES.slice(0, 12)),
    before: fc.array(fc.constantFrom('Accept: */*', 'X-Text: \t a\tb \xff ', 'Connection: close', 'X-Empty:'), {
      maxLength: 2,
    }),
    framing: fc.constantFrom<readonly [string, string]>(
      ['Content-Length: 5', 'hello'],
      ['Content-Length: 5', 'helloGET /next HTTP/1.1\r\n\r\n'],
      ['Content-Length:0', ''],
      ['X: none', ''],
      ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
      ['TRANSFER-ENCODING:Chunked ', 'A;x=y\r\n0123456789\r\n0\r\n\r\nrest'],
      ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'],
      ['Transfer-Encoding: chunked', '5 ;x\r\nhello\r\n0\r\nX-Sum : 1\r\n\r\n'],
    ),
    edits: fc.oneof(fc.constant<Edit[]>([]), fc.array(edit, { minLength: 1, maxLength: 1 })),
  })
  .map(({ requestLine, before, framing: [framing, body], edits }) =>
    edits.reduce(edited, `${[requestLine, 'Host: a', ...before, framing].join('\r\n')}\r\n\r\n${body}`),
  );

/** One request, and perhaps bytes behind it. */
export const requestInput: fc.Arbitrary<Buffer> = fc
  .oneof({ arbitrary: mixedText, weight: 1 }, { arbitrary: soundText, weight: 1 })
  .map((text) => Buffer.from(text, 'latin1'));
