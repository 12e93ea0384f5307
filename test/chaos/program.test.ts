/** What is played when, what the command line says of it, and what the report tells. */
import { describe, expect, it } from 'vitest';
import { chaosArguments } from './arguments.js';
import { chosen, shuffled } from './program.js';
import { markdownOf, type RunReport, sceneText } from './report.js';
import { SCENARIOS } from './scenarios/known.js';
import { shareBetween } from './share-history.js';

describe('the order of scenarios', () => {
  const names = (seed: number, round: number): string[] => shuffled(SCENARIOS, seed, round).map(({ name }) => name);

  it('is the same for the same seed, and another for another one and in the next round', () => {
    expect(names(5, 0)).toEqual(names(5, 0));
    expect(names(5, 0)).not.toEqual(names(6, 0));
    expect(names(5, 0)).not.toEqual(names(5, 1));
  });

  it('has each of them once', () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
    expect(names(5, 3).sort()).toEqual(SCENARIOS.map(({ name }) => name).sort());
  });

  it('names a scenario that is not known', () => {
    expect(chosen(SCENARIOS, ['kill']).map(({ name }) => name)).toEqual(['kill']);
    expect(() => chosen(SCENARIOS, ['kil'])).toThrow('there is no scenario "kil"');
  });
});

describe('the command line of chaos runs', () => {
  it('plays everything once through both front ends, with a fresh seed, unless told otherwise', () => {
    expect(chaosArguments([], 1_234_567)).toMatchObject({ minutes: 0, seed: 234_567, scenarios: [], out: null });
    expect(chaosArguments([], 1).frontends).toHaveLength(2);
    expect(
      chaosArguments(['--minutes', '0.5', '--seed', '3', '--frontend', 'uws', '--scenario', 'kill,drain'], 1),
    ).toMatchObject({ minutes: 0.5, seed: 3, frontends: ['uws'], scenarios: ['kill', 'drain'] });
  });

  it.each([
    [['--frontend', 'h2'], '--frontend is h2, but must be'],
    [['--seed', '1.5'], '--seed is 1.5, but must be a whole number'],
    [['--minutes', '-1'], '--minutes'],
    [['--minutes', 'ten'], '--minutes is ten, but must be a number from 0'],
    [['--pace', '0'], '--pace is 0'],
    [['--speed', '1'], '--speed'],
  ])('refuses %j', (words, sentence) => {
    expect(() => chaosArguments(words, 1)).toThrow(sentence);
  });
});

describe('the share of an endpoint', () => {
  const samples = [
    { atMs: 0, attempts: [0, 0] },
    { atMs: 100, attempts: [10, 10] },
    { atMs: 200, attempts: [10, 40] },
  ];

  it('is that of the attempts between two samples', () => {
    expect(shareBetween(samples, 0, 0, 100)).toBe(0.5);
    expect(shareBetween(samples, 0, 90, 200)).toBe(0);
    expect(shareBetween(samples, 0, 0, 200)).toBe(0.2);
  });

  it('is not known without attempts', () => {
    expect(shareBetween(samples, 0, 150, 190)).toBeUndefined();
    expect(shareBetween([], 0, 0, 100)).toBeUndefined();
  });
});

describe('the report of a chaos run', () => {
  const run: RunReport = {
    at: '2026-01-02T03:04:05.678Z',
    command: 'npm run chaos -- --seed 5',
    seed: 5,
    skipped: ['partition: network namespaces need root'],
    scenes: [
      {
        scenario: 'kill',
        title: 'kill -9 of one endpoint',
        frontend: 'native',
        index: 3,
        findings: [
          { what: 'failed idempotent requests', wanted: 'none', found: '1: GET 9', isMet: false },
          { what: 'wrong answers', wanted: 'none', found: 'none', isMet: true },
        ],
        marks: [{ name: 'killed e1', atMs: 250 }],
        load: {
          sent: 100,
          durationMs: 50,
          pausedMs: 0,
          outcomes: { 200: 99, closed: 1 },
          mostLateMs: 1,
          mostConnections: 3,
        },
        attempts: 110,
        executions: 101,
      },
    ],
  };

  it('says what was broken, and how to play it again', () => {
    const text = markdownOf(run);
    expect(text).toContain('Again: `npm run chaos -- --seed 5`');
    expect(text).toContain('Skipped: partition: network namespaces need root');
    expect(text).toContain('| 3 | native | kill | 100 | closed: 1 | 1.100 | **broken** |');
    expect(text).toContain('| failed idempotent requests | none | 1: GET 9 | **broken** |');
    expect(text).toContain('killed e1 at 250');
  });

  it('has a line for each scenario, and one for each broken promise', () => {
    expect(sceneText(run.scenes[0] as RunReport['scenes'][0]).split('\n')).toEqual([
      'BROKEN native kill               100 requests, 2000/s, 1 failed, 1.100 attempts each',
      '       failed idempotent requests: 1: GET 9 (wanted none)',
    ]);
  });
});
