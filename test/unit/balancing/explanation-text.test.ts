/** The text of an explanation: one line of printable ASCII with what matters first, never too long. */
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT, NO_KEY } from '../../../src/balancing/balancer.js';
import type { PickExplanation } from '../../../src/balancing/explain.js';
import { explanationText, MOST_EXPLANATION_BYTES, withAttempt } from '../../../src/balancing/explanation-text.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import { keyOf } from './hashed-keys.js';
import { upstreamOf } from './upstream-under-test.js';

const explain = (upstream: ReturnType<typeof upstreamOf>, key = NO_KEY, preferred = NO_ENDPOINT): PickExplanation =>
  upstream.picker.explain(key, NONE_TRIED, preferred, 1);

describe('the text of an explanation', () => {
  it('tells of a plain pick where it went and why, then each endpoint', () => {
    const upstream = upstreamOf('least-conn', [{ weight: 2 }, { cap: 1 }, {}]);
    upstream.load(0, 1);
    upstream.load(1, 1);
    upstream.load(2, 3);
    expect(explanationText(explain(upstream), 0, 1)).toBe(
      'picked=127.0.0.1:9000 why=lowest-score attempt=1 upstream=api balance=least-conn; ' +
        '127.0.0.1:9000 score=0.5 in-flight=1 weight=2; ' +
        '127.0.0.1:9002 score=3 in-flight=3 weight=1; ' +
        '127.0.0.1:9001 out=full in-flight=1 cap=1 weight=1',
    );
  });

  it('tells loads of levels, panic, and who was not asked', () => {
    const upstream = upstreamOf('round-robin', [{}, {}, { level: 1 }, { isBackup: true }]);
    upstream.board.control.setHealthy(upstream.plan.endpoints[1]!.slot, false);
    expect(explanationText(explain(upstream), 2, 2)).toBe(
      'picked=127.0.0.1:9002 why=turn attempt=2 upstream=api balance=round-robin from=level-1 loads=70%,30%; ' +
        '127.0.0.1:9002 in-flight=0 weight=1; ' +
        '127.0.0.1:9000 out=other-level in-flight=0 weight=1; ' +
        '127.0.0.1:9001 out=unhealthy in-flight=0 weight=1; ' +
        '127.0.0.1:9003 out=backup-not-needed in-flight=0 weight=1',
    );
  });

  it('tells that backups were picked, and that health is ignored there', () => {
    const upstream = upstreamOf('round-robin', [{ cap: 1 }, { isBackup: true }], 2, { panicShare: 0.5 });
    upstream.load(0, 1);
    expect(explanationText(explain(upstream), 1, 1)).toMatch(/ from=backups; /);
    upstream.board.control.setHealthy(upstream.plan.endpoints[1]!.slot, false);
    upstream.board.control.setHealthy(upstream.plan.endpoints[0]!.slot, false);
    expect(explanationText(explain(upstream), 1, 1)).toMatch(/ panic=level-0,backups; /);
  });

  it('tells hash, affinity and labels of the subset where there are any', () => {
    const explanation = explain(upstreamOf('rendezvous', [{}, {}]), keyOf(1), 1);
    const text = explanationText({ ...explanation, subset: { zone: 'a', tier: 'x' } }, 1, 1);
    expect(text).toMatch(/^picked=127\.0\.0\.1:9001 why=affinity /);
    expect(text).toMatch(/ subset=zone:a,tier:x hash=[0-9a-f]{16} affinity=127\.0\.0\.1:9001; /);
  });

  it('tells bound and pause', () => {
    const upstream = upstreamOf('hash', [{}, {}], 2, { loadFactor: 1.25 });
    upstream.load(0, 5);
    upstream.board.load.pauseUntil(upstream.plan.endpoints[1]!.slot, 2_500, 1);
    upstream.board.upstreams.bumpControlEpoch(0);
    const text = explanationText(explain(upstream), 0, 1);
    expect(text).toContain('; 127.0.0.1:9001 out=paused in-flight=0 weight=1 pause=3s');
    expect(text).toContain('; 127.0.0.1:9000 in-flight=5 bound=8 weight=1; ');
  });

  it('tells that nobody was eligible, and of each why', () => {
    const upstream = upstreamOf('least-conn', [{ isResolved: false }]);
    expect(explanationText(explain(upstream), NO_ENDPOINT, 1)).toBe(
      'picked=none why=nobody-eligible attempt=1 upstream=api balance=least-conn; ' +
        '127.0.0.1:9000 out=unresolved in-flight=0 weight=1',
    );
  });

  it('writes names that are no plain words as a URI does', () => {
    const explanation = explain(upstreamOf('round-robin', [{}]));
    const endpoints = [{ ...explanation.endpoints[0]!, name: 'unix:/run/a b;c|d%=é\ud800\r\nx: y' }];
    const text = explanationText({ ...explanation, upstream: 'größe', endpoints }, 0, 1);
    expect(text).toContain('picked=unix:/run/a%20b%3Bc%7Cd%25%3D%C3%A9%EF%BF%BD%0D%0Ax:%20y why=');
    expect(text).toContain(' upstream=gr%C3%B6%C3%9Fe ');
    expect(text).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe('texts of several attempts', () => {
  it('stand one behind the other', () => {
    expect(withAttempt(withAttempt(null, 'one'), 'two')).toBe('one | two');
  });

  it('are cut where a large upstream has more to tell', () => {
    const upstream = upstreamOf(
      'round-robin',
      Array.from({ length: 300 }, () => ({})),
    );
    const text = withAttempt(null, explanationText(explain(upstream), 299, 1));
    expect(text).toHaveLength(MOST_EXPLANATION_BYTES);
    expect(text).toMatch(/^picked=127\.0\.0\.1:9299 .*\.\.\.$/);
  });

  it('leave the latest half of the room', () => {
    const long = (letter: string) => letter.repeat(MOST_EXPLANATION_BYTES);
    const text = withAttempt(withAttempt(withAttempt(null, long('a')), long('b')), long('c'));
    expect(text).toHaveLength(MOST_EXPLANATION_BYTES);
    expect(text.match(/c+/)![0].length).toBeGreaterThan(MOST_EXPLANATION_BYTES / 2 - 10);
    expect(withAttempt(withAttempt(null, long('a')), 'short')).toMatch(/^a+\.\.\. \| short$/);
  });
});
