/** The warning about a low limit of open files. */
import { describe, expect, it } from 'vitest';
import { fileLimitWarning, filesNeeded, openLimitsOf } from '../../../src/control/file-limit.js';
import { endpointPlan, listenerPlan, plan, sessionListenerPlan, upstreamPlan } from './plans.js';

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

describe('openLimitsOf', () => {
  const l4 = sessionListenerPlan('db');
  const native = listenerPlan('web', '127.0.0.1', 0, { frontend: 'native' });
  const uws = listenerPlan('old', '127.0.0.1', 0, { frontend: 'uws' });

  it.each([
    [20_000, 2, 9_440],
    [1_024, 1, 440],
    [200, 2, 44],
    [64, 4, 1],
    [1_048_576, 2, 131_072],
  ])('lets sessions have two of %i descriptors each, with %i workers: %i', (softLimit, workers, most) => {
    expect(openLimitsOf({ workers, listeners: [l4] }, softLimit).sessions).toBe(most);
  });

  it.each([
    [20_000, 2, 14_160],
    [1_024, 1, 660],
    [64, 4, 1],
    [1_048_576, 2, 131_072],
  ])('leaves a quarter of %i descriptors to upstream connections, with %i workers: %i', (softLimit, workers, most) => {
    expect(openLimitsOf({ workers, listeners: [native] }, softLimit).connections).toBe(most);
  });

  it('gives half to each where both accept, and takes nothing away for uWebSockets.js', () => {
    expect(openLimitsOf({ workers: 2, listeners: [native, l4] }, 20_000)).toEqual({
      sessions: 4_720,
      connections: 7_080,
    });
    expect(openLimitsOf({ workers: 2, listeners: [uws, l4] }, 20_000).sessions).toBe(9_440);
  });
});
