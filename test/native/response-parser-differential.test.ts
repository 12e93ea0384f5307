/** Holds the engine's response parser against Node's own (llhttp) on the same generated and kept inputs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseWithNode, type Reading, type ResponseInput } from './node-response-parser.js';
import { responseInput } from './response-input.js';

const NATIVE_DIR = join(import.meta.dirname, '../../native');
const CORPUS_DIR = join(NATIVE_DIR, 'fuzz/corpus/response');
const GENERATED_INPUTS = 6_000;
const SEED = 20_260_101;

/** One input and what both make of it. */
interface Comparison {
  readonly input: ResponseInput;
  readonly engine: Reading;
  readonly node: Reading;
}

/** A response in the parts that a liberty may be in; `chunks` is empty unless the engine reads the body as chunks. */
interface Parts {
  readonly head: string;
  readonly chunks: string;
  readonly rest: string;
}

function partsOf({ input, engine }: Comparison): Parts {
  const text = input.bytes.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  if (headEnd < 4) return { head: text, chunks: '', rest: '' };
  const [head, body] = [text.slice(0, headEnd), text.slice(headEnd)];
  const isChunked = engine.isUntilClose === false && /^transfer-encoding[ \t]*:/im.test(head);
  return isChunked ? { head, chunks: body, rest: '' } : { head, chunks: '', rest: body };
}

/**
 * What the engine accepts and Node refuses, on purpose. Each says how to take its liberty out of a response: Node must
 * then read that response as the engine reads the original, so that no other difference hides behind a reason.
 */
const LAXER_ON_PURPOSE: readonly { readonly reason: string; readonly without: (parts: Parts) => Parts }[] = [
  {
    reason: 'white space before a colon is stripped from responses (RFC 9112 section 5.1), in trailers too',
    without: ({ head, chunks, rest }) => ({
      head: head.replace(/^([^\s:]+)[ \t]+(:|$(?![\r\n]))/gm, '$1$2'),
      chunks: chunks.replace(/^([^\s:]+)[ \t]+(:|$(?![\r\n]))/gm, '$1$2'),
      rest,
    }),
  },
  {
    reason:
      'chunk extensions are bounded and ignored, their grammar is not checked; white space may precede them (BWS)',
    without: (parts) => ({ ...parts, chunks: parts.chunks.replace(/^([0-9a-f]+)[ \t]*;[^\r\n]*/gim, '$1') }),
  },
  {
    reason: 'trailers are dropped, so that a Content-Length among them means nothing to anybody',
    without: (parts) => ({
      ...parts,
      chunks: parts.chunks.replace(
        /^(0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*?)content-length[ \t]*:[^\r\n]*(?:\r\n|\r?$)/im,
        '$1',
      ),
    }),
  },
  {
    reason: 'the value of an interpreted field is judged at the end of its line, which has not come',
    without: (parts) => ({
      ...parts,
      head: parts.head.replace(/^(?:content-length|transfer-encoding)[ \t]*:[^\r\n]*\r?$(?![\r\n])/im, ''),
    }),
  },
];

const compiler = [process.env['CXX'], 'g++', 'clang++'].find(
  (name) => name !== undefined && spawnSync(name, ['--version']).status === 0,
);

/** A kept fuzz input without the bytes that steer its target: flags, number of pieces, sizes of pieces. */
function keptInput(file: string): ResponseInput {
  const bytes = readFileSync(join(CORPUS_DIR, file));
  const pieces = ((bytes[1] ?? 0) % 8) + 1;
  return { bytes: bytes.subarray(2 + pieces), isHeadRequest: ((bytes[0] ?? 0) & 1) !== 0 };
}

function recordOf({ bytes, isHeadRequest }: ResponseInput): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32LE(bytes.length);
  prefix[4] = isHeadRequest ? 1 : 0;
  return Buffer.concat([prefix, bytes]);
}

/** Compiles native/test/http1/response_dump.cc into `directory`. @returns path of the program */
function buildDump(directory: string, cxx: string): string {
  const http1 = join(NATIVE_DIR, 'src/http1');
  const sources = readdirSync(http1).filter((name) => name.endsWith('.cc'));
  const program = join(directory, 'response_dump');
  const build = spawnSync(
    cxx,
    [
      ...['-std=c++20', '-fno-exceptions', '-fno-rtti', '-O1', '-I', join(NATIVE_DIR, 'src'), '-o', program],
      join(NATIVE_DIR, 'test/http1/response_dump.cc'),
      ...sources.map((name) => join(http1, name)),
    ],
    { encoding: 'utf8' },
  );
  expect(build.stderr).toBe('');
  return program;
}

