/**
 * Holds idle connections open: connects, sends one request on each if told to, says "ready", and resets them all when it is told
 * to end. Arguments: port, how many, 'request' or 'silent', 'plain' or 'tls'.
 */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const [portText, countText, kind, way] = process.argv.slice(2);
const port = Number(portText);
const count = Number(countText);
const AT_ONCE = 200;
const sockets = [];

function open() {
  return new Promise((resolve, reject) => {
    const isTls = way === 'tls';
    const socket = isTls
      ? connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
      : connect(port, '127.0.0.1');
    const isThere = isTls ? 'secureConnect' : 'connect';
    socket.once('error', reject);
    if (kind === 'silent') socket.once(isThere, resolve);
    else {
      socket.once(isThere, () => socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`));
      socket.once('data', resolve);
    }
    sockets.push(socket);
  });
}

for (let done = 0; done < count; done += AT_ONCE)
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - done) }, open));
for (const socket of sockets) socket.on('error', () => undefined);
process.once('SIGTERM', () => {
  // A reset leaves no TIME_WAIT behind: the next round needs the ports.
  for (const socket of sockets) way === 'tls' ? socket.destroy() : socket.resetAndDestroy();
});
process.stdout.write('ready\n');
