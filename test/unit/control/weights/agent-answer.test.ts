/** The words of an agent. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAgentAnswer } from '../../../../src/control/weights/agent-answer.js';

const NOTHING = { share: null, cap: null, admission: null, isDown: null };

describe('an agent’s answer', () => {
  it.each([
    ['75%', { share: 0.75 }],
    ['0%', { share: 0 }],
    ['200%', { share: 2 }],
    ['maxconn:30', { cap: 30 }],
    ['ready', { admission: 'ready' }],
    ['drain', { admission: 'drain' }],
    ['maint', { admission: 'maint' }],
    ['up', { isDown: false }],
    ['down', { isDown: true }],
    ['failed # disk full, 100% sure', { isDown: true }],
    ['stopped', { isDown: true }],
    ['up ready 50% maxconn:10', { isDown: false, admission: 'ready', share: 0.5, cap: 10 }],
    [' UP,\t75%,Ready ', { isDown: false, share: 0.75, admission: 'ready' }],
    ['down up', { isDown: false }],
  ])('%j is understood', (line, said) => {
    expect(readAgentAnswer(line)).toEqual({ ok: true, answer: { ...NOTHING, ...said } });
  });

  it.each([
    ['', /nothing/],
    ['# up', /nothing/],
    ['HTTP/1.1 200 OK', /"HTTP\/1\.1"/],
    ['up 75', /"75"/],
    ['-5%', /"-5%"/],
    ['7.5%', /"7\.5%"/],
    ['2001%', /"2001%"/],
    ['maxconn:', /"maxconn:"/],
    ['maxconn:2147483648', /maxconn:2147483648/],
    ['up\u0000', /up/],
  ])('%j is refused, with its first wrong word', (line, reason) => {
    expect(readAgentAnswer(line)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('never gives a share or a cap out of range', () => {
    const word = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,6}%$/), fc.stringMatching(/^maxconn:\d{1,12}$/));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const reading = readAgentAnswer(words.join(' '));
        if (!reading.ok) return;
        const { share, cap } = reading.answer;
        expect(share === null || (share >= 0 && share <= 20)).toBe(true);
        expect(cap === null || (Number.isInteger(cap) && cap >= 0 && cap < 2 ** 31)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
