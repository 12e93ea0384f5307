/** What the commands that talk to a running sluice are asked for, read from their words and flags. Pure. */
import { isIP } from 'node:net';
import { MOST_WEIGHT } from '../../board/endpoint-control.js';
import { parseDuration } from '../../config/duration.js';
import { nearestName } from '../../config/nearest-name.js';
import type { CertificateFacts } from '../../config/picking-plan.js';
import type { ExplainRequest } from '../../worker/explaining.js';
import type { TerminalCommandName } from '../flags.js';
import type { UsageProblem } from '../usage-problem.js';
import { SORT_KEYS, type SortKey } from './top-order.js';

/** Where sluice is asked, as it was given; null: not given. */
export interface GivenTarget {
  readonly address: string | null;
  readonly token: string | null;
  readonly configFile: string | null;
}

/** One command. Endpoints are named as ENDPOINT or UPSTREAM/ENDPOINT. */
export type TerminalCommand =
  | { readonly name: 'status'; readonly isJson: boolean }
  /** `only`: the upstream that is shown; null: all. */
  | { readonly name: 'top'; readonly sort: SortKey; readonly only: string | null }
  /** `timeout`: as the API takes it; null: for ever. */
  | { readonly name: 'drain'; readonly endpoint: string; readonly timeout: string | null; readonly isWaiting: boolean }
  | { readonly name: 'undrain'; readonly endpoint: string }
  | { readonly name: 'weight'; readonly endpoint: string; readonly weight: number }
  | { readonly name: 'reload'; readonly isJson: boolean }
  | { readonly name: 'explain'; readonly request: ExplainRequest; readonly isJson: boolean };

/** Values by the names of flags, and the words that belong to none. */
export interface GivenWords {
  readonly values: (flag: string) => readonly string[];
  readonly words: readonly string[];
}

/** @returns the command, or everything that is wrong with it */
export function terminalCommandOf(name: TerminalCommandName, given: GivenWords): TerminalCommand | UsageProblem[] {
  const [first = '', second = ''] = given.words;
  const isJson = given.values('json').length > 0;
  switch (name) {
    case 'status':
    case 'reload':
      return { name, isJson };
    case 'top':
      return topCommand(given);
    case 'drain':
      return drainCommand(first, given);
    case 'undrain':
      return { name, endpoint: first };
    case 'weight': {
      const weight = /^\d{1,6}$/.test(second) ? Number(second) : Number.NaN;
      if (weight <= MOST_WEIGHT) return { name, endpoint: first, weight };
      return [{ sentence: `the weight is "${second}"`, hint: `write a whole number from 0 to ${MOST_WEIGHT}` }];
    }
    case 'explain':
      return explainCommand(first, second, given, isJson);
  }
}

/** Where sluice is asked. */
export function targetOf({ values }: GivenWords): GivenTarget {
  const one = (flag: string): string | null => values(flag)[0] ?? null;
  return { address: one('admin'), token: one('token'), configFile: one('config') };
}

function topCommand({ values }: GivenWords): TerminalCommand | UsageProblem[] {
  const [text = 'config'] = values('sort');
  const sort = SORT_KEYS.find((key) => key === text);
  if (sort !== undefined) return { name: 'top', sort, only: values('only')[0] ?? null };
  const nearest = nearestName(text, SORT_KEYS);
  const hint = nearest === null ? `write one of ${SORT_KEYS.join(', ')}` : `did you mean ${nearest}?`;
  return [{ sentence: `--sort is "${text}"`, hint }];
}

function drainCommand(endpoint: string, { values }: GivenWords): TerminalCommand | UsageProblem[] {
  const [timeout = null] = values('timeout');
  const isWaiting = values('wait').length > 0;
  const parsed = timeout === null ? null : parseDuration(timeout);
  if (parsed === null || (parsed.ok && parsed.value > 0)) return { name: 'drain', endpoint, timeout, isWaiting };
  return [{ sentence: `--timeout is "${timeout}"`, hint: 'write a duration such as 30s, 500ms or 2m' }];
}

function explainCommand(
  method: string,
  url: string,
  { values }: GivenWords,
  isJson: boolean,
): TerminalCommand | UsageProblem[] {
  const problems: UsageProblem[] = [];
  if (!TOKEN.test(method))
    problems.push({ sentence: `"${method}" is no method`, hint: 'write GET, POST or another one' });
  const place = placeOf(url);
  if (place === null) {
    problems.push({
      sentence: `"${url}" is neither a path nor a URL`,
      hint: 'write /a?b=c, or http://example.com/a?b=c',
    });
  }
  const headers: Record<string, string> = {};
  for (const text of values('header')) {
    const [, name, value = ''] = /^([^:]+):[ \t]*(.*)$/s.exec(text) ?? [];
    if (name === undefined || !TOKEN.test(name.trim())) {
      problems.push({ sentence: `-H is "${text}"`, hint: "write -H 'Name: value'" });
    } else headers[name.trim().toLowerCase()] = value.trimEnd();
  }
  const [client = null] = values('client');
  if (client !== null && isIP(client) === 0) {
    problems.push({ sentence: `--client is "${client}"`, hint: 'write an IP address such as 192.0.2.1' });
  }
  const clientCertificate = certificateOf(values, problems);
  if (problems.length > 0 || place === null) return problems;
  const host = headers['host'] ?? place.host;
  const [listener = null] = values('listener');
  const request = { listener, method, host, target: place.target, headers, client, clientCertificate };
  return { name: 'explain', request, isJson };
}

/** @param problems grows @returns null: nothing is said of a certificate */
function certificateOf(values: GivenWords['values'], problems: UsageProblem[]): CertificateFacts | null {
  const [subject] = values('client-subject');
  const [written] = values('client-fingerprint');
  if (subject !== undefined && /[^ -~]/.test(subject))
    problems.push({
      sentence: '--client-subject is not printable ASCII',
      hint: 'write it as OpenSSL does: \\C3\\A9 for é',
    });
  const fingerprint = written?.replaceAll(':', '').toLowerCase();
  if (fingerprint !== undefined && !/^[0-9a-f]{64}$/.test(fingerprint)) {
    const hint = 'openssl x509 -in FILE -noout -fingerprint -sha256 prints it';
    problems.push({ sentence: `--client-fingerprint is "${written}", not 64 hex digits`, hint });
  }
  if (subject === undefined && fingerprint === undefined) return null;
  return { subject: subject ?? '', fingerprint: fingerprint ?? '' };
}

/** Characters of methods and field names. (RFC 9110, 5.6.2: token.) */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Host as in the Host field, and path with query as one would send them; null: neither a path nor a URL. */
function placeOf(text: string): { readonly host: string; readonly target: string } | null {
  if (/[^!-~]/.test(text) || text === '') return null;
  if (text === '*' || text.startsWith('/')) return { host: '', target: withoutFragment(text) };
  const [, host, rest = ''] = /^(?:https?:\/\/)?([^/?#]+)(.*)$/i.exec(text) ?? [];
  if (host === undefined || !URL.canParse(`http://${host}`)) return null;
  const target = withoutFragment(rest);
  return { host: host.replace(/^.*@/, ''), target: target.startsWith('/') ? target : `/${target}` };
}

function withoutFragment(target: string): string {
  return target.replace(/#.*$/, '');
}
