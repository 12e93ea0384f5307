/** Lines of the access log as the engine makes them, whatever clients send. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACCESS_FIELDS } from '../../../src/config/observing-plan.js';
import {
  ACCESS_FACTS,
  ACCESS_TEXTS,
  AccessFact,
  type AccessText,
  NO_NAME,
  NO_ROOM,
} from '../../../src/engine/access-lines.js';
import { loadEngine } from '../../../src/engine/load-engine.js';

const { AccessLines } = loadEngine();
const BUFFER_BYTES = 64 * 1024;

/** A format with memory of its own. */
function linesOf(fields: readonly number[], limits = { targetBytes: 16_384, textBytes: 4_096 }) {
  const facts = new Float64Array(ACCESS_FACTS).fill(NO_NAME, AccessFact.listener, AccessFact.status);
  const texts = Buffer.alloc(16_384);
  const buffers: [Uint8Array, Uint8Array] = [new Uint8Array(BUFFER_BYTES), new Uint8Array(BUFFER_BYTES)];
  const lines = new AccessLines({ fields, facts, texts, buffers, ...limits });
  const give = (given: Partial<Record<AccessText, Uint8Array>>): void => {
    let end = 0;
    for (const name of ACCESS_TEXTS) {
      texts.set(given[name] ?? [], end);
      facts[AccessFact[name]] = given[name]?.length ?? 0;
      end += given[name]?.length ?? 0;
    }
  };
  const write = (): string => {
    const end = lines.write();
    return end < 0 ? String(end) : Buffer.from(buffers[0]).toString('utf8', 0, end);
  };
  return { facts, lines, give, write };
}

const ALL = ACCESS_FIELDS.map((_, place) => place);
const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 });
const nearlyText = fc.oneof(
  bytes,
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).map((text) => Buffer.from(text)),
  fc
    .string({ unit: fc.constantFrom('"', '\\', '\n', '\r', '\t', ' ', '\u0000', '\u007f', 'ä', '€'), minLength: 1 })
    .map((text) => Buffer.from(text)),
);

describe('AccessLines', () => {
  it('writes JSON that parses back to what was sent, as a decoder of UTF-8 reads it', () => {
    const { give, write } = linesOf(ALL);
    fc.assert(
      fc.property(nearlyText, nearlyText, nearlyText, (userAgent, referer, host) => {
        give({ userAgent, referer, host });
        const line = write();
        expect(line.indexOf('\n')).toBe(line.length - 1);
        const decode = (sent: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(sent);
        expect(JSON.parse(line)).toMatchObject({
          userAgent: decode(userAgent),
          referer: decode(referer),
          host: decode(host),
        });
      }),
    );
  });

  it('writes combined lines of which nothing that is sent can leave its quotes', () => {
    const { give, write } = linesOf([]);
    fc.assert(
      fc.property(nearlyText, nearlyText, nearlyText, (userAgent, referer, target) => {
        give({ userAgent, referer, target, method: Buffer.from('GET'), protocol: Buffer.from('HTTP/1.1') });
        const line = write();
        const [, request, , , ...quoted] =
          /^- - - \[[^\]]+\] "([^"]*)" (\d+) (\d+) "([^"]*)" "([^"]*)" - [\d.]+\n$/.exec(line) ?? [];
        const unescaped = (text = ''): Buffer =>
          Buffer.from(
            text.replace(/\\x([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
            'latin1',
          );
        expect(unescaped(request)).toEqual(Buffer.concat([Buffer.from('GET '), target, Buffer.from(' HTTP/1.1')]));
        expect(quoted.map(unescaped)).toEqual([Buffer.from(referer), Buffer.from(userAgent)]);
      }),
    );
  });

  it('splits a target at its first question mark', () => {
    const { give, write } = linesOf(ALL);
    give({ target: Buffer.from('/a?b?c') });
    expect(JSON.parse(write())).toMatchObject({ path: '/a', query: 'b?c' });
  });

  it('cuts what is too long, and leaves a line that is too long for its buffer out', () => {
    const short = linesOf([], { targetBytes: 4, textBytes: 8 });
    short.give({ method: Buffer.from('GET'), target: Buffer.from('/abcdefg'), userAgent: Buffer.from('0123456789') });
    expect(short.write()).toContain('"GET /abc -" 499 0 "-" "01234567"');
    const { facts, write } = linesOf([]);
    facts[AccessFact.offset] = BUFFER_BYTES - 20;
    expect(write()).toBe(String(NO_ROOM));
  });

  it('tells names by their numbers', () => {
    const { facts, lines, write } = linesOf(ALL);
    facts[AccessFact.upstream] = lines.openText('app');
    facts[AccessFact.route] = lines.openText('*/ü"');
    expect(JSON.parse(write())).toMatchObject({ upstream: 'app', route: '*/ü"' });
  });
});
