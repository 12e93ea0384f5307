/** Trace contexts of clients: which are taken, and what endpoints get. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTraceParent, passableTraceState, traceParentOf } from '../../../src/l7/exchange-trace.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const hex = (digits: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits })
    .filter((text) => /[1-9a-f]/.test(text));

describe('parseTraceParent', () => {
  it('reads what the specification gives as examples', () => {
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-00`)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: false });
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-03`)?.isSampled).toBe(true);
  });

  it('reads a later version by what it knows of it', () => {
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-01`)?.traceId).toBe(TRACE);
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`)?.traceId).toBe(TRACE);
  });

  it.each([
    ['an invalid version', `ff-${TRACE}-${SPAN}-01`],
    ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
    ['a later version without a separator', `cc-${TRACE}-${SPAN}-01.more`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['flags that are no hex', `00-${TRACE}-${SPAN}-0x`],
    ['two fields', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['blanks around it', ` 00-${TRACE}-${SPAN}-01`],
    ['nothing', ''],
  ])('refuses %s', (_, value) => {
    expect(parseTraceParent(value)).toBeNull();
  });

  it('reads everything that traceParentOf writes', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        const parent = { traceId, spanId, isSampled };
        expect(parseTraceParent(traceParentOf(parent))).toEqual(parent);
      }),
    );
  });
});

describe('passableTraceState', () => {
  it.each([
    ['foo=1', 'foo=1'],
    ['foo=1,bar=2', 'foo=1,bar=2'],
    ['foo=1 \t , \t bar=2,', 'foo=1,bar=2'],
    ['fw529a3039@dt=FfAF!, rojo=00f067aa0ba902b7', 'fw529a3039@dt=FfAF!,rojo=00f067aa0ba902b7'],
    ['foo= 1', 'foo= 1'],
  ])('passes %j on', (value, passed) => {
    expect(passableTraceState(value)).toBe(passed);
  });

  it.each([
    ['an empty list', ' , '],
    ['a key without value', 'foo'],
    ['an empty value', 'foo='],
    ['a capital key', 'FOO=1'],
    ['a key twice', 'foo=1,foo=2'],
    ['an equals sign in a value', 'foo=1=2'],
    ['a value that is no ASCII', 'foo=\u00e4'],
    ['a tenant that is too long', `${'t'.repeat(242)}@v=1`],
    ['33 members', Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(',')],
  ])('drops %s', (_, value) => {
    expect(passableTraceState(value)).toBeNull();
  });
});
