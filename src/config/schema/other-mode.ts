/** What to say of a key that stands in a listener of one mode and belongs to the other: not "unknown", but why it has no place there. */
import type { Path } from '../problem.js';
import { LISTENER_SCHEMAS } from './listener.js';
import { type Mode, modeOf } from './mode.js';
import { knownKeys, schemaAt, valueAt } from './walk.js';

/** Why a key has no place in a listener of the other mode, and what does its work there (null: nothing). */
type Reason = readonly [why: string, instead: string | null];

/** By the mode that a key belongs to; indexes of lists are left out. A section stands for the keys below it. */
const REASONS: Readonly<Record<Mode, Readonly<Record<string, Reason>>>> = {
  l7: {
    frontend: ['an l4 listener relays bytes and has no front end', null],
    'timeouts.requestHead': [
      'an l4 listener has no request heads',
      'timeouts.preface bounds the time for a PROXY header and a ClientHello',
    ],
    'timeouts.bodyIdle': ['an l4 listener has no request bodies', 'timeouts.sessionIdle bounds silence'],
    'timeouts.keepAlive': [
      'an l4 listener does not see where a request ends',
      'timeouts.sessionIdle bounds silence; keepAlive beside timeouts is that of TCP',
    ],
    'timeouts.tunnelIdle': ['an l4 listener has sessions only', 'timeouts.sessionIdle bounds silence'],
    'timeouts.writeStall': ['an l4 listener has sessions only', 'timeouts.sessionIdle bounds silence'],
    'limits.headBytes': ['an l4 listener has no request heads', null],
    'limits.targetBytes': ['an l4 listener has no request lines', null],
    'limits.headers': ['an l4 listener has no header lines', null],
    'limits.bodyBytes': ['an l4 listener has no request bodies', null],
    'limits.minBodyRate': ['an l4 listener has no request bodies', null],
    'limits.requestsPerConnection': ['an l4 listener does not see where a request ends', null],
    'limits.connections': ['each connection of an l4 listener is a session', 'limits.sessions bounds them'],
    'limits.connectionsPerClient': [
      'each connection of an l4 listener is a session',
      'limits.sessionsPerClient bounds them',
    ],
    'limits.newConnectionsPerClient': [
      'each connection of an l4 listener is a session',
      'limits.newSessionsPerClient bounds them',
    ],
    'routes.match.host': [
      'an l4 listener sees no requests',
      'match: { sni: … } matches the server name that TLS clients ask for',
    ],
    'routes.match.path': ['an l4 listener sees no requests', null],
    explain: ['an l4 listener has no answers to tell it in', null],
    http2: ['an l4 listener relays bytes', 'tls.alpn says what clients may speak'],
    redirectToHttps: ['an l4 listener sees no requests', 'write it for the l7 listener of port 80'],
    hsts: ['an l4 listener has no answers to say it in', null],
    'routes.subset': ['an l4 route leads to a whole upstream', 'write an upstream of those endpoints'],
    'routes.split': ['an l4 route leads to one upstream', null],
    'routes.splitKey': ['an l4 route leads to one upstream', null],
    'routes.priority': ['an l4 listener sees no requests; its sessions wait in one line', null],
    'routes.priorityHeader': ['an l4 listener sees no requests', null],
    'routes.retry': ['an l4 listener has no requests to send again', 'retry.connectAttempts of the upstream'],
    'routes.hedge': ['an l4 listener has no requests', null],
    'routes.breaker': ['an l4 listener sees no answers', 'breaker of the upstream'],
    'routes.fallback': ['an l4 listener sees no answers', 'endpoints with backup: true stand in'],
    'routes.timeouts': ['an l4 listener has no exchanges', "the listener's timeouts.sessionIdle bounds silence"],
  },
  l4: {
    upstream: ['an l7 listener has routes', 'write routes: [ { upstream: … } ]'],
    relay: ['the front end moves the bytes of an l7 listener', null],
    halfClose: ['HTTP says itself where a message ends', null],
    'timeouts.sessionIdle': [
      'an l7 listener has exchanges, not sessions',
      'timeouts.keepAlive closes client connections that are idle',
    ],
    'timeouts.linger': ['an l7 listener has exchanges, not sessions', null],
    'limits.sessions': ['an l7 listener has exchanges, not sessions', 'limits.connections bounds client connections'],
    'limits.sessionsPerClient': [
      'an l7 listener has exchanges, not sessions',
      'limits.connectionsPerClient bounds client connections',
    ],
    'limits.newSessionsPerClient': [
      'an l7 listener has exchanges, not sessions',
      'limits.newConnectionsPerClient bounds client connections',
    ],
    'routes.match.sni': ['an l7 listener sees no ClientHello', 'match: { host: … } matches the host of requests'],
    'routes.match.alpn': ['an l7 listener sees no ClientHello', null],
  },
};

/** Where a path stands if it is one of a listener of a known mode. */
function placeInListener(path: Path, values: unknown): { readonly mode: Mode; readonly rest: Path } | null {
  const [root, index, ...rest] = path;
  if (root !== 'listeners' || typeof index !== 'number') return null;
  const mode = modeOf(valueAt(values, ['listeners', index]));
  return mode === null ? null : { mode, rest };
}

/**
 * What to say of an unknown key of a listener that a listener of the other mode knows; null for any other key. Pure.
 *
 * @param modeIs how the user of this file or command line says a mode: "mode: l4", "--mode l4"
 * @returns a sentence and a hint, as a problem has them
 */
export function otherModeProblem(
  path: Path,
  values: unknown,
  modeIs: (mode: Mode) => string,
): { readonly sentence: string; readonly hint: string | null } | null {
  const place = placeInListener(path, values);
  if (place === null || place.rest.length === 0) return null;
  const other: Mode = place.mode === 'l7' ? 'l4' : 'l7';
  if (schemaAt(LISTENER_SCHEMAS[other], place.rest, null) === null) return null;
  const [why, instead] = reasonOf(other, place.rest);
  // A listener of sessions without `mode: l4` is the likeliest slip.
  const isModeWritten = valueAt(values, [...path.slice(0, 2), 'mode']) !== undefined;
  const hint = isModeWritten ? instead : `${instead === null ? '' : `${instead}, or `}add ${modeIs(other)}`;
  return { sentence: `belongs to mode ${other}: ${why}`, hint };
}

/** The keys of a section of a listener as the other mode has it, and that mode; null outside of listeners. Pure. */
export function keysOfOtherMode(
  path: Path,
  values: unknown,
): { readonly mode: Mode; readonly keys: readonly string[] } | null {
  const place = placeInListener(path, values);
  if (place === null) return null;
  const mode: Mode = place.mode === 'l7' ? 'l4' : 'l7';
  return { mode, keys: knownKeys(LISTENER_SCHEMAS[mode], place.rest, null) };
}

function reasonOf(mode: Mode, rest: Path): Reason {
  const names = rest.filter((step) => typeof step === 'string');
  for (let length = names.length; length > 0; length--) {
    const reason = REASONS[mode][names.slice(0, length).join('.')];
    if (reason !== undefined) return reason;
  }
  return [`an ${mode === 'l7' ? 'l4' : 'l7'} listener has none`, null];
}
