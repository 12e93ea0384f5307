/** What breakers and trials do to picks: who is left out, until when, who gets probes only, and what an explanation says of it. */
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT, NO_KEY } from '../../../src/balancing/balancer.js';
import { explanationText } from '../../../src/balancing/explanation-text.js';
import { endpointWatchFor } from '../../../src/policies/endpoint-watch.js';
import { BREAKER, failing, OUTLIER, WatchedUpstream } from './watched-upstream.js';

const ALL_GOOD = failing('');
const IN_ROW = { ...BREAKER, failuresInRow: 2 };

function explained(upstream: WatchedUpstream): string {
  const attempting = {
    id: 4_095,
    subset: -1,
    key: NO_KEY,
    preferred: NO_ENDPOINT,
    endpoint: -1,
    attempts: 0,
    tried: null,
  };
  return explanationText(upstream.runtime(0).explain(attempting, upstream.now), NO_ENDPOINT, 1);
}

describe('a breaker of endpoints', () => {
  it('sends nothing while open, in any worker, then probes, then everything', () => {
    const upstream = new WatchedUpstream([{}, {}], { breaker: IN_ROW });
    upstream.serve(4, failing('b'));
    expect(upstream.told()).toEqual(['b opened failures-in-row 1000']);
    expect(upstream.serve(6, ALL_GOOD)).toBe('aaaaaa');

    upstream.after(1_000);
    const probe = upstream.begin(1)!;
    expect(WatchedUpstream.at(probe)).toBe('b');
    expect(upstream.serve(4, ALL_GOOD)).toBe('aaaa');
    upstream.end(probe, 200);

    expect(upstream.told()).toEqual(['b half-open', 'b closed']);
    expect(upstream.serve(4, ALL_GOOD)).toContain('b');
  });

  it('refuses everything when it is open for all, in panic as well, and says why', () => {
    const upstream = new WatchedUpstream([{}, {}], { breaker: IN_ROW }, { panicShare: 1 });
    upstream.serve(4, failing('ab'));

    expect(upstream.begin()).toBeNull();
    const attempting = {
      id: 9,
      subset: -1,
      key: NO_KEY,
      preferred: NO_ENDPOINT,
      endpoint: -1,
      attempts: 0,
      tried: null,
    };
    expect(upstream.runtime(0).whyNone(attempting, upstream.now)).toBe('SLUICE_BREAKER_OPEN');
    expect(explained(upstream)).toMatch(/127\.0\.0\.1:9000 out=breaker-open .*127\.0\.0\.1:9001 out=breaker-open/);
  });

  it('lets the client of a half-open endpoint be its probe', () => {
    const upstream = new WatchedUpstream([{}, {}], { breaker: IN_ROW });
    upstream.serve(4, failing('b'));
    upstream.after(1_000);

    expect(WatchedUpstream.at(upstream.begin(0, 1)!)).toBe('b');
    expect(WatchedUpstream.at(upstream.begin(0, 1)!)).toBe('a');
    expect(explained(upstream)).toContain('127.0.0.1:9001 out=on-trial');
  });

  it('works beside detection: ejected first, then half-open, and back when both say so', () => {
    const upstream = new WatchedUpstream([{}, {}], {
      breaker: { ...IN_ROW, openMs: 3_000 },
      outlier: { ...OUTLIER, gatewayFailuresInRow: 2 },
    });
    upstream.serve(4, failing('b'));
    expect(upstream.told().sort()).toEqual([
      'b ejected gateway-failures-in-row 1000 1',
      'b opened failures-in-row 3000',
    ]);
    upstream.after(1_000);
    expect(upstream.serve(4, ALL_GOOD)).toBe('aaaa');
    upstream.after(2_000);

    expect(upstream.serve(1, ALL_GOOD)).toBe('b');

    expect(upstream.told().sort()).toEqual(['b closed', 'b half-open', 'b on-trial', 'b returned']);
    expect(upstream.health(1)).toMatchObject({ ejection: 'none', breaker: 'closed' });
  });
});

describe('an endpoint that is out', () => {
  it('gives its level’s load to the next, like an unhealthy one', () => {
    const upstream = new WatchedUpstream([{}, { level: 1 }, { level: 1 }], { outlier: OUTLIER });
    expect(upstream.serve(3, failing('a'))).toBe('aaa');
    expect(upstream.serve(4, ALL_GOOD)).toMatch(/^[bc]+$/);
  });

  it('is tried where its level is asked only: a backup stays on trial until it is needed', () => {
    const upstream = new WatchedUpstream([{}, { isBackup: true }], { outlier: { ...OUTLIER, ejectionMs: 100 } });
    const { control } = upstream.under.board;
    const { slot } = upstream.plan.endpoints[0]!;
    control.setHealthy(slot, false);
    upstream.serve(2, failing('b'));
    control.setHealthy(slot, true);
    // Begun before, failed now: the third in a row.
    const late = upstream.begin()!;
    upstream.end(late, 200);
    control.setHealthy(slot, false);
    upstream.serve(1, failing('b'));
    expect(upstream.told()).toEqual(['b suppressed gateway-failures-in-row']);
  });

  it('says in an explanation that it is ejected', () => {
    const upstream = new WatchedUpstream([{}, {}], { outlier: OUTLIER });
    upstream.serve(6, failing('b'));
    expect(explained(upstream)).toContain('127.0.0.1:9001 out=ejected');
  });

  it('is not probed while a check says that it is unhealthy', () => {
    const upstream = new WatchedUpstream([{}, {}, {}], { outlier: OUTLIER });
    upstream.serve(9, failing('b'));
    upstream.under.board.control.setHealthy(upstream.plan.endpoints[1]!.slot, false);
    upstream.after(1_000);
    expect(upstream.serve(4, ALL_GOOD)).not.toContain('b');
  });
});

describe('an upstream without detection, breaker and adaptive caps', () => {
  it('is not watched', () => {
    const upstream = new WatchedUpstream([{}], {});
    expect(endpointWatchFor(upstream.plan, upstream.workers[0]!, upstream.eventsOf())).toBeNull();
  });
});
