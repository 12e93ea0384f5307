/** What is said before an endpoint is changed, and what is sent then. */
import { describe, expect, it } from 'vitest';
import { prospectOf, wishesFor } from '../../../web/steering.js';
import { liveEndpoint, liveUpstream } from './live-endpoint.js';

const busy = liveEndpoint({ inFlight: 12 });
const other = liveEndpoint({ address: '10.0.0.2:9001' });
const pair = liveUpstream([busy, other]);

describe('prospectOf a drain', () => {
  it('says how much is in flight and what is cut', () => {
    const { body, consequences, warning } = prospectOf({ kind: 'drain', timeout: '30s' }, busy, pair);
    expect(body).toEqual({ state: 'draining', drainTimeout: '30s' });
    expect(consequences.join(' ')).toContain('12 requests and sessions in flight on it may finish.');
    expect(consequences.join(' ')).toContain('What is still in flight after 30s is cut.');
    expect(warning).toBeNull();
  });

  it('waits for ever without a time', () => {
    expect(prospectOf({ kind: 'drain', timeout: ' ' }, busy, pair).body).toEqual({
      state: 'draining',
      drainTimeout: null,
    });
  });

  it.each(['30', 'soon', '1d', '-5s'])('cannot be sent with %s', (timeout) => {
    const { body, problem } = prospectOf({ kind: 'drain', timeout }, busy, pair);
    expect(body).toBeNull();
    expect(problem).toContain('30s');
  });

  it('warns of the last endpoint that takes work', () => {
    const upstream = liveUpstream([busy, { ...other, condition: 'unhealthy' }]);
    expect(prospectOf({ kind: 'drain', timeout: '' }, busy, upstream).warning).toContain('last endpoint of api');
  });

  it('warns where only backups are left', () => {
    const upstream = liveUpstream([busy, { ...other, backup: true }]);
    expect(prospectOf({ kind: 'disable' }, busy, upstream).warning).toContain('Only 1 backup of api');
  });

  it('does not warn of an endpoint that takes no work anyway', () => {
    const ejected = liveEndpoint({ condition: 'ejected' });
    expect(prospectOf({ kind: 'disable' }, ejected, liveUpstream([ejected])).warning).toBeNull();
  });
});

describe('prospectOf a weight', () => {
  it('says which share comes of it', () => {
    const { body, consequences } = prospectOf({ kind: 'weight', weight: '3' }, busy, pair);
    expect(body).toEqual({ weight: 3 });
    expect(consequences).toContain('By the weights it should then have 75 % of the traffic.');
  });

  it('warns of weight 0 at the last one', () => {
    expect(prospectOf({ kind: 'weight', weight: '0' }, busy, liveUpstream([busy])).warning).toContain('last endpoint');
  });

  it.each(['', '1.5', '-1', '65536', '1e3', 'much'])('cannot be sent as "%s"', (weight) => {
    expect(prospectOf({ kind: 'weight', weight }, busy, pair)).toMatchObject({ body: null, consequences: [] });
  });
});

describe('wishesFor', () => {
  it.each([
    ['enabled', 'drain'],
    ['draining', 'enable'],
    ['drained', 'enable'],
    ['disabled', 'enable'],
  ] as const)('offers an endpoint that is %s to %s first', (state, first) => {
    const wishes = wishesFor(liveEndpoint({ state }));
    expect(wishes[0]).toBe(first);
    expect(new Set(wishes).size).toBe(wishes.length);
  });
});
