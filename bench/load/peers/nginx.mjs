/** nginx as an HTTP proxy, with the forwarded fields that sluice adds and bare, and as a proxy of TCP sessions. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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

function command({ programs, port, endpointPorts, workers }, template, values) {
  const file = configFile(programs, new URL(template, import.meta.url), {
    dir: programs.directory,
    port,
    workers,
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
  isHere: () => isInstalled('nginx') && hasStream(),
  hint: 'apt-get install nginx-light libnginx-mod-stream',
  command: (options) =>
    command(options, 'nginx-stream.conf', {
      loadModule: existsSync(STREAM_MODULE) ? `load_module ${STREAM_MODULE};` : '',
    }),
};
