/** Front ends whose listener has gone: closed when nothing is open there, WebSockets ended when their time is over. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeavingFrontEnds } from '../../../../../src/l7/frontends/uws/leaving-front-ends.js';
import type { UwsFrontEnd } from '../../../../../src/l7/frontends/uws/uws-front-end.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function underTest() {
  const calls: string[] = [];
  const figures = { writers: 0 };
  const leaving = new LeavingFrontEnds(() => figures.writers);
  const frontEnd = (name: string, openExchanges: number) => {
    const state = {
      openExchanges,
      leave: () => void calls.push(`${name} leaves`),
      endWebSockets: () => void calls.push(`${name} ends WebSockets`),
      close: () => void calls.push(`${name} closes`),
    };
    leaving.add(state as unknown as UwsFrontEnd, 1_000);
    return state;
  };
  return { calls, figures, leaving, frontEnd };
}

describe('front ends that leave', () => {
  it('are closed as soon as nothing is open there', () => {
    const { calls, leaving, frontEnd } = underTest();
    const web = frontEnd('web', 2);
    vi.advanceTimersByTime(500);
    expect(calls).toEqual(['web leaves']);
    expect(leaving.all).toEqual([web]);
    web.openExchanges = 0;
    vi.advanceTimersByTime(100);
    expect(calls).toEqual(['web leaves', 'web closes']);
    expect([leaving.all, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it('wait for what the library has not sent, as long as their time lasts', () => {
    const { calls, figures, frontEnd } = underTest();
    figures.writers = 1;
    frontEnd('web', 0);
    vi.advanceTimersByTime(900);
    expect(calls).toEqual(['web leaves']);
    vi.advanceTimersByTime(100);
    expect(calls.at(-1)).toBe('web closes');
  });

  it('have their WebSockets ended once when their time is over, and answers in flight finished', () => {
    const { calls, frontEnd } = underTest();
    const web = frontEnd('web', 2);
    vi.advanceTimersByTime(3_000);
    expect(calls).toEqual(['web leaves', 'web ends WebSockets']);
    web.openExchanges = 0;
    vi.advanceTimersByTime(100);
    expect(calls.at(-1)).toBe('web closes');
  });

  it('are closed at once with the worker', () => {
    const { calls, leaving, frontEnd } = underTest();
    frontEnd('web', 2);
    frontEnd('api', 1);
    leaving.close();
    leaving.close();
    expect(calls.slice(2)).toEqual(['web closes', 'api closes']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
