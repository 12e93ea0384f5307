/** The page's smaller decisions: the explain form, the timeline's filters, reports of reloads, the stream's words, heat. */
import { describe, expect, it } from 'vitest';
import type { TimelineEntry } from '../../../src/observability/live-figures.js';
import { readExplainForm } from '../../../web/explain-request.js';
import { HEAT_ROWS, HEAT_STEPS, heatColours, heatRowText, heatStep } from '../../../web/heat-scale.js';
import { reloadReport } from '../../../web/reload-report.js';
import { pauseMs, streamStatus } from '../../../web/stream-status.js';
import { badFileSince, chosen, MOST_ENTRIES, merged } from '../../../web/timeline-entries.js';

describe('readExplainForm', () => {
  const form = { method: 'GET', url: '/a?b=1', headers: '', client: '', listener: '' };

  it.each([
    ['/a?b=1#c', '', '/a?b=1'],
    ['http://example.com:81/a?b', 'example.com:81', '/a?b'],
    ['https://example.com', 'example.com', '/'],
    ['example.com/a', 'example.com', '/a'],
  ])('reads %s', (url, host, target) => {
    expect(readExplainForm({ ...form, url })).toMatchObject({
      ok: true,
      request: { host, target, listener: null, client: null },
    });
  });

  it('reads headers, and a host among them counts', () => {
    const read = readExplainForm({ ...form, headers: 'Host: b.example\nCookie: a=1: 2\n\n' });
    expect(read).toMatchObject({ request: { host: 'b.example', headers: { host: 'b.example', cookie: 'a=1: 2' } } });
  });

  it.each([
    ['url', { url: 'not a url' }],
    ['url', { url: '' }],
    ['url', { url: 'ftp://a/b' }],
    ['method', { method: 'GET /' }],
    ['headers', { headers: 'no colon' }],
  ])('says that %s is wrong', (field, more) => {
    expect(readExplainForm({ ...form, ...more })).toMatchObject({ ok: false, field });
  });
});

describe('the timeline', () => {
  const entry = (id: number, more: Partial<TimelineEntry> = {}): TimelineEntry => ({
    id,
    at: id,
    level: 'info',
    event: 'ready',
    text: `entry ${id}`,
    code: null,
    upstream: null,
    endpoint: null,
    count: 1,
    ...more,
  });

  it('has each entry once, in order, the newer word counting', () => {
    const known = merged([entry(1), entry(3)], [entry(2), entry(3, { count: 5 })]);
    expect(known.map(({ id, count }) => [id, count])).toEqual([
      [1, 1],
      [2, 1],
      [3, 5],
    ]);
  });

  it('keeps the latest', () => {
    const all = merged(
      [],
      Array.from({ length: MOST_ENTRIES + 5 }, (_, id) => entry(id)),
    );
    expect([all.length, all[0]?.id]).toEqual([MOST_ENTRIES, 5]);
  });

  it('is chosen from by level and text, newest first', () => {
    const entries = [
      entry(1, { level: 'error', endpoint: '10.0.0.3:1' }),
      entry(2),
      entry(3, { level: 'warn' }),
      entry(4, { level: 'fatal' }),
    ];
    expect(chosen(entries, 'warn', '').map(({ id }) => id)).toEqual([4, 3, 1]);
    expect(chosen(entries, 'info', ' 10.0.0.3 ').map(({ id }) => id)).toEqual([1]);
  });
});

describe('badFileSince', () => {
  const went = (...events: TimelineEntry['event'][]): TimelineEntry[] =>
    events.map((event, index) => ({
      id: index,
      at: index,
      level: 'info',
      event,
      text: '',
      code: null,
      upstream: null,
      endpoint: null,
      count: 1,
    }));

  it.each([
    [null, []],
    [null, ['ready', 'reloaded']],
    [1, ['reloaded', 'reload-failed', 'ready', 'reload-failed']],
    [null, ['reload-failed', 'reload-unchanged', 'ready']],
    [0, ['reload-failed']],
  ] as const)('is %s after %j', (since, events) => {
    expect(badFileSince(went(...events))).toBe(since);
  });
});

describe('reloadReport', () => {
  const none = { added: 0, changed: 0, removed: 0 };
  const answer = {
    isUnchanged: false,
    epoch: 4,
    listeners: none,
    upstreams: none,
    endpoints: none,
    needsRestart: [],
    warnings: [],
  };

  it('counts what is other', () => {
    const { sentence } = reloadReport({
      ...answer,
      upstreams: { ...none, removed: 1 },
      endpoints: { ...none, added: 2, changed: 1 },
    });
    expect(sentence).toBe(
      'The configuration is read, and plan 4 counts: 1 upstream gone, 2 endpoints new and 1 endpoint changed.',
    );
  });

  it('says where nothing is other, and what waits for a start', () => {
    expect(reloadReport({ ...answer, isUnchanged: true }).sentence).toContain('nothing has changed');
    expect(reloadReport({ ...answer, needsRestart: ['workers'] }).notes).toEqual([
      'workers takes effect with the next start only',
    ]);
  });
});

describe('streamStatus', () => {
  it.each([
    ['connecting', { kind: 'connecting' }, true],
    ['silent', { kind: 'silent', since: 0 }, true],
    ['lost', { kind: 'lost', since: 0, retryAt: 5_000, reason: '' }, true],
    ['unauthorized', { kind: 'unauthorized' }, true],
    ['live', { kind: 'live' }, false],
  ] as const)('calls figures of a stream that is %s stale or not', (_, state, isStale) => {
    expect(streamStatus(state, null, 0).isStale).toBe(isStale);
    expect(streamStatus(state, 1_000, 0).text).not.toBe('Live');
  });

  it('counts down to the next try', () => {
    const text = streamStatus({ kind: 'lost', since: 0, retryAt: 5_000, reason: '' }, null, 2_000).text;
    expect(text).toMatch(/^Disconnected since [\d:]+, next try in 3 s$/);
  });
});

describe('pauseMs', () => {
  it('doubles up to ten seconds', () => {
    expect([1, 2, 3, 5, 6, 2_000].map(pauseMs)).toEqual([500, 1_000, 2_000, 8_000, 10_000, 10_000]);
  });
});

describe('heat', () => {
  it('has a colour of its own for each step, darker to lighter or the other way round', () => {
    for (const isDark of [false, true]) {
      const light = heatColours(isDark).map((colour) => {
        const [red = 0, green = 0, blue = 0] = colour.match(/\d+/g)?.map(Number) ?? [];
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      });
      expect(light).toHaveLength(HEAT_STEPS);
      expect([...light].sort((a, b) => (isDark ? a - b : b - a))).toEqual(light);
    }
  });

  it('goes from one answer to the most', () => {
    expect([heatStep(1, 1_000), heatStep(1_000, 1_000), heatStep(5, 1)]).toEqual([0, HEAT_STEPS - 1, HEAT_STEPS - 1]);
    expect(heatStep(32, 1_000)).toBeCloseTo(HEAT_STEPS / 2, -1);
  });

  it('names its rows', () => {
    expect([heatRowText(0), heatRowText(1), heatRowText(HEAT_ROWS - 1)]).toEqual(['≤ 1 ms', '1 ms – 2 ms', '> 5 s']);
  });
});
