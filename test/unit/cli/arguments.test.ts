/** Parsing argv: commands, flags in all their spellings, and usage errors with hints. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.js';
import { COMMANDS, FLAGS } from '../../../src/cli/flags.js';

const parse = (line: string) => parseArguments(line.split(' ').filter((word) => word !== ''));

const errorsOf = (line: string) => {
  const read = parse(line);
  if (read.kind !== 'usage-error') throw new Error(`no usage error: ${JSON.stringify(read)}`);
  return read.problems.map(({ sentence, hint }) => (hint === null ? sentence : `${sentence} | ${hint}`));
};

describe('commands', () => {
  it.each([
    ['', { kind: 'run', configFile: null, flags: {} }],
    ['run', { kind: 'run', configFile: null, flags: {} }],
    ['-c a.yaml', { kind: 'run', configFile: 'a.yaml', flags: {} }],
    ['run --config a.yaml', { kind: 'run', configFile: 'a.yaml', flags: {} }],
    ['check -c a.yaml', { kind: 'check', configFile: 'a.yaml', flags: {}, isPrinting: false }],
    ['check --print -c a.yaml', { kind: 'check', configFile: 'a.yaml', flags: {}, isPrinting: true }],
    ['demo', { kind: 'demo', flags: {} }],
    ['demo -w 2 -b least-time', { kind: 'demo', flags: { workers: '2', balance: 'least-time' } }],
    ['--help', { kind: 'help', command: null }],
    ['-h', { kind: 'help', command: null }],
    ['help', { kind: 'help', command: null }],
    ['help check', { kind: 'help', command: 'check' }],
    ['run --help', { kind: 'help', command: 'run' }],
    ['check -h', { kind: 'help', command: 'check' }],
    ['--version', { kind: 'version' }],
    ['demo --version', { kind: 'version' }],
    ['check --nonsense --help', { kind: 'help', command: 'check' }],
  ])('%j', (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  it.each([
    ['chek', '"chek" is not a command | did you mean check?'],
    ['Run', '"Run" is not a command | did you mean run?'],
    ['stats', '"stats" is not a command | did you mean status?'],
    [
      'frobnicate',
      '"frobnicate" is not a command | the commands are run, check, demo, bench, status, top, drain, undrain, weight, reload, explain',
    ],
    ['sluice.yaml', '"sluice.yaml" is not a command | for a configuration file write: sluice -c sluice.yaml'],
    ['help chek', '"chek" is not a command | did you mean check?'],
  ])('%j is a usage error', (line, error) => {
    expect(errorsOf(line)).toEqual([error]);
  });
});

describe('flags', () => {
  it.each([
    ['--workers 4', { workers: '4' }],
    ['--workers=4', { workers: '4' }],
    ['-w 4', { workers: '4' }],
    ['-w4', { workers: '4' }],
    ['-w=4', { workers: '4' }],
    ['-w -1', { workers: '-1' }],
    ['--listen :80 -l [::1]:81 -l:82', { listen: [':80', '[::1]:81', ':82'] }],
    ['-u h:1,weight=2 --upstream=h:2,weight=3,backup', { upstream: ['h:1,weight=2', 'h:2,weight=3,backup'] }],
    ['--access-log -', { accessLog: '-' }],
    ['--access-log=-', { accessLog: '-' }],
    ['-m l4 --hash-key header:A --relay copy', { mode: 'l4', hashKey: 'header:A', relay: 'copy' }],
    ['--frontend uws --accept reuseport --admin off', { frontend: 'uws', accept: 'reuseport', admin: 'off' }],
    ['--health-check /health --log-level debug', { healthCheck: '/health', logLevel: 'debug' }],
  ])('%j', (line, flags) => {
    expect(parse(line)).toEqual({ kind: 'run', configFile: null, flags });
  });

  it.each([
    ['--worker 4', '--worker is not a known flag | did you mean --workers?'],
    ['--upstreams h:1', '--upstreams is not a known flag | did you mean --upstream?'],
    ['--healthcheck /x', '--healthcheck is not a known flag | did you mean --health-check?'],
    ['--zzz', '--zzz is not a known flag | sluice run --help lists the flags'],
    ['-x', '-x is not a known flag | sluice run --help lists the flags'],
    ['-hx', '-hx is not a known flag | sluice run --help lists the flags'],
    ['--workers', '--workers needs a value | write --workers N'],
    ['--workers=', '--workers needs a value | write --workers N'],
    ['--workers --admin off', '--workers needs a value | write --workers N'],
    ['-w -l :80', '-w needs a value | write -w N'],
    ['--workers 2 -w 3', '-w is given twice | keep one of them'],
    ['check --print=yes', '--print takes no value | write --print alone'],
    ['run --print', '--print does not belong to the command run | it belongs to check'],
    ['bench --listen :80', '--listen does not belong to the command bench | it belongs to run, check, demo'],
    ['run a.yaml', '"a.yaml" is not expected here | for a configuration file write: -c a.yaml'],
    ['-w 2 check', 'the command check must come first | write: sluice check …'],
    [
      'run 127.0.0.1:9001',
      '"127.0.0.1:9001" is not expected here | values follow a flag: sluice --upstream 127.0.0.1:9001',
    ],
    ['run --', '"--" is not expected here | values follow a flag: sluice --upstream 127.0.0.1:9001'],
  ])('%j is a usage error', (line, error) => {
    expect(errorsOf(line)).toEqual([error]);
  });

  it('tells every problem of a command line at once', () => {
    expect(errorsOf('--worker 4 --listen --print extra')).toHaveLength(4);
  });

  it('answers any words', () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...COMMANDS,
        ...FLAGS.map(({ name }) => `--${name}`),
        ...FLAGS.flatMap(({ short }) => (short === null ? [] : [`-${short}`])),
        '-',
        '--',
        '=',
        '--=',
        '-=',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const read = parseArguments(words);
        if (read.kind === 'usage-error') expect(read.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the table of flags', () => {
  it('has no name or letter twice', () => {
    const names = FLAGS.flatMap(({ name, short }) => [`--${name}`, ...(short === null ? [] : [`-${short}`])]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('belongs to at least one command each', () => {
    expect(FLAGS.filter(({ commands }) => commands.length === 0)).toEqual([]);
  });
});
