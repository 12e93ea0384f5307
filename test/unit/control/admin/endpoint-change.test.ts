/** What a PUT to an endpoint may say. */
import { describe, expect, it } from 'vitest';
import { readEndpointChange } from '../../../../src/control/admin/endpoint-change.js';

describe('change of an endpoint', () => {
  it.each([
    ['{"state":"enabled"}', { state: 'enabled' }],
    ['{"state":"draining","drainTimeout":"30s","weight":0}', { state: 'draining', drainTimeoutMs: 30_000, weight: 0 }],
    ['{"drainTimeout":null}', { drainTimeoutMs: null }],
    ['{"weight":65535}', { weight: 65_535 }],
  ])('takes %s', (text, change) => expect(readEndpointChange(text)).toEqual({ ok: true, change }));

  const timeProblem = 'drainTimeout must be a duration from "1ms" to "24h", such as "30s", or null to wait for ever';
  it.each([
    ['', /^the body is not valid JSON/],
    ['{"state":', /^the body is not valid JSON/],
    ['[]', /^the body must be an object/],
    ['null', /^the body must be an object/],
    ['{}', /^the body asks for nothing/],
    ['{"state":"up"}', 'state must be "enabled", "draining" or "disabled"'],
    ['{"wieght":1}', '"wieght" is not known: did you mean "weight"?'],
    ['{"maxConns":1}', '"maxConns" is not known: the keys are state, weight, drainTimeout'],
    ['{"weight":-1}', 'weight must be a whole number from 0 to 65535'],
    ['{"weight":1.5}', 'weight must be a whole number from 0 to 65535'],
    ['{"weight":"3"}', 'weight must be a whole number from 0 to 65535'],
    ['{"weight":65536}', 'weight must be a whole number from 0 to 65535'],
    ['{"drainTimeout":"0s"}', timeProblem],
    ['{"drainTimeout":"25h"}', timeProblem],
    ['{"drainTimeout":30}', timeProblem],
    ['{"drainTimeout":"soon"}', timeProblem],
    ['{"state":"disabled","drainTimeout":"1s"}', 'drainTimeout needs "state": "draining", not "disabled"'],
  ])('refuses %s', (text, problem) => {
    const read = readEndpointChange(text);
    expect(read.ok ? [] : read.problems).toEqual([
      typeof problem === 'string' ? problem : expect.stringMatching(problem),
    ]);
  });

  it('tells every problem at once', () => {
    const read = readEndpointChange('{"state":1,"weight":-1,"x":2}');
    expect(read.ok ? 0 : read.problems.length).toBe(3);
  });
});
