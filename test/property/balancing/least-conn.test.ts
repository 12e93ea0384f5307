/** least-conn against a naive reference, on any upstream that is scanned as a whole. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { upstreamOf } from '../../unit/balancing/upstream-under-test.js';

const endpoint = fc.record({
  weight: fc.integer({ min: 1, max: 20 }),
  cap: fc.constantFrom(0, 0, 1, 3, 10),
  isBackup: fc.boolean(),
  isHealthy: fc.boolean(),
  inflight: fc.integer({ min: 0, max: 12 }),
  isTried: fc.boolean(),
});

describe('least-conn', () => {
  it('picks one of those that a sort by in flight / weight puts first', () => {
    fc.assert(
      fc.property(fc.array(endpoint, { minLength: 1, maxLength: 16 }), (endpoints) => {
        const upstream = upstreamOf('least-conn', endpoints);
        endpoints.forEach(({ inflight, isHealthy }, index) => {
          upstream.load(index, inflight);
          upstream.board.control.setHealthy(upstream.plan.endpoints[index]!.slot, isHealthy);
        });
        const eligible = endpoints
          .map((facts, index) => ({ ...facts, index }))
          .filter(({ isHealthy, isTried, cap, inflight }) => isHealthy && !isTried && (cap === 0 || inflight < cap));
        const primaries = eligible.filter(({ isBackup }) => !isBackup);
        const candidates = primaries.length > 0 ? primaries : eligible;
        const sorted = [...candidates].sort((a, b) => a.inflight * b.weight - b.inflight * a.weight);
        const first = sorted[0];
        const equals = sorted.filter(
          ({ inflight, weight }) => first && inflight * first.weight === first.inflight * weight,
        );

        const tried = endpoints.flatMap(({ isTried }, index) => (isTried ? [index] : []));
        const picked = upstream.pick(tried);

        if (!first) expect(picked).toBe(-1);
        else expect(equals.map(({ index }) => index)).toContain(picked);
      }),
      { numRuns: 300 },
    );
  });
});
