/** Ids of requests. */
import { describe, expect, it } from 'vitest';
import { isUsableRequestId, RequestIds } from '../../../src/l7/request-id.js';

describe('request ids', () => {
  it('are 32 hex digits, each another', () => {
    const ids = new RequestIds('0123456789abcdef01234567');
    const made = Array.from({ length: 1000 }, () => ids.next());
    expect(new Set(made).size).toBe(1000);
    for (const id of made) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each<[string, boolean]>([
    ['abc', true],
    ['', false],
    ['a b', false],
    ['a\tb', false],
    ['x'.repeat(128), true],
    ['x'.repeat(129), false],
  ])('takes %j from a trusted proxy: %s', (value, isUsable) => {
    expect(isUsableRequestId(value)).toBe(isUsable);
  });
});
