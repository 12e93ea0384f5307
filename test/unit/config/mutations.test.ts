/** Any damage to a valid configuration gives a configuration or problems with places inside the file; never an exception. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { compilePlan } from '../../../src/config/compile.js';
import { effectiveYaml } from '../../../src/config/effective.js';
import { FreshRecords } from '../../../src/config/plan-records.js';
import { load } from './loading.js';

const EXAMPLES = ['sluice.yaml', 'l4.yaml'].map(
  (name) => [name, readFileSync(new URL(`../../../examples/${name}`, import.meta.url), 'utf8')] as const,
);

/** Loads, and holds the answer against what every answer must keep. */
function expectAnswer(text: string | Uint8Array): void {
  const loaded = load(text);
  const lines = (typeof text === 'string' ? text : new TextDecoder().decode(text)).split('\n').length;
  for (const { source, sentence, path, hint } of loaded.ok ? loaded.warnings : loaded.problems) {
    expect(source.kind).toBe('file');
    if (source.kind !== 'file') continue;
    expect(source.line).toBeGreaterThanOrEqual(1);
    expect(source.line).toBeLessThanOrEqual(lines);
    expect(source.column).toBeGreaterThanOrEqual(1);
    expect(sentence).not.toMatch(/undefined|\[object|NaN, NaN|Invalid input|something else/);
    expect(path).not.toMatch(/undefined/);
    expect(hint).not.toBe('');
  }
  if (!loaded.ok) {
    expect(loaded.problems.length).toBeGreaterThan(0);
    return;
  }
  compilePlan(loaded.config, {
    assignSlot: () => ({ slot: 0, generation: 0 }),
    records: new FreshRecords(),
    epoch: 1,
    processors: 1,
    affinitySecret: 'sixteen-letters!',
  });
  const again = load(effectiveYaml(loaded.config));
  expect(again.ok && again.config).toEqual(loaded.config);
}

type Place = readonly (string | number)[];

/** Every place of a value, sections and lists included. */
function placesOf(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [place];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    place,
    ...steps.flatMap((step) => placesOf((value as Record<string | number, unknown>)[step], [...place, step])),
  ];
}

/** A copy with another value, or nothing (undefined), at a place. */
function replaced(value: unknown, place: Place, by: unknown): unknown {
  const [step, ...rest] = place;
  if (step === undefined) return by;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  const next = replaced(copy[step], rest, by);
  if (next === undefined) delete copy[step];
  else copy[step] = next;
  return Array.isArray(copy) ? copy.filter((one) => one !== undefined) : copy;
}

const oddValue = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    true,
    false,
    0,
    -1,
    1,
    1.5,
    1e99,
    '',
    'off',
    'tcp',
    '10s',
    '16KiB',
    ':80',
    'h:1',
    'unix:/a',
    '*',
    '/',
    'api',
    [],
    {},
    [[]],
    [{}],
    { a: 1 },
    '__proto__',
    'least-con',
    '10.0.0.0/8',
    'unlimited',
    'auto',
    'l4',
    'l7',
    'unix:@a',
    '0660',
  ),
  fc.string(),
  fc.double(),
  fc.jsonValue({ maxDepth: 2 }),
);

// Thousands of configurations are read: on a busy machine that takes longer than other tests may.
describe.each(EXAMPLES)('a damaged %s', { timeout: 60_000 }, (_, text) => {
  const valid: unknown = parse(text);
  const places = placesOf(valid);

  it('is answered when values are replaced or missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...places), oddValue), { minLength: 1, maxLength: 4 }),
        (changes) => {
          let damaged = valid;
          for (const [place, value] of changes) {
            const isThere = placesOf(damaged).some((one) => JSON.stringify(one) === JSON.stringify(place));
            if (isThere) damaged = replaced(damaged, place, value) ?? {};
          }
          expectAnswer(stringify(damaged));
          expectAnswer(JSON.stringify(damaged, null, 1));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is answered when keys are renamed or added', () => {
    const sections = places.filter((place) => typeof place.at(-1) === 'string');
    const key = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'upstream',
        'mode',
        'name',
        '__proto__',
        'constructor',
        'toString',
        '<<',
        'hashKey',
        'tls',
        'relay',
        'frontend',
        'routes',
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...sections), key, oddValue, (place, name, value) => {
        const renamed = replaced(replaced(valid, place, undefined), [...place.slice(0, -1), name], value ?? null);
        expectAnswer(stringify(renamed));
      }),
      { numRuns: 100 },
    );
  });

  it('is answered when its text is cut, and when characters change', () => {
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 5 }), (at, removed, inserted) => {
        expectAnswer(text.slice(0, at) + inserted + text.slice(at + removed));
        expectAnswer(text.slice(0, at));
      }),
      { numRuns: 100 },
    );
  });

  it('is answered when it is any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectAnswer(bytes)),
      { numRuns: 100 },
    );
  });
});
