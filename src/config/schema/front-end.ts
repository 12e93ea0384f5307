/** Front ends of l7 listeners: their names, and the settings that only the native one has. */
import { FRONT_END } from '../defaults.js';
import type { FrontEndName } from '../plan.js';
import type { Path } from '../problem.js';
import { valueAt } from './walk.js';

/** All front ends. */
export const FRONT_ENDS = ['native', 'uws'] as const satisfies readonly FrontEndName[];

/** The front end of an l7 listener of the file, written or by default; null where it is none that is known. Pure. */
export function frontEndOf(listener: unknown): FrontEndName | null {
  const written = valueAt(listener, ['frontend']);
  return written === undefined ? FRONT_END : (FRONT_ENDS.find((name) => name === written) ?? null);
}

const OWN_SOCKET = 'uWebSockets.js opens its socket itself';
const OWN_TLS_13 = 'BoringSSL of uWebSockets.js takes its own';
const OWN_SESSIONS = 'uWebSockets.js leaves sessions to BoringSSL';
const NO_HANDSHAKE_COUNT = 'uWebSockets.js does not count handshakes';
const NO_COUNT = 'uWebSockets.js does not ask whether it may accept';

/**
 * The settings of an l7 listener that only the native front end has, by path below the listener, and why the uws front end lacks each.
 * Beside `frontend: uws` they are refused, and a printed configuration leaves them out.
 */
export const NATIVE_SETTINGS: readonly (readonly [path: Path, why: string])[] = [
  [['socketMode'], 'uWebSockets.js has no UNIX sockets'],
  [['deferAccept'], OWN_SOCKET],
  [['proxyProtocol'], 'uWebSockets.js as it is loaded here reads no PROXY header'],
  [['keepAlive'], OWN_SOCKET],
  [['timeouts', 'writeStall'], 'uWebSockets.js has a fixed time of about 14 s'],
  [['timeouts', 'preface'], 'uWebSockets.js as it is loaded here reads no PROXY header'],
  [['limits', 'targetBytes'], 'uWebSockets.js limits the head as a whole'],
  [['limits', 'minBodyRate'], 'uWebSockets.js has a fixed rate of about 16 KB/s'],
  [['limits', 'requestsPerConnection'], 'uWebSockets.js does not count the requests of a connection'],
  [['http2'], 'uWebSockets.js speaks HTTP/1.1'],
  [['tls', 'cipherSuites'], OWN_TLS_13],
  [['tls', 'curves'], OWN_TLS_13],
  [['tls', 'tickets'], OWN_SESSIONS],
  [['tls', 'sessionCache'], OWN_SESSIONS],
  [['tls', 'handshakeTimeout'], 'uWebSockets.js has a fixed time of 10 s'],
  [['tls', 'handshakes'], NO_HANDSHAKE_COUNT],
  [['tls', 'handshakesPerClient'], NO_HANDSHAKE_COUNT],
  [['tls', 'earlyData'], 'uWebSockets.js takes no early data'],
  [['tls', 'clientAuth', 'crl'], 'uWebSockets.js reads no revocation lists'],
  [['tls', 'clientAuth', 'depth'], 'uWebSockets.js does not limit the chain'],
  [['tls', 'clientAuth', 'headers'], 'uWebSockets.js does not tell what clients show'],
  [['limits', 'connections'], NO_COUNT],
  [['limits', 'connectionsPerClient'], NO_COUNT],
  [['limits', 'newConnectionsPerClient'], NO_COUNT],
];
