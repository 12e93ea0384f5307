/** The command `check`: what it prints where, its exit code, colours, and that what it prints loads again. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.js';
import { runCheck } from '../../../src/cli/check.js';
import { loadEngine } from '../../../src/engine/load-engine.js';

const MACHINE = { processors: 2, firstOpenPort: 1024 };
const VALID = `
listeners: [ { name: web, bind: ":8080", routes: [ { upstream: api } ] } ]
upstreams: { api: { endpoints: [ { address: "h:1" }, { address: "h:2" } ] } }
`;

/** Runs `sluice check <words>` over files given as text. */
function check(
  words: readonly string[],
  files: Readonly<Record<string, string>>,
  { isTTY = false, environment = {} as Record<string, string> } = {},
) {
  const command = parseArguments(['check', ...words]);
  if (command.kind !== 'check') throw new Error(JSON.stringify(command));
  let out = '';
  let err = '';
  const code = runCheck(command, {
    out: { isTTY, write: (text) => (out += text) },
    err: { isTTY, write: (text) => (err += text) },
    environment,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      return Buffer.from(text);
    },
    loadAddon: loadEngine,
    machine: MACHINE,
  });
  return { code, out, err };
}

describe('check', () => {
  it('says so of a valid file', () => {
    expect(check(['-c', 'a.yaml'], { 'a.yaml': VALID })).toEqual({ code: 0, out: 'a.yaml: valid\n', err: '' });
  });

  it('prints every problem with its place and hint, and their number', () => {
    const text = `${VALID}workers: automatic\nlgo: {}\n`;
    expect(check(['-c', 'a.yaml'], { 'a.yaml': text })).toEqual({
      code: 1,
      out: [
        'a.yaml:4:10: error: workers is "automatic", but must be a whole number from 1 to 256, or auto',
        '    did you mean auto?',
        'a.yaml:5:1: error: lgo is not a known setting',
        '    did you mean log?',
        'a.yaml: 2 problems',
        '',
      ].join('\n'),
      err: '',
    });
  });

  it('prints warnings of a valid file and exits well', () => {
    const { code, out } = check(['-c', 'a.yaml'], { 'a.yaml': `${VALID}workers: 3` });
    expect(code).toBe(0);
    expect(out).toBe(
      'a.yaml:4:10: warning: workers is 3, but this process may use 2 processors\n    more workers than processors take turns and add latency; auto chooses well\na.yaml: valid, 1 warning\n',
    );
  });

  it('names flags', () => {
    const { code, out } = check(['-u', 'h:1', '-u', 'h:2', '--balance', 'least-con'], {});
    expect(code).toBe(1);
    expect(out).toBe(
      '--balance least-con: error: upstreams.default.balance is "least-con", but must be one of round-robin, least-conn, least-time, peak-ewma, predictive, random-two, random, first, ip-hash, hash, ketama, maglev or rendezvous\n    did you mean least-conn?\nthe command line: 1 problem\n',
    );
  });

  it('tells of a file that does not exist', () => {
    const { code, out } = check(['-c', 'b.yaml'], {});
    expect(code).toBe(1);
    expect(out).toMatch(/^--config b\.yaml: error: the file does not exist\n/);
  });

  it('prints a configuration that loads to the same, and reports beside it', () => {
    const printed = check(['-c', 'a.yaml', '--print', '-w', '3'], { 'a.yaml': VALID });
    expect(printed.code).toBe(0);
    expect(printed.err).toMatch(/a\.yaml: valid, 1 warning\n$/);
    const again = check(['-c', 'b.yaml', '--print'], { 'b.yaml': printed.out });
    expect(again.out).toBe(printed.out);
    expect(printed.out).toContain('workers: 3\n');
  });

  it('prints no configuration when there are problems', () => {
    expect(check(['-c', 'a.yaml', '--print'], { 'a.yaml': 'workers: 1' })).toMatchObject({ code: 1, out: '' });
  });

  it.each(['examples/sluice.yaml', 'examples/l4.yaml'])('accepts %s without warnings', (path) => {
    const example = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
    expect(check(['-c', path], { [path]: example })).toEqual({ code: 0, out: `${path}: valid\n`, err: '' });
  });

  it('takes an l4 listener from the command line alone, and prints it as a file that loads to the same', () => {
    const words = ['--mode', 'l4', '--listen', ':5432', '-u', 'a:5432', '-u', 'b:5432,backup', '--relay', 'splice'];
    const printed = check([...words, '--print'], {});
    expect(printed).toMatchObject({ code: 0, err: 'the command line: valid\n' });
    expect(printed.out).toContain('mode: l4\n');
    expect(printed.out).toContain('relay: splice\n');
    expect(check(['-c', 'a.yaml', '--print'], { 'a.yaml': printed.out })).toEqual({
      code: 0,
      out: printed.out,
      err: 'a.yaml: valid\n',
    });
  });
});

describe('colours', () => {
  const files = { 'a.yaml': 'workers: 1' };
  const isColoured = ({ out }: { readonly out: string }) => out.includes('\u001b[31merror\u001b[0m');
  it('are there on a terminal', () => {
    expect(isColoured(check(['-c', 'a.yaml'], files, { isTTY: true }))).toBe(true);
    expect(isColoured(check(['-c', 'a.yaml'], files, { isTTY: true, environment: { NO_COLOR: '' } }))).toBe(true);
  });
  it('are not there in a pipe, or with NO_COLOR', () => {
    expect(check(['-c', 'a.yaml'], files).out).not.toContain('\u001b');
    expect(check(['-c', 'a.yaml'], files, { isTTY: true, environment: { NO_COLOR: '1' } }).out).not.toContain('\u001b');
  });
});
