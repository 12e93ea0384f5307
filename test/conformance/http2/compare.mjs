/**
 * Runs the HTTP/2 cases against sluice, nginx and HAProxy, and prints what came of each where they differ: `npm run conformance:http2 [-- PART-OF-A-NAME]`.
 * CANDIDATES=nginx,haproxy chooses some of them; DETAILS=1 prints the differences; RECORD=1 writes recorded.json.
 */
import { writeFileSync } from 'node:fs';
import '../load-typescript.mjs';

const [{ HTTP2_CASES, HTTP2_TOPICS }, candidates, { runHttp2 }] = await Promise.all(
  ['http2-case', 'http2-candidates', 'run-http2'].map(
    (name) => import(new URL(`./harness/${name}.ts`, import.meta.url).href),
  ),
);

const wanted = process.env.CANDIDATES?.split(',');
const chosen = Object.values(candidates).filter(
  ({ name, missing }) => (wanted === undefined || wanted.includes(name)) && missing() === '',
);
const part = process.argv[2] ?? '';
const cases = HTTP2_CASES.filter(({ name }) => name.includes(part));
const results = new Map();
for (const candidate of chosen) {
  try {
    const verdicts = await runHttp2(candidate, cases, { lanes: 16, patienceMs: 2_000 });
    const marked = verdicts.map((verdict) => ({
      ...verdict,
      mark: verdict.differences.length === 0 ? '.' : verdict.isAllowed ? 'o' : 'X',
    }));
    results.set(candidate.name, new Map(cases.map((testCase, index) => [testCase, marked[index]])));
  } catch (error) {
    console.error(`${candidate.name} could not be run: ${error.message}`);
  }
}

const names = [...results.keys()];
console.log(
  `${names.map((name) => name.padEnd(9)).join('')}  .  as sluice promises   o  otherwise, and its source allows it   X  deviates`,
);
for (const [topic, own] of Object.entries(HTTP2_TOPICS)) {
  const shown = own.filter((testCase) => cases.includes(testCase));
  if (shown.length > 0) console.log(`\n${topic}`);
  for (const testCase of shown) {
    const verdicts = names.map((name) => results.get(name).get(testCase));
    if (verdicts.every(({ mark }) => mark === '.') && part === '') continue;
    console.log(`${verdicts.map(({ mark }) => mark.padEnd(9)).join('')}  ${testCase.name} (${testCase.source})`);
    if (process.env.DETAILS === undefined) continue;
    for (const [index, { mark, differences, summary }] of verdicts.entries())
      if (mark !== '.')
        console.log(
          `            ${names[index]}: ${summary}\n                ${differences.join('\n                ')}`,
        );
  }
}
console.log(`\n${cases.length} cases`);
for (const name of names) {
  const marks = [...results.get(name).values()].map(({ mark }) => mark);
  const count = (mark) => marks.filter((one) => one === mark).length;
  console.log(
    `${name.padEnd(9)} ${count('.')} as promised, ${count('o')} otherwise but allowed, ${count('X')} deviate`,
  );
}

if (process.env.RECORD !== undefined && part === '') {
  const recorded = {};
  for (const { name, version } of chosen.filter(({ version: own }) => own() !== '')) {
    const all = [...results.get(name)];
    const those = (mark) =>
      Object.fromEntries(all.filter(([, own]) => own.mark === mark).map(([own, { summary }]) => [own.name, summary]));
    recorded[name] = { version: version(), otherwise: those('o'), deviates: those('X') };
  }
  writeFileSync(new URL('./recorded.json', import.meta.url), `${JSON.stringify(recorded, null, 2)}\n`);
}
