/** Holds the engine's request parser against Node's own (llhttp) on the same generated and kept inputs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { METHODS } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRequestWithNode, type RequestReading } from './node-request-parser.js';
import { requestInput } from './request-input.js';

const NATIVE_DIR = join(import.meta.dirname, '../../native');
const CORPUS_DIR = join(NATIVE_DIR, 'fuzz/corpus/client_request');
const GENERATED_INPUTS = 8_000;
const SEED = 20_260_101;

/** One input and what both make of it. */
interface Comparison {
  readonly bytes: Buffer;
  readonly engine: RequestReading;
  readonly node: RequestReading;
}

const CONNECT = Buffer.from('CONNECT').toString('hex');

const compiler = [process.env['CXX'], 'g++', 'clang++'].find(
  (name) => name !== undefined && spawnSync(name, ['--version']).status === 0,
);

/** A kept fuzz input without the bytes that steer its target: flags, number of pieces, sizes of pieces. */
function keptInput(file: string): Buffer {
  const bytes = readFileSync(join(CORPUS_DIR, file));
  return bytes.subarray(2 + ((bytes[1] ?? 0) % 8) + 1);
}

function recordOf(bytes: Buffer): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(bytes.length);
  return Buffer.concat([prefix, bytes]);
}

/** Compiles native/test/http1/request_dump.cc into `directory`. @returns path of the program */
function buildDump(directory: string, cxx: string): string {
  const http1 = join(NATIVE_DIR, 'src/http1');
  const sources = readdirSync(http1).filter((name) => name.endsWith('.cc'));
  const program = join(directory, 'request_dump');
  const build = spawnSync(
    cxx,
    [
      ...['-std=c++20', '-fno-exceptions', '-fno-rtti', '-O1', '-I', join(NATIVE_DIR, 'src'), '-o', program],
      join(NATIVE_DIR, 'test/http1/request_dump.cc'),
      ...sources.map((name) => join(http1, name)),
    ],
    { encoding: 'utf8' },
  );
  expect(build.stderr).toBe('');
  return program;
}

function readWithEngine(program: string, inputs: readonly Buffer[]): RequestReading[] {
  const run = spawnSync(program, { input: Buffer.concat(inputs.map(recordOf)), encoding: 'utf8', maxBuffer: 2 ** 28 });
  expect(run.status, run.stderr).toBe(0);
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RequestReading);
}

/** The input as it can be pasted into a test. */
function shown({ bytes, engine, node }: Comparison): string {
  return `${JSON.stringify(bytes.toString('latin1'))}: engine ${JSON.stringify(engine)}, node ${JSON.stringify(node)}`;
}

function textOf(hex: string | undefined): string {
  return Buffer.from(hex ?? '', 'hex').toString('latin1');
}

/** Node tells the target as it came: target and host of it by RFC 9112 sections 3.2.2 to 3.2.4 and 3.3. */
function effective({ method, target, host }: RequestReading): { target: string; host: string } {
  const [raw, field] = [textOf(target), textOf(host).trim()];
  if (method === CONNECT) return { target: raw, host: raw };
  const absolute = /^https?:\/\/([^/?]*)(.*)$/is.exec(raw);
  if (absolute === null) return { target: raw, host: field };
  const [, authority = '', rest = ''] = absolute;
  const whole = textOf(method) === 'OPTIONS' ? '*' : '/';
  return { target: rest === '' ? whole : rest, host: authority };
}

/** What a recipient acts on: what is asked, how far the request goes, what it carries. */
function meaning(reading: RequestReading, facts: { target: string; host: string }): string {
  const { result, method, minor, isChunked, endsAt, decoded } = reading;
  return JSON.stringify(
    method === undefined ? { result } : { result, method, ...facts, minor, isChunked, endsAt, decoded },
  );
}

function engineMeaning({ engine }: Comparison): string {
  return meaning(engine, { target: textOf(engine.target), host: textOf(engine.host) });
}

function nodeMeaning({ node }: Comparison): string {
  return meaning(node, effective(node));
}

/**
 * What the engine accepts and Node refuses, on purpose. Each says how to take its liberty out of a request: Node must then
 * read that request as the engine reads the original, so that no other difference hides behind a reason.
 */
