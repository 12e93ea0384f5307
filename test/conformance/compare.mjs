/**
 * Runs every case against sluice's front ends, nginx and HAProxy, and prints a table of the differences: `npm run conformance [-- PART-OF-A-NAME]`.
 * CANDIDATES=native,nginx chooses some of them; DETAILS=1 prints what each did.
 */
import './load-typescript.mjs';

const [{ CASES, TOPICS }, { haproxy }, { nginx }, { sluice }, { runSuite }] = await Promise.all(
  ['cases/all', 'candidates/haproxy', 'candidates/nginx', 'candidates/sluice', 'harness/run-suite'].map(
    (name) => import(new URL(`./${name}.ts`, import.meta.url).href),
  ),
);

const wanted = process.env.CANDIDATES?.split(',');
const candidates = [sluice('native'), sluice('uws'), nginx, haproxy].filter(
  ({ name, missing }) => (wanted === undefined || wanted.includes(name)) && missing() === '',
);
const part = process.argv[2] ?? '';
const cases = CASES.filter(({ name }) => name.includes(part));
const jobs = cases.map((testCase) => ({ testCase }));
const results = new Map();
for (const candidate of candidates) {
  try {
    const verdicts = await runSuite(candidate, jobs, { lanes: 24, patienceMs: 2_500 });
    const marked = verdicts.map(({ differences, isAllowed }) => ({
      mark: differences.length === 0 ? '.' : isAllowed ? 'o' : 'X',
      differences,
    }));
    results.set(candidate.name, new Map(cases.map((testCase, index) => [testCase, marked[index]])));
  } catch (error) {
    console.error(`${candidate.name} could not be run: ${error.message}`);
  }
}

const names = [...results.keys()];
console.log(
  `${names.map((name) => name.padEnd(8)).join('')}  .  as sluice promises   o  otherwise, and its source allows it   X  deviates`,
);
for (const [topic, own] of Object.entries(TOPICS)) {
  const shown = own.filter((testCase) => cases.includes(testCase));
  if (shown.length > 0) console.log(`\n${topic}`);
  for (const testCase of shown) {
    const verdicts = names.map((name) => results.get(name).get(testCase));
    if (verdicts.every(({ mark }) => mark === '.')) continue;
    console.log(`${verdicts.map(({ mark }) => mark.padEnd(8)).join('')}  ${testCase.name} (${testCase.source})`);
    if (process.env.DETAILS !== undefined)
      for (const [index, { mark, differences }] of verdicts.entries())
        if (mark === 'X')
          for (const difference of differences) console.log(`${' '.repeat(12)}${names[index]}: ${difference}`);
  }
}
console.log(`\n${cases.length} cases`);
for (const name of names) {
  const marks = [...results.get(name).values()].map(({ mark }) => mark);
  const count = (mark) => marks.filter((one) => one === mark).length;
  console.log(
    `${name.padEnd(8)} ${count('.')} as promised, ${count('o')} otherwise but allowed, ${count('X')} deviate`,
  );
}
