/** The laboratory's command line, its scenarios, what load generators say, and the check of lengths. */
import { describe, expect, it } from 'vitest';
import { readArguments, UsageError } from '../../../bench/load/arguments.mjs';
import { bodyOf } from '../../../bench/load/endpoint/bodies.mjs';
import { GENERATORS, generatorFor } from '../../../bench/load/generators/choose.mjs';
import { resultOfH2load } from '../../../bench/load/generators/h2load.mjs';
import { errorCount } from '../../../bench/load/generators/result.mjs';
import { resultOfWrk } from '../../../bench/load/generators/wrk.mjs';
import { allScenarios, scenariosOf } from '../../../bench/load/scenarios/known.mjs';
import { BODY_BYTES, scenario } from '../../../bench/load/scenarios/scenario.mjs';
import { wrongBytes } from '../../../bench/load/verify.mjs';

describe('the command line', () => {
  const read = (line: string) => readArguments(line.split(' ').filter((word) => word !== ''));

  it('runs a quick set without anything on it', () => {
    expect(read('')).toMatchObject({
      set: 'quick',
      scenarios: null,
      peers: ['nginx', 'haproxy'],
      rounds: 3,
      durationS: 3,
    });
  });

  it('takes scenarios and peers as lists', () => {
    expect(read('--scenario a,b --scenario c --peers nginx,direct --rounds 2')).toMatchObject({
      scenarios: ['a', 'b', 'c'],
      peers: ['nginx', 'direct'],
      rounds: 2,
      durationS: 4,
    });
  });

  it('compares two commits without peers, unless they are named', () => {
    expect(read('--against HEAD~1').peers).toEqual([]);
    expect(read('--against HEAD~1 --peers nginx').peers).toEqual(['nginx']);
  });

  it('takes flags for sluice in a word of their own', () => {
    const flags = ['--relay', 'splice'];
    expect(readArguments(['--sluice', '--relay splice', '--rounds', '2'])).toMatchObject({
      sluiceFlags: flags,
      rounds: 2,
    });
    expect(read('--sluice=--relay=copy').sluiceFlags).toEqual(['--relay=copy']);
  });

  it('has a scenario of its own for the self-check', () => {
    expect(read('--self-check')).toMatchObject({
      isSelfCheck: true,
      scenarios: ['l7-keepalive-minimal-c64'],
      peers: [],
      rounds: 45,
      durationS: 1,
    });
  });

  it.each([
    '--rounds 0',
    '--rounds 1.5',
    '--duration x',
    '--connections 99999',
    '--rate 0',
    '--nonsense',
    'word',
    '--self-check --peers nginx',
    '--self-check --twice',
  ])('refuses %s', (line) => {
    expect(() => read(line)).toThrow(UsageError);
  });
});

describe('scenarios', () => {
  it('are named as their files, and say what they are', async () => {
    const known = await allScenarios();
    expect(known.length).toBeGreaterThan(15);
    for (const { name, layer, summary, request, response } of known) {
      expect(name.startsWith(layer), name).toBe(true);
      expect(summary, name).toMatch(/^\S.*[^.]$/);
      expect(response.bodyBytes, name).toEqual(request.paths.map((path: string) => bodyOf(path).length));
    }
  });

  it('can all be loaded by a generator that is always here where they are plain', async () => {
    for (const one of (await allScenarios()).filter(({ tls }) => tls === null))
      expect(() => generatorFor(one, one.ratePerSecond === null ? 'autocannon' : 'auto'), one.name).not.toThrow();
  });

  it('can be loaded by a generator where they are not', async () => {
    for (const one of (await allScenarios()).filter(({ tls }) => tls !== null))
      expect(
        GENERATORS.some((generator) => generator.canDo(one)),
        one.name,
      ).toBe(true);
  });

  it('are in a quick set that holds both layers', async () => {
    const quick = scenariosOf(await allScenarios(), 'quick');
    expect(new Set(quick.map(({ layer }: { layer: string }) => layer))).toEqual(new Set(['l4', 'l7']));
  });

  it.each(Object.keys(BODY_BYTES))('have a body that is the same each time at %s', (path) => {
    expect(bodyOf(path).equals(bodyOf(path))).toBe(true);
  });
});

