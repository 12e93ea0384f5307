/** The judge of active health checks. */
import { describe, expect, it } from 'vitest';
import { firstJudgement, type Judgement, judge } from '../../../../src/control/health/judge.js';

const settings = { healthyAfter: 2, unhealthyAfter: 3 };

const HEALTHY = firstJudgement({ initial: 'healthy' });

/** '+' a probe that succeeded, '-' one that failed. @returns 'h' or 'u' after each */
function verdicts(probes: string, initial: Judgement = HEALTHY): string {
  let judgement = initial;
  return [...probes]
    .map((probe) => {
      judgement = judge(judgement, probe === '+', settings);
      return judgement.verdict[0];
    })
    .join('');
}

describe('judge', () => {
  it('calls an endpoint unhealthy after as many failures in a row as the settings say', () => {
    expect(verdicts('---')).toBe('hhu');
  });

  it('forgets failures after one success', () => {
    expect(verdicts('--+--+---')).toBe('hhhhhhhhu');
  });

  it('calls it healthy again after enough successes in a row', () => {
    expect(verdicts('---+-++')).toBe('hhuuuuh');
  });

  it.each([
    ['+--', 'hhh'],
    ['-+++', 'uuhh'],
  ])('lets the first probe decide alone where nothing is known: %s', (probes, seen) => {
    expect(verdicts(probes, firstJudgement({ initial: 'unknown' }))).toBe(seen);
  });

  it('changes with every probe when both settings are one', () => {
    const once = { healthyAfter: 1, unhealthyAfter: 1 };
    const unhealthy = judge(HEALTHY, false, once);
    expect([unhealthy.verdict, judge(unhealthy, true, once).verdict]).toEqual(['unhealthy', 'healthy']);
  });
});
