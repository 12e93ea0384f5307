/**
 * Compares sluice with its peers side by side: all candidates interleaved round by round in one run, the proxy alone on
 * the last processor, load and endpoint on the first. What counts is the proxy's own CPU time for each request, from /proc, and the
 * ratio to nginx within this run; requests a second say little here, since load and endpoint share one processor.
 *
 *   node bench/load/compare-peers.mjs [--rounds 5] [--duration 4] [--connections 64] [--path /] [--peers nginx,nginx-bare,haproxy,http-proxy]
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  answers,
  configFile,
  freePort,
  hasProgram,
  limitRun,
  machineLine,
  needPrograms,
  proxyCore,
  runLoad,
  start,
  startEndpoint,
  startNginx,
  stop,
} from './bench-run.mjs';
import { cpuUs, median } from './figures.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    duration: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    path: { type: 'string', default: '/' },
    peers: { type: 'string', default: 'nginx,nginx-bare,haproxy,http-proxy' },
    'browser-head': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const durationS = Number(values.duration);
const peers = values.peers.split(',').filter(Boolean);
limitRun(60_000 + (peers.length + 1) * rounds * (durationS + 5) * 1000);
needPrograms({ wrk: 'wrk', nginx: 'nginx-light' });

const browserHead = [
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-US,en;q=0.5',
  'Cache-Control: no-cache',
  'Cookie: session=4f9d1c2b7a6e5d8c3b2a19087f6e5d4c; theme=dark; consent=yes',
  'DNT: 1',
  'Pragma: no-cache',
  'Referer: https://www.example.com/some/page',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
];

const load = {
  connections: Number(values.connections),
  path: values.path,
  heads: values['browser-head'] ? browserHead : [],
};
const endpointPort = await startEndpoint({ big: 1024 * 1024 });

const known = {
  sluice: (port) =>
    start(proxyCore, process.execPath, [
      'dist/cli/main.js',
      'run',
      '--listen',
      `127.0.0.1:${port}`,
      '--upstream',
      `127.0.0.1:${endpointPort}`,
      '--workers',
      '1',
      '--admin',
      'off',
      '--log-level',
      'warn',
      '--balance',
      'least-time',
    ]),
  nginx: (port) => startNginx(proxyCore, 'nginx-proxy.conf', { port, endpointPort }),
  'nginx-bare': (port) => startNginx(proxyCore, 'nginx-proxy-bare.conf', { port, endpointPort }),
  haproxy: (port) => start(proxyCore, 'haproxy', ['-q', '-f', configFile('haproxy.cfg', { port, endpointPort })]),
  'http-proxy': (port) =>
    start(proxyCore, process.execPath, [join(here, 'peers/http-proxy.mjs'), String(port), String(endpointPort)]),
};
const candidates = [];
for (const name of ['sluice', ...peers]) {
  if (known[name] === undefined) stop(`unknown peer ${name}; known: ${Object.keys(known).join(', ')}`, 1);
  if (name === 'haproxy' && !hasProgram('haproxy')) {
    console.log('haproxy is not installed (apt-get install haproxy): left out');
    continue;
  }
  const port = await freePort();
  const child = known[name](port);
  await answers(port);
  candidates.push({ name, port, child, figures: [] });
}

for (const { port } of candidates) await runLoad(port, 1, load); // warm up
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? candidates : [...candidates].reverse();
  for (const { port, child, figures } of order) {
    const before = cpuUs(child.pid);
    const result = await runLoad(port, durationS, load);
    figures.push({ ...result, usPerRequest: (cpuUs(child.pid) - before) / result.requests });
  }
  process.stderr.write(`round ${round + 1} of ${rounds}\r`);
}

const cost = (candidate) => Math.min(...candidate.figures.map((figure) => figure.usPerRequest));
const reference = candidates.find(({ name }) => name === 'nginx') ?? candidates[0];
console.log(
  `${machineLine()}, ${values.connections} connections, path ${values.path}${values['browser-head'] ? ', browser-like head' : ''}, ${rounds} rounds of ${durationS} s`,
);
console.table(
  Object.fromEntries(
    candidates.map((candidate) => [
      candidate.name,
      {
        'CPU us/req (min)': cost(candidate).toFixed(2),
        median: median(candidate.figures.map((figure) => figure.usPerRequest)).toFixed(2),
        [`of ${reference.name} (min)`]: (cost(candidate) / cost(reference)).toFixed(3),
        'requests/s (median)': Math.round(median(candidate.figures.map((figure) => figure.perSecond))),
        'p99 ms (last)': (candidate.figures.at(-1).p99Us / 1000).toFixed(1),
        errors: candidate.figures
          .map((figure) => figure.errors)
          .filter(Boolean)
          .join('; '),
      },
    ]),
  ),
);
stop('', candidates.some((candidate) => candidate.figures.some((figure) => figure.errors)) ? 1 : 0);