const LAXER_ON_PURPOSE: readonly {
  readonly reason: string;
  readonly without: (text: string, isChunked: boolean) => string;
}[] = [
  {
    reason: 'a method may be any token and is passed on (RFC 9110 section 9.1); Node knows a list of them',
    without: (text) =>
      text.replace(/^((?:\r\n)*)([!#$%&'*+.^_`|~\w-]+) /, (whole, before: string, method: string) =>
        METHODS.includes(method) ? whole : `${before}POST `,
      ),
  },
  {
    reason: 'bytes above 0x7f in a target are passed on as they are',
    without: (text) =>
      text.replace(
        /^((?:\r\n)*\S+ )(\S+)/,
        (_, before: string, target: string) => before + target.replace(/[\x80-\xff]/g, 'x'),
      ),
  },
  {
    reason:
      'chunk extensions are bounded and ignored, their grammar is not checked; white space may precede them (BWS)',
    without: (text, isChunked) => (isChunked ? text.replace(/^([0-9a-f]+)[ \t]*;[^\r\n]*/gim, '$1') : text),
  },
];

/** What must stay the same when a liberty has been taken out. */
function extent({ result, minor, isChunked, decoded }: RequestReading): string {
  return JSON.stringify({ result, minor, isChunked, decoded });
}

function textIn({ bytes }: Comparison): string {
  return bytes.toString('latin1');
}

function isChunked({ engine }: Comparison): boolean {
  return engine.isChunked === true;
}

describe.skipIf(compiler === undefined)("the engine's request parser against Node's", () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-dump-'));
  let comparisons: readonly Comparison[] = [];

  beforeAll(() => {
    const inputs = [
      ...readdirSync(CORPUS_DIR).map(keptInput),
      ...fc.sample(requestInput, { numRuns: GENERATED_INPUTS, seed: SEED }),
    ];
    const readings = readWithEngine(buildDump(directory, compiler ?? ''), inputs);
    expect(readings.length).toBe(inputs.length);
    comparisons = inputs.flatMap((bytes, index) => {
      const engine = readings[index];
      return engine === undefined ? [] : [{ bytes, engine, node: parseRequestWithNode(bytes) }];
    });
  }, 120_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** Both have read the head and found no fault behind it; where one waits for more, the other may have decided. */
  const accepted = () =>
    comparisons.filter(
      ({ engine, node }) => engine.method !== undefined && node.method !== undefined && engine.result !== 'invalid',
    );
  const laxer = () =>
    comparisons.filter(({ engine, node }) => engine.result === 'complete' && node.result !== 'complete');
  const isDifferent = (comparison: Comparison) => engineMeaning(comparison) !== nodeMeaning(comparison);

  it('reads the same method, target, host, framing and body wherever both accept', () => {
    expect(accepted().filter(isDifferent).map(shown)).toEqual([]);
  });

  it('keeps no connection that Node would close', () => {
    const bolder = accepted().filter(({ engine, node }) => engine.keepAlive === true && node.keepAlive === false);
    expect(bolder.map(shown)).toEqual([]);
  });

  it('accepts what Node refuses only for the listed reasons', () => {
    const unexplained = laxer().filter((comparison) => {
      const text = LAXER_ON_PURPOSE.reduce(
        (left, { without }) => without(left, isChunked(comparison)),
        textIn(comparison),
      );
      return extent(parseRequestWithNode(Buffer.from(text, 'latin1'))) !== extent(comparison.engine);
    });
    expect(unexplained.map(shown)).toEqual([]);
  });

  it.each(LAXER_ON_PURPOSE)('meets an input for the reason: $reason', ({ without }) => {
    const met = laxer().filter(
      (comparison) => without(textIn(comparison), isChunked(comparison)) !== textIn(comparison),
    );
    expect(met).not.toEqual([]);
  });

  it('compares enough of every kind to mean something', () => {
    const complete = accepted().filter(({ engine }) => engine.result === 'complete');
    const withBody = complete.filter(({ engine }) => engine.decoded !== '');
    const refused = comparisons.filter(({ engine }) => engine.result === 'invalid');
    expect(complete.length).toBeGreaterThan(GENERATED_INPUTS / 8);
    expect(withBody.length).toBeGreaterThan(GENERATED_INPUTS / 20);
    expect(refused.length).toBeGreaterThan(GENERATED_INPUTS / 5);
  });
});
