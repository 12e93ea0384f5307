/**
 * Compares sluice with its peers side by side: all candidates interleaved round by round in one run, the proxy alone on
 * the last processor, load and endpoint on the first. What counts is the proxy's own CPU time for each request, from /proc, and the
 * ratio to nginx within this run; requests a second say little here, since load and endpoint share one processor.
 *
 *   node bench/load/compare-peers.mjs [--rounds 5] [--duration 4] [--connections 64] [--path /] [--peers nginx,nginx-bare,haproxy,http-proxy]
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
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
const proxyCore = String(availableParallelism() - 1);
const loadCore = '0';
const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const children = [];

for (const tool of ['wrk', 'nginx']) {
  if (spawnSync('which', [tool]).status !== 0)
    stop(`${tool} is not installed: apt-get install ${tool === 'nginx' ? 'nginx-light' : tool}`, 2);
}

function stop(sentence, code) {
  if (sentence) console.error(sentence);
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
  process.exit(code);
}
process.on('SIGINT', () => stop('interrupted', 130));

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function start(core, command, args) {
  const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', 'ignore', 'inherit'], cwd: root });
  children.push(child);
  child.on('exit', (code) => code && !child.killed && console.error(`${command} ended with ${code}`));
  return child;
}

function config(name, facts) {
  const text = readFileSync(join(here, 'peers', name), 'utf8').replace(/\{\{(\w+)\}\}/g, (_, key) =>
    String(facts[key]),
  );
  const file = join(directory, `${name}-${facts.port}`);
  writeFileSync(file, text);
  return file;
}

async function answers(port) {
  for (let i = 0; i < 200; i++) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      const body = await response.text();
      if (response.status === 200 && body.startsWith('The quick')) return;
      throw new Error(`status ${response.status}`);
    } catch (error) {
      if (i === 199) stop(`the candidate on port ${port} does not answer: ${error.message}`, 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** CPU time of a process and its descendants, all threads, in microseconds. */
function cpuUs(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map();
  const times = new Map();
  for (const id of all) {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(id), Number(fields[1]));
      // schedstat has nanoseconds for each thread; the ticks of stat are too coarse for short rounds.
      let ns = 0;
      for (const task of readdirSync(`/proc/${id}/task`)) {
        ns += Number(readFileSync(`/proc/${id}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      }
      times.set(Number(id), ns / 1000);
    } catch {
      // ended between the listing and the reading
    }
  }
  const own = (id) =>
    (times.get(id) ?? 0) +
    [...parents].filter(([, parent]) => parent === id).reduce((sum, [child]) => sum + own(child), 0);
  return own(pid);
}

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

function load(port, seconds) {
  const heads = values['browser-head'] ? browserHead.flatMap((line) => ['-H', line]) : [];
  return new Promise((resolve) => {
    const args = [
      '-c',
      loadCore,
      'wrk',
      '-t1',
      `-c${values.connections}`,
      `-d${seconds}s`,
      '--latency',
      ...heads,
      `http://127.0.0.1:${port}${values.path}`,
    ];
    const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.on('close', () => {
      resolve({
        requests: Number(/(\d+) requests in/.exec(text)?.[1]),
        perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
        p99: /99%\s+(\S+)/.exec(text)?.[1] ?? '?',
        errors: /Socket errors.*|Non-2xx.*/g.exec(text)?.[0] ?? '',
      });
    });
  });
}

const endpointPort = await freePort();
start(loadCore, 'nginx', [
  '-c',
  config('nginx-endpoint.conf', { port: endpointPort, dir: directory }),
  '-p',
  directory,
]);
// nginx started by root reads files as another user.
chmodSync(directory, 0o755);
writeFileSync(join(directory, 'big'), Buffer.alloc(1024 * 1024, 'x'));
await answers(endpointPort);

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
  nginx: (port) =>
    start(proxyCore, 'nginx', [
      '-c',
      config('nginx-proxy.conf', { port, endpointPort, dir: directory }),
      '-p',
      directory,
    ]),
  'nginx-bare': (port) =>
    start(proxyCore, 'nginx', [
      '-c',
      config('nginx-proxy-bare.conf', { port, endpointPort, dir: directory }),
      '-p',
      directory,
    ]),
  haproxy: (port) =>
    start(proxyCore, 'haproxy', ['-q', '-f', config('haproxy.cfg', { port, endpointPort, dir: directory })]),
  'http-proxy': (port) =>
    start(proxyCore, process.execPath, [join(here, 'peers/http-proxy.mjs'), String(port), String(endpointPort)]),
};
const candidates = [];
for (const name of ['sluice', ...values.peers.split(',').filter(Boolean)]) {
  if (known[name] === undefined) stop(`unknown peer ${name}; known: ${Object.keys(known).join(', ')}`, 1);
  if (name === 'haproxy' && spawnSync('which', ['haproxy']).status !== 0) {
    console.log('haproxy is not installed (apt-get install haproxy): left out');
    continue;
  }
  const port = await freePort();
  const child = known[name](port);
  await answers(port);
  candidates.push({ name, port, child, figures: [] });
}

const pidOf = ({ child }) => child.pid; // taskset execs the candidate: same pid
for (const candidate of candidates) await load(candidate.port, 1); // warm up
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? candidates : [...candidates].reverse();
  for (const candidate of order) {
    const before = cpuUs(pidOf(candidate));
    const result = await load(candidate.port, durationS);
    candidate.figures.push({ ...result, usPerRequest: (cpuUs(pidOf(candidate)) - before) / result.requests });
  }
  process.stderr.write(`round ${round + 1} of ${rounds}\r`);
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const cost = (candidate) => Math.min(...candidate.figures.map((figure) => figure.usPerRequest));
const reference = candidates.find(({ name }) => name === 'nginx') ?? candidates[0];
console.log(
  `${cpus()[0].model}, node ${process.version}, ${values.connections} connections, path ${values.path}${values['browser-head'] ? ', browser-like head' : ''}, ${rounds} rounds of ${durationS} s`,
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
        p99: candidate.figures.at(-1).p99,
        errors: candidate.figures
          .map((figure) => figure.errors)
          .filter(Boolean)
          .join('; '),
      },
    ]),
  ),
);
stop('', candidates.some((candidate) => candidate.figures.some((figure) => figure.errors)) ? 1 : 0);
