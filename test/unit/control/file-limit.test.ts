/** The warning about a low limit of open files. */
import { describe, expect, it } from 'vitest';
import { fileLimitWarning, filesNeeded, maxSessionsOf } from '../../../src/control/file-limit.js';
import { endpointPlan, plan, sessionListenerPlan, upstreamPlan } from './plans.js';

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

  it('needs two descriptors for each session, and no connection pools', () => {
    const exchanges = filesNeeded(plan({ workers: 1 }));
    const sessions = filesNeeded(plan({ workers: 1, listeners: [sessionListenerPlan('db')] }));
    expect(sessions - exchanges).toBe(512 - 64);
  });
});

describe('maxSessionsOf', () => {
  it.each([
    [20_000, 2, 9_440],
    [1_024, 1, 440],
    [200, 2, 44],
    [64, 4, 1],
    [1_048_576, 2, 131_072],
  ])('of %i descriptors and %i workers are %i', (softLimit, workers, most) => {
    expect(maxSessionsOf({ workers }, softLimit)).toBe(most);
  });
});