function readWithEngine(program: string, inputs: readonly ResponseInput[]): Reading[] {
  const run = spawnSync(program, { input: Buffer.concat(inputs.map(recordOf)), encoding: 'utf8', maxBuffer: 2 ** 28 });
  expect(run.status, run.stderr).toBe(0);
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Reading);
}
/** The input as it can be pasted into a test. */
function shown({ input, engine, node }: Comparison): string {
  const text = `${JSON.stringify(input.bytes.toString('latin1'))}${input.isHeadRequest ? ' to HEAD' : ''}`;
  return `${text}: engine ${JSON.stringify(engine)}, node ${JSON.stringify(node)}`;
}

/** What a recipient acts on: how far the message goes and what it carries. */
function meaning({ result, status, minor, isUntilClose, endsAt, decoded }: Reading): string {
  return JSON.stringify(status === undefined ? { result } : { result, status, minor, isUntilClose, endsAt, decoded });
}

describe.skipIf(compiler === undefined)("the engine's response parser against Node's", () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-dump-'));
  let comparisons: readonly Comparison[] = [];

  beforeAll(() => {
    const inputs = [
      ...readdirSync(CORPUS_DIR).map(keptInput),
      ...fc.sample(responseInput, { numRuns: GENERATED_INPUTS, seed: SEED }),
    ];
    const readings = readWithEngine(buildDump(directory, compiler ?? ''), inputs);
    expect(readings.length).toBe(inputs.length);
    comparisons = inputs.flatMap((input, index) => {
      const engine = readings[index];
      return engine === undefined ? [] : [{ input, engine, node: parseWithNode(input) }];
    });
  }, 120_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const accepted = () =>
    comparisons.filter(({ engine, node }) => engine.result !== 'invalid' && node.result !== 'invalid');
  const laxer = () =>
    comparisons.filter(({ engine, node }) => engine.result !== 'invalid' && node.result === 'invalid');

  it('reads the same status, framing and body wherever both accept', () => {
    const different = accepted().filter(({ engine, node }) => meaning(engine) !== meaning(node));
    expect(different.map(shown)).toEqual([]);
  });

  it('reuses no connection that Node would not, but after an answer to HEAD, which needs no length to end', () => {
    const bolder = accepted().filter(
      ({ input, engine, node }) => engine.keepAlive === true && node.keepAlive === false && !input.isHeadRequest,
    );
    expect(bolder.map(shown)).toEqual([]);
  });

  it('accepts what Node refuses only for the listed reasons', () => {
    const unexplained = laxer().filter((comparison) => {
      const parts = LAXER_ON_PURPOSE.reduce((left, { without }) => without(left), partsOf(comparison));
      const bytes = Buffer.from(parts.head + parts.chunks + parts.rest, 'latin1');
      const node = parseWithNode({ ...comparison.input, bytes });
      return meaning({ ...comparison.engine, endsAt: 0 }) !== meaning({ ...node, endsAt: 0 });
    });
    expect(unexplained.map(shown)).toEqual([]);
  });

  it.each(LAXER_ON_PURPOSE)('meets an input for the reason: $reason', ({ without }) => {
    const met = laxer().filter((comparison) => {
      const parts = partsOf(comparison);
      const { head, chunks } = without(parts);
      return head !== parts.head || chunks !== parts.chunks;
    });
    expect(met).not.toEqual([]);
  });

  it('compares enough of every kind to mean something', () => {
    const complete = accepted().filter(({ engine }) => engine.result === 'complete');
    const withBody = complete.filter(({ engine }) => engine.decoded !== '');
    const refused = comparisons.filter(({ engine }) => engine.result === 'invalid');
    expect(complete.length).toBeGreaterThan(GENERATED_INPUTS / 5);
    expect(withBody.length).toBeGreaterThan(GENERATED_INPUTS / 10);
    expect(refused.length).toBeGreaterThan(GENERATED_INPUTS / 5);
  });
});
