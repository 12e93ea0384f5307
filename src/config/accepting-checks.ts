/** Checks how a listener accepts, of mode l4 or with the native front end: its socket, and whom it believes. */
import type { ListenAddress } from './address.js';
import { SOCKET_MODE } from './defaults.js';
import type { Findings } from './findings.js';
import type { Path } from './problem.js';
import { formatFileMode } from './schema/field.js';

type Section = Readonly<Record<string, unknown>>;

/** Checks the plain values of one listener. Values that the schema refuses are passed over. @param address null: malformed */
export function checkAccepting(listener: Section, address: ListenAddress | null, path: Path, findings: Findings): void {
  if (address === null) return;
  checkSocket(listener, address, path, findings);
  checkTrust(listener, address, path, findings);
}

function checkSocket(listener: Section, address: ListenAddress, path: Path, findings: Findings): void {
  if (address.kind === 'unix' && listener.accept === 'reuseport') {
    findings.report(
      [...path, 'accept'],
      listener.accept,
      'is reuseport, but a UNIX socket cannot be shared by several acceptors',
      'write accept: primary, which is the default',
    );
  }
  // The default stands in every printed configuration, where it harms nobody.
  if (listener.socketMode === undefined || listener.socketMode === formatFileMode(SOCKET_MODE)) return;
  if (address.kind === 'unix' && address.path.startsWith('/')) return;
  findings.report(
    [...path, 'socketMode'],
    listener.socketMode,
    address.kind === 'unix'
      ? 'has nothing to hold for: an abstract socket has no file'
      : 'has nothing to hold for: this listener has no UNIX socket',
    address.kind === 'unix' ? 'remove it, or write bind: unix:/path' : 'remove it',
  );
}

/**
 * A header of every connection that is believed from none would put all clients behind one address: limits of a client would hit
 * all of them together, and endpoints would be told the proxy's address. No configuration can want that, hence no mere warning.
 * Over a UNIX socket the file's permissions say who is believed.
 */
function checkTrust(listener: Section, address: ListenAddress, path: Path, findings: Findings): void {
  const { proxyProtocol, trustedProxies = [] } = listener;
  if (proxyProtocol !== true || address.kind === 'unix') return;
  if (!Array.isArray(trustedProxies) || trustedProxies.length > 0) return;
  findings.report(
    [...path, 'proxyProtocol'],
    proxyProtocol,
    'is true, but there are no trustedProxies, so nobody would be believed',
    'name the addresses of the proxies in front: trustedProxies: [ 10.0.0.0/8 ]',
  );
}
