/** The one table of commands and flags: argument parsing, help texts and docs/configuration.md all read it. */
import {
  ADMIN_ADDRESS,
  BALANCER,
  FRONT_END,
  LISTEN_ADDRESS,
  LOG_LEVEL,
  MODE,
  RELAY,
  WORKERS,
} from '../config/defaults.js';
import type { ConfigFlags } from '../config/flags.js';

/** Commands of this version. */
export const COMMANDS = ['run', 'check', 'demo', 'bench'] as const;
export type CommandName = (typeof COMMANDS)[number];

/** Commands of the design that this version does not have. */
export const LATER_COMMANDS = ['status', 'top', 'drain', 'undrain', 'weight', 'reload'] as const;

/** What each command is for, one line each. */
export const COMMAND_SENTENCES: Readonly<Record<CommandName, string>> = {
  run: 'Runs the proxy. The word run may be left out.',
  check: 'Checks a configuration and tells every problem at once; exit code 0 or 1.',
  demo: 'Runs the proxy over three small endpoints of different speed; needs no file.',
  bench: 'Loads an http address; shows requests a second, percentiles and a latency chart.',
};

/** One flag. */
export interface Flag {
  /** Without the leading `--`. */
  readonly name: string;
  /** One letter, or null. */
  readonly short: string | null;
  /** How its value is called in help texts; null: the flag takes none. */
  readonly value: string | null;
  readonly isRepeatable: boolean;
  /** Default for help texts; null: none, or off. */
  readonly default: string | null;
  readonly sentence: string;
  readonly commands: readonly CommandName[];
  /** Known by the design, not in this version: parsed, then refused by the configuration with a sentence of its own. */
  readonly isLater: boolean;
  /** The setting it gives; null for flags that are about the command itself. */
  readonly sets: keyof ConfigFlags | null;
}

const PROXY_COMMANDS: readonly CommandName[] = ['run', 'check', 'demo'];
const FILE_COMMANDS: readonly CommandName[] = ['run', 'check'];

const setting = (
  sets: keyof ConfigFlags,
  flag: { name: string; value: string; sentence: string } & Partial<
    Pick<Flag, 'short' | 'default' | 'isRepeatable' | 'isLater' | 'commands'>
  >,
): Flag => ({
  short: null,
  default: null,
  isRepeatable: false,
  isLater: false,
  commands: FILE_COMMANDS,
  ...flag,
  sets,
});

/** What `sluice bench` opens and how long it loads, where nothing else is said: what others of its kind do (wrk, autocannon: 10 s). */
export const BENCH_CONNECTIONS = 64;
export const BENCH_DURATION_S = 10;

const benchFlag = (flag: Pick<Flag, 'name' | 'value' | 'default' | 'sentence'>): Flag => ({
  short: null,
  isRepeatable: false,
  commands: ['bench'],
  isLater: false,
  sets: null,
  ...flag,
});

