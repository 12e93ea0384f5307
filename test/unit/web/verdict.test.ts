/** Whether all is well. */
import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../../web/verdict.js';
import { FigureGenerator } from '../../harness/generated-figures.js';
import { liveEndpoint, liveUpstream } from './live-endpoint.js';

const calm = new FigureGenerator('calm', 0).at(1_000);
const withUpstream = (...upstreams: Parameters<typeof liveUpstream>) => ({
  ...calm,
  upstreams: [liveUpstream(...upstreams)],
});

describe('verdictOf', () => {
  it('finds nothing where nothing is', () => {
    expect(verdictOf(calm)).toMatchObject({
      tone: 'good',
      troubles: [],
      detail: '8 of 8 endpoints in 2 upstreams take work',
    });
  });

  it('takes an empty configuration for well', () => {
    expect(verdictOf(new FigureGenerator('empty', 0).at(1_000)).tone).toBe('good');
  });

  it('says that the file cannot be used, while all goes on', () => {
    const { tone, troubles } = verdictOf(calm, 0);
    expect(tone).toBe('warn');
    expect(troubles[0]?.text).toMatch(/^goes by an older configuration: since [\d:]+ the file cannot be used/);
  });

  it('names an endpoint that is out, worst first', () => {
    const { tone, troubles } = verdictOf(
      withUpstream([
        liveEndpoint(),
        liveEndpoint({ condition: 'on-trial', address: 'a:1' }),
        liveEndpoint({ condition: 'ejected', address: 'b:1' }),
      ]),
    );
    expect(tone).toBe('bad');
    expect(troubles.map(({ endpoint }) => endpoint)).toEqual(['b:1', 'a:1']);
  });

  it('names what is wrong with upstreams before their endpoints', () => {
    const { troubles } = verdictOf(new FigureGenerator('down', 0).at(1_000));
    expect(troubles.slice(0, 3).map(({ upstream, endpoint }) => [upstream, endpoint])).toEqual([
      ['api', null],
      ['pages', null],
      ['api', '10.0.0.1:9001'],
    ]);
  });

  it('does not complain of what the operator wished', () => {
    const figures = withUpstream([
      liveEndpoint(),
      liveEndpoint({ condition: 'draining' }),
      liveEndpoint({ condition: 'disabled' }),
    ]);
    expect(verdictOf(figures).tone).toBe('good');
  });

  it('sees an upstream of which nobody takes work, even where all was the operator’s wish', () => {
    const { tone, troubles } = verdictOf(withUpstream([liveEndpoint({ condition: 'drained' })]));
    expect(tone).toBe('bad');
    expect(troubles[0]?.text).toBe('has no endpoint that takes work');
  });

  it.each([
    [{ ...calm, readiness: 'degraded' as const }, 'bad'],
    [{ ...calm, readiness: 'starting' as const }, 'warn'],
    [{ ...calm, readiness: 'draining' as const }, 'warn'],
    [{ ...calm, totals: { ...calm.totals, errorShare: 0.02 } }, 'warn'],
    [{ ...calm, totals: { ...calm.totals, errorShare: 0.2 } }, 'bad'],
    [withUpstream([liveEndpoint()], { panicking: true }), 'bad'],
    [withUpstream([liveEndpoint()], { waiting: 90, queueLength: 100 }), 'warn'],
    [withUpstream([liveEndpoint({ poolUse: 0.9, cap: 10, inFlight: 9 })]), 'warn'],
  ])('judges case %#', (figures, tone) => {
    const verdict = verdictOf(figures);
    expect(verdict.tone).toBe(tone);
    expect(verdict.troubles).toHaveLength(1);
  });
});
