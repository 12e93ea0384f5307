/** The command line of the laboratory. */
import { parseArgs } from 'node:util';
import { PEER_NAMES } from './peers/known.mjs';
import { SELF_CHECK } from './self-check.mjs';

/** What --help prints. */
export const USAGE = `Compares sluice with its peers, side by side in one run.

  npm run bench                                   a quick set: nginx and HAProxy, under 5 minutes
  npm run bench -- --scenario NAME[,NAME…]        these scenarios (--list shows them)
  npm run bench -- --set l7                       a whole set: quick, l7, l4, tls, all
  npm run bench -- --peers nginx,haproxy          of ${PEER_NAMES.join(', ')}
  npm run bench -- --against GIT_REF              this tree and another commit, interleaved

  --rounds N       rounds; every candidate runs once in each (5; the quick set 3)
  --duration S     seconds of load for each candidate in a round (4; the quick set 3)
  --connections N  instead of the scenario's own
  --rate N         open loop: so many requests a second, instead of as fast as answers come
  --load NAME      auto (the best that is here), wrk, autocannon, h2load
  --sluice FLAGS   more flags for sluice, e.g. --sluice "--relay splice --accept reuseport"
  --twice          sluice twice: how far two candidates that are the same come out apart on this machine
  --self-check     tests the laboratory: sluice twice must be even, and 2 µs planted in each request must be found
  --out DIRECTORY  where the JSON and HTML reports go (bench/results)
  --list           the scenarios
`;

const OPTIONS = {
  scenario: { type: 'string', multiple: true },
  set: { type: 'string' },
  peers: { type: 'string' },
  against: { type: 'string' },
  rounds: { type: 'string' },
  duration: { type: 'string' },
  connections: { type: 'string' },
  rate: { type: 'string' },
  load: { type: 'string', default: 'auto' },
  sluice: { type: 'string', default: '' },
  twice: { type: 'boolean', default: false },
  'self-check': { type: 'boolean', default: false },
  out: { type: 'string' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

/** A mistake of whoever typed the command. */
export class UsageError extends Error {}

/** Reads the command line. @param {readonly string[]} args without node and the script @throws UsageError */
export function readArguments(args) {
  let values;
  try {
    ({ values } = parseArgs({ args: withAttachedFlags(args), options: OPTIONS, allowPositionals: false }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const isSelfCheck = values['self-check'];
  for (const name of ['scenario', 'set', 'peers', 'against', 'connections', 'rate', 'twice'])
    if (isSelfCheck && values[name] !== undefined && values[name] !== false)
      throw new UsageError(`--self-check has its own candidates and scenario: leave out --${name}`);
  const isQuick = values.scenario === undefined && values.set === undefined;
  return {
    wantsHelp: values.help,
    wantsList: values.list,
    isSelfCheck,
    scenarios: isSelfCheck ? [SELF_CHECK.scenario] : (values.scenario?.flatMap(listOf) ?? null),
    set: values.set ?? 'quick',
    peers: listOf(values.peers ?? (values.against !== undefined || values.twice || isSelfCheck ? '' : 'nginx,haproxy')),
    against: values.against ?? null,
    rounds: wholeNumber('--rounds', values.rounds, isSelfCheck ? SELF_CHECK.rounds : isQuick ? 3 : 5, 1, 1000),
    durationS: wholeNumber('--duration', values.duration, isSelfCheck ? SELF_CHECK.durationS : isQuick ? 3 : 4, 1, 600),
    connections:
      values.connections === undefined ? null : wholeNumber('--connections', values.connections, 0, 1, 10_000),
    ratePerSecond: values.rate === undefined ? null : wholeNumber('--rate', values.rate, 0, 1, 100_000),
    load: values.load,
    sluiceFlags: values.sluice.split(/\s+/).filter(Boolean),
    isTwice: values.twice,
    out: values.out ?? null,
  };
}

/** What stands behind --sluice begins with a dash, which parseArgs takes in the same word only. */
function withAttachedFlags(args) {
  const at = args.indexOf('--sluice');
  return at < 0 || at === args.length - 1
    ? [...args]
    : [...args.slice(0, at), `--sluice=${args[at + 1]}`, ...args.slice(at + 2)];
}

function listOf(text) {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

function wholeNumber(flag, text, fallback, least, most) {
  if (text === undefined) return fallback;
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most)
    throw new UsageError(`${flag} is "${text}", but must be a whole number from ${least} to ${most}`);
  return number;
}
