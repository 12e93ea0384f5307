/** The suite against one of sluice's front ends, for the test files of the two: each case is a test, and so is each known deviation. */
import { beforeAll, describe, expect, it } from 'vitest';
import { sluice } from './candidates/sluice.js';
import { CASES, TOPICS } from './cases/all.js';
import { judge } from './harness/judge.js';
import type { Verdict } from './harness/run-case.js';
import { runSuite, type SuiteSettings } from './harness/run-suite.js';
import { KNOWN_DEVIATIONS, knownDeviation } from './known-deviations.js';

/** @param takesAllowed what the source of a case allows is right, too: only for the front end that promises less */
export function describeFrontEnd(
  name: 'native' | 'uws',
  { takesAllowed, ...settings }: SuiteSettings & { readonly takesAllowed: boolean },
): void {
  const verdicts = new Map<string, Verdict>();

  beforeAll(async () => {
    const jobs = CASES.map((testCase) => ({ testCase }));
    for (const [index, verdict] of (await runSuite(sluice(name), jobs, settings)).entries())
      verdicts.set(CASES[index]?.name ?? '', verdict);
  }, 120_000);

  const differencesOf = (caseName: string): readonly string[] => {
    const { differences, isAllowed } = verdicts.get(caseName) as Verdict;
    return takesAllowed && isAllowed ? [] : differences;
  };

  describe.each(Object.entries(TOPICS))(`the ${name} front end: %s`, (_, cases) => {
    for (const { name: caseName } of cases) {
      const known = knownDeviation(name, caseName);
      if (known === undefined) {
        it(caseName, () => {
          expect(differencesOf(caseName)).toEqual([]);
        });
        continue;
      }
      if (known.isUnsteady) continue;
      it(`is known to deviate: ${caseName}`, () => {
        expect(differencesOf(caseName)).not.toEqual([]);
        const { observed } = verdicts.get(caseName) as Verdict;
        expect(observed).toBeDefined();
        if (observed !== undefined && known.instead !== undefined)
          expect(judge({ ...observed, troubles: [] }, known.instead)).toEqual([]);
      });
    }
  });

  describe(`the known deviations of the ${name} front end`, () => {
    const listed = KNOWN_DEVIATIONS[name].flatMap(({ cases }) => cases);

    it('name cases that exist, each once', () => {
      const names = new Set(CASES.map((testCase) => testCase.name));
      expect(listed.filter((caseName, index) => !names.has(caseName) || listed.indexOf(caseName) !== index)).toEqual(
        [],
      );
    });
  });
}
