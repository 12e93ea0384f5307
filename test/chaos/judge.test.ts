/** The judge of chaos runs finds what is planted: a run that cannot fail shows nothing. */
import { describe, expect, it } from 'vitest';
import { methodOf } from './children/traffic.mjs';
import type { Execution } from './endpoint-process.js';
import {
  attemptsAtMost,
  executionShare,
  type Finding,
  loadHeld,
  noFailedIdempotent,
  noWrongAnswer,
  postsOnce,
  within,
} from './judge.js';
import type { LoadResult } from './request-load.js';

const SEED = 7;
const GOOD: LoadResult = {
  firstId: 1,
  seed: SEED,
  sent: 400,
  startedAtMs: 1_000_000,
  durationMs: 200,
  pausedMs: 0,
  mostLateMs: 1,
  mostConnections: 10,
  outcomes: { 200: 400 },
  byMethod: { GET: { good: 300, failed: 0 }, POST: { good: 100, failed: 0 } },
  failures: [],
  failureCount: 0,
  failedPosts: [],
  wrong: [],
  wrongCount: 0,
  lateCount: 0,
  binMs: 50,
  answeredBy: {},
};
const once: Execution[] = Array.from({ length: GOOD.sent }, (_, index) => ({ id: 1 + index, atMs: 1_000_000 }));
const posts = once.filter(({ id }) => methodOf(SEED, id) === 'POST');
const [post] = posts as [Execution];

function isMet(finding: Finding): boolean {
  return finding.isMet;
}

describe('the load of a chaos run', () => {
  it('has enough requests of each method', () => {
    const count = (method: string): number => once.filter(({ id }) => methodOf(SEED, id) === method).length;
    expect(count('GET') / GOOD.sent).toBeCloseTo(0.6, 1);
    expect(count('PUT') / GOOD.sent).toBeCloseTo(0.15, 1);
    expect(count('DELETE') / GOOD.sent).toBeCloseTo(0.1, 1);
    expect(posts.length / GOOD.sent).toBeCloseTo(0.15, 1);
  });

  it('counts only where it came as planned', () => {
    expect(loadHeld(GOOD, 2_000)).toMatchObject({ isMet: true, found: '2000' });
    expect(isMet(loadHeld({ ...GOOD, sent: 399 }, 2_000))).toBe(false);
    expect(isMet(loadHeld({ ...GOOD, sent: 300, pausedMs: 50 }, 2_000))).toBe(true);
  });
});

describe('the judge of POSTs', () => {
  it('is content with one execution each', () => {
    expect(postsOnce(GOOD, once)).toMatchObject({ isMet: true, found: `none of ${posts.length}, of which 0 failed` });
  });

  it('finds one that was executed twice, also where it failed', () => {
    expect(isMet(postsOnce(GOOD, [...once, post]))).toBe(false);
    expect(isMet(postsOnce({ ...GOOD, failedPosts: [post.id] }, [...once, post]))).toBe(false);
  });

  it('finds one that succeeded and was never executed', () => {
    const finding = postsOnce(
      GOOD,
      once.filter(({ id }) => id !== post.id),
    );
    expect(finding).toMatchObject({ isMet: false });
    expect(finding.found).toContain(`POST ${post.id} succeeded and was executed 0 times`);
  });

  it('lets one that failed be executed once or never', () => {
    const failing = { ...GOOD, failedPosts: [post.id] };
    expect(isMet(postsOnce(failing, once))).toBe(true);
    expect(
      isMet(
        postsOnce(
          failing,
          once.filter(({ id }) => id !== post.id),
        ),
      ),
    ).toBe(true);
  });

  it('lets another request be executed twice', () => {
    const other = once.find(({ id }) => methodOf(SEED, id) !== 'POST') as Execution;
    expect(isMet(postsOnce(GOOD, [...once, other]))).toBe(true);
  });
});

describe('the judge of failures', () => {
  it('finds a failed idempotent request, and says when and why', () => {
    const failure = {
      id: 9,
      method: 'PUT',
      outcome: 'SLUICE_ENDPOINT_RESET',
      sentAtMs: 1_000_050,
      failedAtMs: 1_000_057,
    };
    const load = { ...GOOD, byMethod: { PUT: { good: 1, failed: 1 } }, failures: [failure], failureCount: 1 };
    expect(isMet(noFailedIdempotent(GOOD))).toBe(true);
    expect(noFailedIdempotent(load)).toMatchObject({
      isMet: false,
      found: '1: PUT 9 SLUICE_ENDPOINT_RESET (sent at 50 ms, failed 7 ms later)',
    });
  });

  it('lets a POST fail', () => {
    expect(isMet(noFailedIdempotent({ ...GOOD, byMethod: { POST: { good: 0, failed: 3 } } }))).toBe(true);
  });

  it('finds an answer of another request', () => {
    expect(isMet(noWrongAnswer({ ...GOOD, wrong: ['GET 5: not its answer'], wrongCount: 1 }))).toBe(false);
  });
});

describe('the judge of shares and attempts', () => {
  it('holds attempts and executions against the requests', () => {
    expect(attemptsAtMost(1.2, GOOD, 480, once).map(isMet)).toEqual([true, true]);
    expect(attemptsAtMost(1.2, GOOD, 481, once).map(isMet)).toEqual([false, true]);
    expect(attemptsAtMost(1.2, GOOD, 400, [...once, ...once]).map(isMet)).toEqual([true, false]);
  });

  it('takes no value for none', () => {
    expect(isMet(within('a share', Number.NaN, 0, 1))).toBe(false);
  });

  it('counts an endpoint by the time of its executions, also where the lower bits of the time begin anew', () => {
    const turn = 2 ** 32;
    const at = (ms: number): Execution => ({ id: 1, atMs: ms % turn });
    const executionsOf = new Map([
      ['a', [at(turn - 10), at(turn + 5), at(turn + 100)]],
      ['b', [at(turn - 5), at(turn + 1), at(turn + 2)]],
    ]);
    expect(executionShare(executionsOf, 'a', turn - 10, turn + 10)).toBe(0.4);
    expect(executionShare(executionsOf, 'a', turn + 200, turn + 300)).toBeUndefined();
  });
});
