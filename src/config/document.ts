/** Reads the text of a configuration file (YAML or JSON) into plain values, and knows the line and column of each. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { tooDeepAt } from './nesting.js';
import type { Path, Problem, ProblemSource } from './problem.js';

/** A file that could be read as YAML or JSON. */
export interface ConfigDocument {
  readonly file: string;
  /** Plain values: objects, arrays, text, numbers, booleans, null. A fresh copy that the reader may change. */
  readonly value: unknown;
  /**
   * Where the value at `path` stands; the nearest place above it where nothing stands there.
   *
   * @param part `key`: where its key begins, `value`: where the value itself begins (for sections and lists: their key)
   */
  locate(path: Path, part: 'key' | 'value'): ProblemSource;
}

/** A document, unless its text is broken; duplicate keys are problems that leave a document to be checked further. */
export interface DocumentReading {
  readonly document: ConfigDocument | null;
  readonly problems: readonly Problem[];
}

/** More aliases than this, multiplied out, are an attack on memory ("billion laughs"), not a configuration. */
const MAX_ALIAS_COUNT = 1000;

/** The library looks through the whole document for each alias: thousands of them would take minutes. */
const MAX_ALIASES = 200;

/** A configuration nests seven deep; more than this is no configuration. */
const MAX_NESTING = 64;

/**
 * Reads the bytes of a file. Never throws. Thread: primary.
 *
 * @param file the file's name as the user gave it, for messages
 */
export function readDocument(file: string, bytes: Uint8Array): DocumentReading {
  const failure = (sentence: string, hint: string | null = null, line = 1, column = 1): DocumentReading => ({
    document: null,
    problems: [{ source: { kind: 'file', file, line, column }, path: '', found: null, sentence, hint }],
  });

  const text = decodeUtf8(bytes);
  if (text === null) return failure('the file is not UTF-8 text', 'save it as UTF-8; YAML and JSON files are text');
  const deepAt = tooDeepAt(text, MAX_NESTING);
  if (deepAt !== null) {
    const before = text.slice(0, deepAt).split('\n');
    const column = (before.at(-1) ?? '').length + 1;
    return failure(
      `the file nests more than ${MAX_NESTING} sections and lists`,
      'close the brackets',
      before.length,
      column,
    );
  }
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, stringKeys: true });
  const places = new Places(file, parsed, lines, lineCount(text));
  const broken = [
    ...[...parsed.errors, ...parsed.warnings].map((error) => syntaxProblem(error, places, text)),
    ...aliasProblems(parsed, places),
  ];
  if (broken.length > 0) return { document: null, problems: broken };
  let value: unknown;
  try {
    value = parsed.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (error) {
    // ReferenceError is what the library answers to too many values; anything else would be a mistake of ours.
    if (!(error instanceof ReferenceError)) throw error;
    return failure('the aliases (*name) of the file multiply out to too many values', 'write the values out');
  }
  if (value === null || value === undefined) {
    return failure('the file is empty', 'a configuration has listeners and upstreams; examples/sluice.yaml shows one');
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    return failure(
      `the file holds ${Array.isArray(value) ? 'a list' : 'a single value'}, but must hold sections such as listeners: and upstreams:`,
    );
  }
  const document: ConfigDocument = { file, value, locate: (path, part) => places.locate(path, part) };
  return { document, problems: duplicateKeyProblems(parsed, places) };
}

/** Lines as an editor counts them. */
function lineCount(text: string): number {
  return text.split('\n').length;
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null; // the only reason TextDecoder throws when `fatal` is set
  }
}

const SYNTAX_HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces, not with tabs',
  BAD_INDENT: 'check the indentation of this line and the one above',
  MULTIPLE_DOCS: 'a configuration is one document: remove the --- line and what belongs to another',
  NON_STRING_KEY: 'put the name in quotes',
  MISSING_CHAR: 'a bracket, quote, comma or colon is missing here or before',
  TAG_RESOLVE_FAILED: 'remove the !tag',
  BAD_ALIAS: 'put text that begins with * or & in quotes',
};

function syntaxProblem(error: YAMLError, places: Places, text: string): Problem {
  return {
    source: places.at(Math.min(error.pos[0], text.length)),
    path: '',
    found: null,
    sentence: `the ${places.language} is broken here: ${error.message.split('\n')[0] ?? ''}`,
    hint: SYNTAX_HINTS[error.code] ?? null,
  };
}

