/** HAProxy as an HTTP proxy, and as a proxy of TCP sessions. */

import { CIPHER_SUITE, certificateFiles } from '../certificates.mjs';
import { isInstalled } from '../processes.mjs';
import { configFile } from './peer.mjs';

function tlsOf(programs, { tls, protocol }) {
  if (tls === null) return '';
  const alpn = protocol === 'h2' ? 'h2,http/1.1' : 'http/1.1';
  return `ssl crt ${certificateFiles(programs, tls).both} ssl-min-ver TLSv1.3 ciphersuites ${CIPHER_SUITE} alpn ${alpn}`;
}

function command({ programs, port, endpointPorts, workers, scenario }, template, values) {
  const file = configFile(programs, new URL(template, import.meta.url), {
    port,
    workers,
    tls: tlsOf(programs, scenario),
    balance: endpointPorts.length > 1 ? 'leastconn' : 'roundrobin',
    endpoints: endpointPorts.map((endpointPort, index) => `  server e${index} 127.0.0.1:${endpointPort}`).join('\n'),
    ...values,
  });
  return { command: 'haproxy', args: ['-q', '-f', file] };
}

/** As an HTTP proxy. */
export const haproxy = {
  name: 'haproxy',
  layer: 'l7',
  hasTls: true,
  isHere: () => isInstalled('haproxy'),
  hint: 'apt-get install haproxy',
  command: (options) => command(options, 'haproxy.cfg', {}),
};

/** Splices where it thinks it worth while, as its manual recommends for bulk. */
export const haproxyTcp = {
  ...haproxy,
  layer: 'l4',
  hasTls: false,
  command: (options) => command(options, 'haproxy-tcp.cfg', { splice: 'option splice-auto', bufferBytes: 16_384 }),
};

/** Never splices, with a larger buffer. */
export const haproxyTcpCopy = {
  ...haproxyTcp,
  name: 'haproxy-copy',
  command: (options) => command(options, 'haproxy-tcp.cfg', { splice: 'no option splice-auto', bufferBytes: 65_536 }),
};