describe('a load generator', () => {
  const minimal = scenario({ name: 'l7-made', summary: 'made' });

  it.each([
    ['nobody', minimal, /no load generator nobody: there are auto, /],
    ['h2load', { ...minimal, keepAlive: false }, /h2load cannot do l7-made: take wrk or autocannon/],
    ['auto', { ...minimal, keepAlive: false, ratePerSecond: 5 }, /no generator can do l7-made at a fixed rate/],
  ])('%s is refused with a sentence', (name, wanted, sentence) => {
    expect(() => generatorFor(wanted, name)).toThrow(sentence);
  });

  it('at a fixed rate is the open one, whatever was wanted', () => {
    expect(generatorFor({ ...minimal, ratePerSecond: 5 }, 'wrk').name).toBe('open-loop');
  });

  const WRK =
    'Running 1s test\n{"requests":100,"durationUs":500000,"bytes":20000,"maxUs":900,"latencyUs":[[50,10],[99,20]],"statusErrors":1,"socketErrors":2,"timeouts":3}\n';

  it('wrk is understood', () => {
    const result = resultOfWrk(WRK, minimal);
    expect(result).toMatchObject({ requests: 100, durationS: 0.5, perSecond: 200, bytes: 20_000 });
    expect(result.latencyUs).toEqual([
      [50, 10],
      [99, 20],
      [100, 900],
    ]);
    expect(errorCount(result)).toBe(6);
    expect(result.eachSecond).toBeNull();
  });

  it('wrk may see connections end where each answer ends one', () => {
    expect(errorCount(resultOfWrk(WRK, { ...minimal, keepAlive: false }))).toBe(4);
  });

  it('wrk that says nothing is an error', () => {
    expect(() => resultOfWrk('Running', minimal)).toThrow('wrk says nothing of its load: Running');
  });

  it('h2load is understood', () => {
    const text = [
      'finished in 1.00s, 10 req/s, 1.00KB/s',
      'requests: 12 total, 12 started, 12 done, 8 succeeded, 4 failed, 3 errored, 1 timeout',
      'status codes: 7 2xx, 1 3xx, 1 4xx, 0 5xx',
      'traffic: 1.46KB (1500) total, 100B (100) headers (space savings 0.00%), 400B (400) data',
    ].join('\n');
    const log = '100\t200\t30\n110\t200\t10\n1500000\t-1\t10\n1999990\t200\t20\n2000120\t200\t25\n';
    const result = resultOfH2load(text, log, 2);
    expect(result).toMatchObject({ requests: 8, bytes: 1500, errors: { status: 2, socket: 2, timeout: 1, body: 0 } });
    expect(result.latencyUs.find(([percentile]: readonly number[]) => percentile === 50)).toEqual([50, 20]);
    expect(result.latencyUs.at(-1)).toEqual([100, 30]);
    // One was not answered, and one only after the last second.
    expect(result.eachSecond).toEqual([2, 1]);
  });
});

describe('the check of lengths', () => {
  const minimal = scenario({ name: 'l7-made', summary: 'made', connections: 10 });
  const check = (bytes: number | null, requests = 10_000) => wrongBytes({ bytes, requests } as never, minimal, 200);

  it('passes where answers have the length of the checked ones', () => {
    expect(check(2_000_000)).toBeNull();
  });

  it('allows for answers that the end of the round cut off', () => {
    expect(check(20 * 200 + 10 * 199, 20)).toBeNull();
  });

  it('finds a tenth of the answers without their body', () => {
    expect(check(2_000_000 - 1_000 * 100)).toBe('answers had 190 bytes on average, and not 200');
  });

  it('finds answers that are too long', () => {
    expect(check(2_200_000)).not.toBeNull();
  });

  it('says nothing where the generator counts no bytes', () => {
    expect(check(null)).toBeNull();
  });
});