/** All flags, in the order of help texts. */
export const FLAGS: readonly Flag[] = [
  {
    name: 'config',
    short: 'c',
    value: 'FILE',
    isRepeatable: false,
    default: null,
    sentence: 'Configuration file, YAML or JSON. Flags override what it says.',
    commands: FILE_COMMANDS,
    isLater: false,
    sets: null,
  },
  setting('mode', {
    name: 'mode',
    short: 'm',
    value: 'MODE',
    default: MODE,
    sentence: 'What is balanced: l7 (HTTP requests) or l4 (connections, whatever they carry).',
  }),
  setting('listen', {
    name: 'listen',
    short: 'l',
    value: '[HOST]:PORT',
    default: LISTEN_ADDRESS,
    isRepeatable: true,
    commands: PROXY_COMMANDS,
    sentence:
      'Address to listen on; :8080 is all IPv4 addresses. Except with --frontend uws also unix:/path. May be given several times.',
  }),
  setting('upstream', {
    name: 'upstream',
    short: 'u',
    value: 'HOST:PORT[,weight=N][,backup][,max-conns=N]',
    isRepeatable: true,
    sentence: 'An endpoint; IPv6 in brackets, or unix:/path. May be given several times.',
  }),
  setting('balance', {
    name: 'balance',
    short: 'b',
    value: 'NAME',
    default: BALANCER,
    commands: PROXY_COMMANDS,
    sentence:
      'How an endpoint is picked: round-robin, least-conn, least-time, peak-ewma, predictive, random-two, random, first, ip-hash, hash, ketama, maglev or rendezvous. docs/balancing.md says which one when.',
  }),
  setting('hashKey', {
    name: 'hash-key',
    value: 'KEY',
    default: 'client-ip',
    commands: PROXY_COMMANDS,
    sentence:
      'What hash, ketama, maglev and rendezvous hash: client-ip, header:NAME, cookie:NAME, query:NAME, path or uri.',
  }),
  setting('workers', {
    name: 'workers',
    short: 'w',
    value: 'N',
    default: WORKERS,
    commands: PROXY_COMMANDS,
    sentence: 'Worker threads; auto: as many as processors this process may use.',
  }),
  setting('frontend', {
    name: 'frontend',
    value: 'NAME',
    default: FRONT_END,
    sentence: "What speaks the client's protocol in mode l7: native (sluice's own engine) or uws (uWebSockets.js).",
  }),
  setting('accept', {
    name: 'accept',
    value: 'HOW',
    default: 'primary',
    sentence:
      'Who accepts connections: primary or reuseport. With --frontend uws and a uWebSockets.js before 20.56 the workers share the port in both cases.',
  }),
  setting('relay', {
    name: 'relay',
    value: 'HOW',
    default: RELAY,
    sentence: 'How mode l4 moves bytes: adaptive, copy or splice.',
  }),
  setting('admin', {
    name: 'admin',
    value: '[HOST]:PORT',
    default: ADMIN_ADDRESS,
    commands: PROXY_COMMANDS,
    sentence: 'Loopback address of the admin API; off to have none.',
  }),
  setting('healthCheck', {
    name: 'health-check',
    value: 'PATH',
    sentence: 'Probes every endpoint with GET PATH; tcp probes by connecting; off to have no checks.',
  }),
  setting('logLevel', {
    name: 'log-level',
    value: 'LEVEL',
    default: LOG_LEVEL,
    commands: PROXY_COMMANDS,
    sentence: 'Least important messages that are logged: trace, debug, info, warn, error, fatal or silent.',
  }),
  setting('accessLog', {
    name: 'access-log',
    value: 'FILE',
    sentence: 'Where the access log is written; - is standard output.',
  }),
  {
    name: 'print',
    short: null,
    value: null,
    isRepeatable: false,
    default: null,
    sentence: 'Prints the effective configuration as YAML on standard output, with every default filled in.',
    commands: ['check'],
    isLater: false,
    sets: null,
  },
  benchFlag({
    name: 'url',
    value: 'URL',
    default: null,
    sentence: 'Address that is loaded, e.g. http://127.0.0.1:8080/.',
  }),
  benchFlag({
    name: 'connections',
    value: 'N',
    default: String(BENCH_CONNECTIONS),
    sentence: 'Connections; each has one request on its way.',
  }),
  benchFlag({ name: 'duration', value: 'SECONDS', default: String(BENCH_DURATION_S), sentence: 'How long.' }),
  benchFlag({
    name: 'rate',
    value: 'N',
    default: null,
    sentence: 'Requests a second over all connections; without it as many as are answered.',
  }),
  {
    name: 'help',
    short: 'h',
    value: null,
    isRepeatable: false,
    default: null,
    sentence: 'Prints this help.',
    commands: COMMANDS,
    isLater: false,
    sets: null,
  },
  {
    name: 'version',
    short: null,
    value: null,
    isRepeatable: false,
    default: null,
    sentence: 'Prints the version.',
    commands: COMMANDS,
    isLater: false,
    sets: null,
  },
];
