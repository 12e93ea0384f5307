/** The warning about a low limit of open files. */
import { describe, expect, it } from 'vitest';
import { fileLimitWarning, filesNeeded } from '../../../src/control/file-limit.js';
import { endpointPlan, plan, upstreamPlan } from './plans.js';

describe('file limit', () => {
  it('grows with workers and with endpoints', () => {
    const one = filesNeeded(plan({ workers: 1 }));
    expect(filesNeeded(plan({ workers: 2 }))).toBeGreaterThan(one);
    const two = plan({
      workers: 1,
      upstreams: [upstreamPlan([endpointPlan('127.0.0.1', 1, 0), endpointPlan('127.0.0.1', 2, 1)])],
    });
    expect(filesNeeded(two) - one).toBe(64);
  });

  it('is silent when the limit is enough, and names both numbers when it is not', () => {
    const needed = filesNeeded(plan());
    expect(fileLimitWarning(plan(), { soft: needed, hard: needed })).toBeUndefined();
    expect(fileLimitWarning(plan(), { soft: 256, hard: 256 })).toContain(
      `is 256, but this configuration may need ${needed}`,
    );
  });
});
