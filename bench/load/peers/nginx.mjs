/** nginx as an HTTP proxy, with the forwarded fields that sluice adds and bare, and as a proxy of TCP sessions. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CIPHER_SUITE, certificateFiles } from '../certificates.mjs';
import { isInstalled, withSystemPrograms } from '../processes.mjs';
import { configFile } from './peer.mjs';

const FIELDS = `proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header Via "1.1 nginx";
      proxy_set_header X-Request-Id $request_id;`;
const NO_FIELDS = 'proxy_set_header Connection "";';
/** Debian keeps the stream module in a package of its own; elsewhere it is built in. */
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Says whether this nginx can proxy TCP: built in, or as the module that Debian packages. */
function hasStream() {
  const { stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8', env: withSystemPrograms() });
  return existsSync(STREAM_MODULE) || / --with-stream( |$)/m.test(stderr);
}

/** TLS 1.3 with tickets as nginx gives them unless told. @returns what stands behind the address, and the lines below it */
function tlsOf(programs, { tls, protocol }) {
  if (tls === null) return { listen: '', tlsLines: '' };
  const { cert, key } = certificateFiles(programs, tls);
  return {
    listen: protocol === 'h2' ? 'ssl http2' : 'ssl',
    tlsLines: `ssl_certificate ${cert}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites ${CIPHER_SUITE};`,
  };
}

function command({ programs, port, endpointPorts, workers, scenario }, template, values) {
  const file = configFile(programs, new URL(template, import.meta.url), {
    dir: programs.directory,
    port,
    workers,
    ...tlsOf(programs, scenario),
    balance: endpointPorts.length > 1 ? 'least_conn;' : '',
    endpoints: endpointPorts.map((endpointPort) => `server 127.0.0.1:${endpointPort};`).join(' '),
    ...values,
  });
  return { command: 'nginx', args: ['-c', file, '-p', programs.directory] };
}

/** Adds the forwarded fields that sluice adds. */
export const nginx = {
  name: 'nginx',
  layer: 'l7',
  hasTls: true,
  isHere: () => isInstalled('nginx'),
  hint: 'apt-get install nginx-light',
  command: (options) => command(options, 'nginx.conf', { fields: FIELDS }),
};

/** As bare as it gets: adds no field. The harder figure to meet. */
export const nginxBare = {
  ...nginx,
  name: 'nginx-bare',
  command: (options) => command(options, 'nginx.conf', { fields: NO_FIELDS }),
};

/** Sessions of TCP. */
export const nginxStream = {
  ...nginx,
  layer: 'l4',
  hasTls: false,
  isHere: () => isInstalled('nginx') && hasStream(),
  hint: 'apt-get install nginx-light libnginx-mod-stream',
  command: (options) =>
    command(options, 'nginx-stream.conf', {
      loadModule: existsSync(STREAM_MODULE) ? `load_module ${STREAM_MODULE};` : '',
    }),
};
