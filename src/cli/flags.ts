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

/** Commands that talk to the admin API of a running sluice. */
export const TERMINAL_COMMANDS = ['status', 'top', 'drain', 'undrain', 'weight', 'reload', 'explain'] as const;
export type TerminalCommandName = (typeof TERMINAL_COMMANDS)[number];

/** All commands. */
export const COMMANDS = ['run', 'check', 'demo', 'bench', ...TERMINAL_COMMANDS] as const;
export type CommandName = (typeof COMMANDS)[number];

/** What each command is for, one line each. */
export const COMMAND_SENTENCES: Readonly<Record<CommandName, string>> = {
  run: 'Runs the proxy. The word run may be left out.',
  check: 'Checks a configuration and tells every problem at once; exit code 0 or 1.',
  demo: 'Runs the proxy over three small endpoints of different speed; needs no file.',
  bench: 'Loads an http address; shows requests a second, percentiles and a latency chart.',
  status: 'Shows what a running sluice does: listeners, upstreams, endpoints, workers.',
  top: 'Shows the endpoints of a running sluice live: rates, latencies, load.',
  drain: 'Gives an endpoint no new work and lets it finish the old.',
  undrain: 'Gives an endpoint work again that was drained or disabled.',
  weight: 'Sets the weight of an endpoint until sluice ends; 0: no new work.',
  reload: 'Has a running sluice read its configuration again; tells what changed, or every problem.',
  explain: 'Tells where a request would go now, and why; nothing is sent.',
};

/** Words that a command takes besides flags, all of them needed, as help texts call them. */
export const COMMAND_WORDS: Readonly<Partial<Record<CommandName, readonly string[]>>> = {
  drain: ['[UPSTREAM/]ENDPOINT'],
  undrain: ['[UPSTREAM/]ENDPOINT'],
  weight: ['[UPSTREAM/]ENDPOINT', 'N'],
  explain: ['METHOD', 'URL'],
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

/** A flag about the command itself. */
const ownFlag = (
  commands: readonly CommandName[],
  flag: Pick<Flag, 'name' | 'sentence'> & Partial<Pick<Flag, 'short' | 'value' | 'default' | 'isRepeatable'>>,
): Flag => ({
  short: null,
  value: null,
  default: null,
  isRepeatable: false,
  isLater: false,
  sets: null,
  commands,
  ...flag,
});

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
  ownFlag([...FILE_COMMANDS, ...TERMINAL_COMMANDS], {
    name: 'config',
    short: 'c',
    value: 'FILE',
    sentence:
      'Configuration file, YAML or JSON. Flags override what it says. Commands that talk to a running sluice take address and token of the admin API from it.',
  }),
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
      'What hash, ketama, maglev and rendezvous hash: client-ip, header:NAME, cookie:NAME, query:NAME, path, uri, client-certificate:subject or client-certificate:fingerprint.',
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
    commands: [...PROXY_COMMANDS, ...TERMINAL_COMMANDS],
    sentence:
      'Address of the admin API; off to have none. One that is not of the loopback interface needs a token in the configuration. Commands that talk to a running sluice ask there; also http://… or https://….',
  }),
  setting('healthCheck', {
    name: 'health-check',
    value: 'PATH',
    sentence:
      'Probes every endpoint with GET PATH; tcp probes by connecting, grpc by grpc.health.v1.Health/Check; off to have no checks.',
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
  ownFlag(['check'], {
    name: 'print',
    sentence: 'Prints the effective configuration as YAML on standard output, with every default filled in.',
  }),
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
  ownFlag(TERMINAL_COMMANDS, {
    name: 'token',
    value: 'TOKEN',
    sentence: 'Token of the admin API; better in the environment, as SLUICE_TOKEN, since others can see command lines.',
  }),
  ownFlag(['status', 'reload', 'explain'], { name: 'json', sentence: 'Prints JSON, for programs.' }),
  ownFlag(['top'], {
    name: 'sort',
    value: 'KEY',
    default: 'config',
    sentence:
      'What endpoints are ordered by: config (as in the configuration), name, state, weight, rps, errors, p50, p95, p99, inflight or share.',
  }),
  ownFlag(['top'], { name: 'only', value: 'UPSTREAM', sentence: 'Shows one upstream.' }),
  ownFlag(['drain'], {
    name: 'timeout',
    value: 'DURATION',
    sentence: 'What is still in flight after this, such as 30s or 2m, is cut.',
  }),
  ownFlag(['drain'], { name: 'wait', sentence: 'Shows the progress and ends when nothing is in flight any more.' }),
  ownFlag(['explain'], {
    name: 'header',
    short: 'H',
    value: "'NAME: VALUE'",
    isRepeatable: true,
    sentence: 'A header of the request. May be given several times.',
  }),
  ownFlag(['explain'], {
    name: 'client',
    value: 'ADDRESS',
    default: '127.0.0.1',
    sentence: 'IP address of the client.',
  }),
  ownFlag(['explain'], {
    name: 'client-subject',
    value: 'SUBJECT',
    sentence: 'Subject of the certificate that the client has shown, as in CN=name,O=firm (RFC 2253).',
  }),
  ownFlag(['explain'], {
    name: 'client-fingerprint',
    value: 'HEX',
    sentence: 'SHA-256 fingerprint of that certificate, with or without colons.',
  }),
  ownFlag(['explain'], {
    name: 'listener',
    value: 'NAME',
    sentence: 'The listener that the request comes in at; without it the one with the port of the URL, or the first.',
  }),
  ownFlag(COMMANDS, { name: 'help', short: 'h', sentence: 'Prints this help.' }),
  ownFlag(COMMANDS, { name: 'version', sentence: 'Prints the version.' }),
];
