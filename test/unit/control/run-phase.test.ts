/** The phases of the process. */
import { describe, expect, it } from 'vitest';
import { nextPhase, type RunEvent, type RunPhase } from '../../../src/control/run-phase.js';

function run(events: readonly RunEvent[]): { phase: RunPhase; effects: string[] } {
  let phase: RunPhase = { kind: 'starting' };
  const effects: string[] = [];
  for (const event of events) {
    const next = nextPhase(phase, event);
    phase = next.phase;
    effects.push(...next.effects);
  }
  return { phase, effects };
}

const SIGTERM: RunEvent = { kind: 'signal', signal: 'SIGTERM' };
const SIGINT: RunEvent = { kind: 'signal', signal: 'SIGINT' };

describe('run phase', () => {
  it('becomes ready when all workers accept', () => {
    expect(run([{ kind: 'all-accept' }])).toEqual({ phase: { kind: 'ready' }, effects: ['announce-ready'] });
  });

  it.each([[SIGTERM], [SIGINT]])('drains and exits 0 on %o', (signal) => {
    const { phase, effects } = run([{ kind: 'all-accept' }, signal, { kind: 'all-ended' }]);
    expect(effects).toEqual(['announce-ready', 'drain', 'end']);
    expect(phase).toEqual({ kind: 'over', exitCode: 0 });
  });

  it('drains when the signal comes during the start', () => {
    expect(run([SIGTERM, { kind: 'all-accept' }, { kind: 'all-ended' }])).toEqual({
      phase: { kind: 'over', exitCode: 0 },
      effects: ['drain', 'end'],
    });
  });

  it('exits 0 at the timeout, but says what was cut', () => {
    expect(run([{ kind: 'all-accept' }, SIGTERM, { kind: 'timeout' }])).toEqual({
      phase: { kind: 'over', exitCode: 0 },
      effects: ['announce-ready', 'drain', 'warn-cut', 'end'],
    });
  });

  it.each([
    ['SIGINT', SIGINT, 130],
    ['SIGTERM', SIGTERM, 143],
  ])('exits at once on a second signal (%s)', (_name, signal, exitCode) => {
    expect(run([{ kind: 'all-accept' }, SIGTERM, signal]).phase).toEqual({ kind: 'over', exitCode });
  });

  it('takes the exit code of a failure, and nothing changes it afterwards', () => {
    expect(run([{ kind: 'failed', exitCode: 2 }, SIGTERM, { kind: 'all-ended' }])).toEqual({
      phase: { kind: 'over', exitCode: 2 },
      effects: ['end'],
    });
  });
});
