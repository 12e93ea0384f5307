/** The HTTP/2 set itself: its notation and its reader of header blocks, and what is recorded of nginx and HAProxy, which shows that it sees what is wrong. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { frameOf, sentBy } from './http2/harness/frame-notation.js';
import { HpackDecoder, huffmanText } from './http2/harness/hpack-decoder.js';
import { haproxyHttp2, nginxHttp2 } from './http2/harness/http2-candidates.js';
import { HTTP2_CASES, outcomesOf } from './http2/harness/http2-case.js';
import { runHttp2 } from './http2/harness/run-http2.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('the HTTP/2 cases', () => {
  it('are many, and each has a name of its own', () => {
    const names = HTTP2_CASES.map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(300);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('can all be read', () => {
    for (const testCase of HTTP2_CASES) {
      expect(outcomesOf(testCase).promised.length, testCase.name).toBeGreaterThan(0);
      for (const step of [...(testCase.open ?? []), ...testCase.send])
        if (!/^(?:wait |fin$)/.test(step)) expect(sentBy(step, false).length, step).toBeGreaterThan(0);
    }
  });
});

describe('the notation of frames', () => {
  it.each([
    ['SETTINGS 0 +ACK', '000000 04 01 00000000'],
    ['SETTINGS 0 INITIAL_WINDOW_SIZE=1 0xfff0=2', '00000c 04 00 00000000 0004 00000001 fff0 00000002'],
    ['DATA 0x80000003 +ES "ab" z:1 u16:258', '000005 00 01 80000003 6162 00 0102'],
    ['RST_STREAM 5 CANCEL', '000004 03 00 00000005 00000008'],
    ['0x16 1 len:9 x0102*2', '000009 16 00 00000001 01020102'],
    ['HEADERS 1 +EH +ES @get [x-a: {b*3}]', '000014 01 05 00000001 82 86 84 01 06612e74657374 00 03782d61 03626262'],
  ])('makes bytes of %s', (line, bytes) => {
    expect(frameOf(line, false).bytes.toString('hex')).toBe(bytes.replaceAll(' ', ''));
  });

  it.each(['HEADER 1', 'DATA', 'DATA 1 what', 'SETTINGS 0 NO_SUCH=1', 'HEADERS 1 [a]'])('refuses %s', (line) => {
    expect(() => frameOf(line, false)).toThrow();
  });
});

describe('the reader of header blocks', () => {
  // RFC 7541 appendix C.4.
  const first = '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff';
  const second = '8286 84be 5886 a8eb 1064 9cbf';
  const third = '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf';

  it('reads the requests of RFC 7541', () => {
    const decoder = new HpackDecoder();
    const authority = [':authority', 'www.example.com'];
    expect(decoder.read(hex(first))).toEqual([[':method', 'GET'], [':scheme', 'http'], [':path', '/'], authority]);
    expect(decoder.read(hex(second)).at(-1)).toEqual(['cache-control', 'no-cache']);
    expect(decoder.read(hex(third))).toEqual([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/index.html'],
      authority,
      ['custom-key', 'custom-value'],
    ]);
  });

  it.each(['18', '1fff', 'ffffffff', 'fe'])('refuses the Huffman text %s', (text) => {
    expect(() => huffmanText(hex(text))).toThrow();
  });

  it('refuses a table that does not shrink where it must', () => {
    const decoder = new HpackDecoder();
    decoder.announce(0);
    expect(() => decoder.read(hex('88'))).toThrow('must shrink');
    expect(decoder.read(hex('20 88'))).toEqual([[':status', '200']]);
  });
});

interface Recorded {
  readonly version: string;
  readonly otherwise: Readonly<Record<string, string>>;
  readonly deviates: Readonly<Record<string, string>>;
}

describe.each([nginxHttp2, haproxyHttp2])('$name', (candidate) => {
  const records = JSON.parse(readFileSync(new URL('./http2/recorded.json', import.meta.url), 'utf8')) as Readonly<
    Record<string, Recorded>
  >;
  const recorded = records[candidate.name] as Recorded;
  const isThere = candidate.missing() === '' && candidate.version() === recorded.version;

  it.runIf(isThere)('deviates where it is recorded to, and nowhere else', { timeout: 60_000 }, async () => {
    const verdicts = await runHttp2(candidate, HTTP2_CASES, { lanes: 24, patienceMs: 2_000 });
    const deviating = HTTP2_CASES.filter((_, index) => {
      const { differences, isAllowed } = verdicts[index] ?? { differences: ['not run'], isAllowed: false };
      return differences.length > 0 && !isAllowed;
    });
    expect(deviating.map(({ name }) => name).sort()).toEqual(Object.keys(recorded.deviates).sort());
  });
});
