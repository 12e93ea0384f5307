/** Reading the text of a file: broken YAML and JSON, places of values, duplicate keys. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDocument } from '../../../src/config/document.js';
import { type Path, pathText } from '../../../src/config/problem.js';

const read = (text: string | Uint8Array, file = 'sluice.yaml') =>
  readDocument(file, typeof text === 'string' ? new TextEncoder().encode(text) : text);

const firstProblem = (text: string | Uint8Array, file?: string) => {
  const { document, problems } = read(text, file);
  expect(document).toBeNull();
  return problems[0];
};

describe('a broken document', () => {
  it.each([
    ['a: [1', 'the YAML is broken here', 1],
    ['a: 1\n\tb: 2\n', 'the YAML is broken here', 2],
    ['a: 1\n b: 2\n', 'the YAML is broken here', 1],
    ['a: "x', 'the YAML is broken here', 1],
    ['a: 1\n---\nb: 2\n', 'the YAML is broken here', 2],
    ['a: *nowhere\n', 'the YAML is broken here', 1],
    ['a: !thing 1\n', 'the YAML is broken here', 1],
    ['? [a]\n: x\n', 'the YAML is broken here', 1],
    ['', 'the file is empty', 1],
    ['# nothing\n', 'the file is empty', 1],
    ['---\n', 'the file is empty', 1],
    ['null\n', 'the file is empty', 1],
    ['- a\n', 'the file holds a list, but must hold sections such as listeners: and upstreams:', 1],
    ['hello\n', 'the file holds a single value, but must hold sections such as listeners: and upstreams:', 1],
  ])('is told for %j', (text, sentence, line) => {
    const problem = firstProblem(text);
    expect(problem?.sentence.startsWith(sentence), problem?.sentence).toBe(true);
    expect(problem?.source).toMatchObject({ kind: 'file', file: 'sluice.yaml', line });
  });

  it('names JSON in a .json file', () => {
    expect(firstProblem('{"a": [1}', 'x.JSON')?.sentence).toMatch(/^the JSON is broken here: /);
  });

  it.each([
    ['a:\n\tb: 1\n', 'indent with spaces, not with tabs'],
    ['a: 1\n---\nb: 2\n', 'a configuration is one document: remove the --- line and what belongs to another'],
    ['host: *.example.com\n', 'if the text *.example.com is meant, put it in quotes'],
  ])('has a hint for %j', (text, hint) => {
    expect(read(text).problems.map((problem) => problem.hint)).toContain(hint);
  });

  it('is told for bytes that are not UTF-8', () => {
    expect(firstProblem(new Uint8Array([0x61, 0x3a, 0x20, 0xff, 0xfe]))?.sentence).toBe('the file is not UTF-8 text');
    expect(firstProblem(Buffer.from('a: 1', 'utf16le'))).toBeDefined();
  });

  it('is told for aliases that multiply out', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) =>
        `l${level}: &l${level} [${
          level === 0
            ? 'x'
            : Array(10)
                .fill(`*l${level - 1}`)
                .join(', ')
        }]`,
    );
    expect(firstProblem(levels.join('\n'))?.sentence).toMatch(/multiply out to too many values/);
  });
});

describe('a document that would exhaust memory, stack or patience', () => {
  const chain = (length: number) =>
    ['l0: &l0 x', ...Array.from({ length }, (_, index) => `l${index + 1}: &l${index + 1} [*l${index}]`)].join('\n');
  it.each([
    ['brackets', '['.repeat(50_000), 'the file nests more than 64 sections and lists'],
    ['closed brackets', `a: ${'['.repeat(2000)}${']'.repeat(2000)}`, 'the file nests more than 64 sections and lists'],
    ['braces', '{a: '.repeat(5000), 'the file nests more than 64 sections and lists'],
    ['lists in lists', '- '.repeat(5000), 'the file nests more than 64 sections and lists'],
    ['keys of keys', '? '.repeat(5000), 'the file nests more than 64 sections and lists'],
    ['a chain of aliases', chain(5000), 'the file has more than 200 aliases (*name)'],
    ['an alias inside itself', 'a: &a [{ b: *a }]', '*a stands inside of what it is an alias to'],
  ])('%s: is refused', (_, text, sentence) => {
    expect(firstProblem(text)?.sentence.startsWith(sentence), firstProblem(text)?.sentence).toBe(true);
  });

  it('a deep but possible one is read', () => {
    expect(read(`a: ${'['.repeat(60)}${']'.repeat(60)}`).document).not.toBeNull();
    expect(read(chain(5)).problems).toEqual([]);
  });

  it('the place of the first excess is told', () => {
    expect(firstProblem(`a: 1\nb: ${'['.repeat(70)}`)?.source).toMatchObject({ line: 2, column: 67 });
  });
});

describe('a name that looks like a number', () => {
  it('is text', () => {
    expect(read('1: x\n').document?.value).toEqual({ '1': 'x' });
  });
});

describe('duplicate keys', () => {
  it('are told at the second place and leave a document to be checked', () => {
    const { document, problems } = read('a: 1\nb: { c: 1, d: 2, c: 3 }\na: 2\n');
    expect(document?.value).toEqual({ a: 2, b: { c: 3, d: 2 } });
    expect(problems).toMatchObject([
      { source: { line: 3, column: 1 }, path: 'a', sentence: 'stands twice in the same section (first in line 1)' },
      { source: { line: 2, column: 18 }, path: 'b.c' },
    ]);
  });
});

describe('the place of a value', () => {
  const text = `a: 1
b:
  - x: "é"
    y: { z: true }
  - &anchor
    x: 2
c: *anchor
`;
  const { document } = read(text);
  it.each([
    [['a'], 'value', 1, 4],
    [['a'], 'key', 1, 1],
    [['b'], 'value', 2, 1],
    [['b', 0], 'value', 3, 5],
    [['b', 0, 'x'], 'value', 3, 8],
    [['b', 0, 'x'], 'key', 3, 5],
    [['b', 0, 'y'], 'value', 4, 5],
    [['b', 0, 'y', 'z'], 'value', 4, 13],
    [['b', 0, 'y', 'missing'], 'value', 4, 5],
    [['b', 7], 'value', 2, 1],
    [['b', 'x'], 'value', 2, 1],
    [['missing', 'deeper'], 'value', 1, 1],
    [['c'], 'value', 7, 4],
    [['c', 'x'], 'value', 6, 8],
    [[], 'value', 1, 1],
  ] as const)('%j (%s) is line %i, column %i', (path, part, line, column) => {
    expect(document?.locate(path, part)).toMatchObject({ line, column });
  });

  it('is inside the file for every path of every document, and reading never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          fc.json(),
          fc
            .array(
              fc.constantFrom(
                'a:',
                ' ',
                '\n',
                '- ',
                '{',
                '}',
                '[',
                ']',
                '"',
                '&x',
                '*x',
                '|',
                '>',
                '?',
                ',',
                '#',
                '---',
                '!t',
                '\t',
                '1',
                '<<: ',
              ),
              { maxLength: 30 },
            )
            .map((parts) => parts.join('')),
        ),
        (source) => {
          const reading = read(source);
          const lines = source.split('\n').length;
          for (const problem of reading.problems) {
            expect(problem.source).toMatchObject({ kind: 'file' });
            if (problem.source.kind === 'file') {
              expect(problem.source.line).toBeGreaterThanOrEqual(1);
              expect(problem.source.line).toBeLessThanOrEqual(lines);
            }
          }
          if (reading.document === null) return;
          for (const path of pathsOf(reading.document.value, [], 3)) {
            const place = reading.document.locate(path, 'value');
            expect(place.kind === 'file' && place.line >= 1 && place.line <= lines, pathText(path)).toBe(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

function pathsOf(value: unknown, path: Path, depth: number): Path[] {
  if (typeof value !== 'object' || value === null || depth === 0) return [path];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    path,
    ...steps.flatMap((step) => pathsOf((value as Record<string | number, unknown>)[step], [...path, step], depth - 1)),
  ];
}