/** Aliases to anchors that are not there (most often text that begins with a star and lacks quotes), and too many aliases. */
function aliasProblems(document: Document.Parsed, places: Places): Problem[] {
  const anchors = new Set<string>();
  const problems: Problem[] = [];
  let aliases = 0;
  const report = (alias: Alias, sentence: string, hint: string) =>
    problems.push({ source: places.at(startOf(alias) ?? 0), path: '', found: null, sentence, hint });
  visit(document, {
    Node(_, node, ancestors) {
      if (!isAlias(node)) {
        if (isScalar(node) || isMap(node) || isSeq(node)) anchors.add(node.anchor ?? '');
        return undefined;
      }
      aliases += 1;
      if (aliases > MAX_ALIASES) {
        report(node, `the file has more than ${MAX_ALIASES} aliases (*name)`, 'write the values out');
        return visit.BREAK;
      }
      const isInItself = ancestors.some(
        (ancestor) => (isMap(ancestor) || isSeq(ancestor)) && ancestor.anchor === node.source,
      );
      if (isInItself) report(node, `*${node.source} stands inside of what it is an alias to`, 'write the value out');
      if (anchors.has(node.source)) return undefined;
      const sentence = `the ${places.language} is broken here: *${node.source} is an alias to an anchor that does not exist`;
      report(node, sentence, `if the text *${node.source} is meant, put it in quotes`);
      return undefined;
    },
  });
  return problems;
}

/** Places in a document. */
class Places {
  readonly #file: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #lastLine: number;

  constructor(file: string, document: Document.Parsed, lines: LineCounter, lastLine: number) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
    this.#lastLine = lastLine;
  }

  /** What the file is written in, by its name. */
  get language(): 'YAML' | 'JSON' {
    return this.#file.toLowerCase().endsWith('.json') ? 'JSON' : 'YAML';
  }

  locate(path: Path, part: 'key' | 'value'): ProblemSource {
    let node: unknown = this.#document.contents;
    let offset = startOf(node) ?? 0;
    for (const [index, step] of path.entries()) {
      const child = childOf(this.#resolved(node), step);
      if (child === null) break;
      const isLast = index === path.length - 1;
      const keyAt = startOf(child.key);
      const valueAt = startOf(child.value);
      const wantsValue =
        isLast && part === 'value' && (isScalar(child.value) || isAlias(child.value) || keyAt === null);
      offset = (wantsValue ? (valueAt ?? keyAt) : (keyAt ?? valueAt)) ?? offset;
      node = child.value;
    }
    return this.at(offset);
  }

  /** @param offset characters from the file's start */
  at(offset: number): ProblemSource {
    const { line, col } = this.#lines.linePos(offset);
    return {
      kind: 'file',
      file: this.#file,
      line: Math.min(Math.max(line, 1), this.#lastLine),
      column: Math.max(col, 1),
    };
  }

  #resolved(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }
}

/** The last pair wins where a key stands twice, as in the plain values. */
function childOf(node: unknown, step: string | number): { key: unknown; value: unknown } | null {
  if (isMap(node)) {
    const pair = node.items.findLast((item) => keyText(item) === String(step));
    return pair === undefined ? null : { key: pair.key, value: pair.value };
  }
  if (isSeq(node) && typeof step === 'number') {
    return step < node.items.length ? { key: null, value: node.items[step] } : null;
  }
  return null;
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

function duplicateKeyProblems(document: Document.Parsed, places: Places): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      const first = new Map<string, Pair>();
      for (const pair of map.items) {
        const key = keyText(pair);
        const earlier = first.get(key);
        if (earlier === undefined) {
          first.set(key, pair);
          continue;
        }
        const source = places.at(startOf(pair.key) ?? 0);
        const firstAt = places.at(startOf(earlier.key) ?? 0);
        const firstLine = firstAt.kind === 'file' ? firstAt.line : 0;
        problems.push({
          source,
          path: [...ancestors.flatMap((ancestor) => (isPair(ancestor) ? [keyText(ancestor)] : [])), key].join('.'),
          found: null,
          sentence: `stands twice in the same section (first in line ${firstLine})`,
          hint: 'keep one of them',
        });
      }
    },
  });
  return problems;
}
