/**
 * Compares sluice in L4 mode with nginx stream and HAProxy tcp: all candidates interleaved round by round in one run, the proxy alone on
 * the last processor, load and endpoint on the first. What counts is the CPU time of the proxy's processes for each answer, and its ratio
 * to the better peer within this run. `extra` is what the whole machine was busy for an answer, kernel threads included, less than the
 * same without a proxy.
 *
 *   node bench/load/compare-l4.mjs [--rounds 5] [--duration 4] [--loads small,big,huge,new] [--relay adaptive,copy,splice]
 *     [--accept primary,reuseport] [--workers 1] [--peers nginx,nginx-64k,haproxy,haproxy-splice] [--json FILE]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
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
import { cpuUs, machineBusyUs, median, spread } from './figures.mjs';

const MIB = 1024 * 1024;

/** What clients do. */
const LOADS = {
  small: { title: 'small requests, 64 kept connections', connections: 64, path: '/' },
  big: { title: '1 MiB answers, 16 connections', connections: 16, path: '/big' },
  huge: { title: '64 MiB answers, 2 connections', connections: 2, path: '/huge' },
  new: {
    title: 'a new connection for each request, 64 at a time',
    connections: 64,
    path: '/',
    heads: ['Connection: close'],
  },
};

/** nginx and HAProxy as they come, and with what their manuals offer for throughput. */
const PEERS = {
  nginx: nginxStream('16k'),
  'nginx-64k': nginxStream('64k'),
  haproxy: haproxyTcp(''),
  'haproxy-splice': haproxyTcp('option splice-auto'),
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    duration: { type: 'string', default: '4' },
    loads: { type: 'string', default: Object.keys(LOADS).join(',') },
    relay: { type: 'string', default: 'adaptive' },
    accept: { type: 'string', default: 'primary' },
    workers: { type: 'string', default: '1' },
    peers: { type: 'string', default: Object.keys(PEERS).join(',') },
    json: { type: 'string' },
  },
});
const rounds = positive('rounds');
const durationS = positive('duration');
const loads = chosen('loads', LOADS);
const peers = chosen('peers', PEERS).filter((name) => {
  if (hasProgram(name.split('-')[0])) return true;
  console.log(`${name} is not installed: left out`);
  return false;
});
const variants = list('relay').flatMap((relay) => list('accept').map((accept) => ({ relay, accept })));
/** Of one run of wrk, its start and all around it. */
const runMs = (durationS + 6) * 1000;
limitRun(60_000 + loads.length * (rounds + 1) * (variants.length + peers.length + 1) * runMs);
needPrograms({ wrk: 'wrk', nginx: 'nginx-light' });
const streamModule = peers.some((name) => name.startsWith('nginx')) ? nginxStreamModule() : '';

function positive(name) {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1) stop(`--${name} needs a whole number above 0`, 1);
  return number;
}

function list(name) {
  return values[name].split(',').filter(Boolean);
}

function chosen(name, known) {
  for (const word of list(name)) {
    if (known[word] === undefined) stop(`--${name}: ${word} is none of ${Object.keys(known).join(', ')}`, 1);
  }
  return list(name);
}

/** The line that loads nginx's stream module; empty where it is built in. */
function nginxStreamModule() {
  const { stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' });
  if (/--with-stream(?!=dynamic|[_-])/.test(stderr)) return '';
  const folder = /--modules-path=(\S+)/.exec(stderr)?.[1] ?? '/usr/lib/nginx/modules';
  const file = `${folder}/ngx_stream_module.so`;
  if (!existsSync(file)) stop('nginx has no stream module: apt-get install libnginx-mod-stream', 2);
  return `load_module ${file};`;
}

function nginxStream(bufferSize) {
  return (port, endpointPort) =>
    startNginx(proxyCore, 'nginx-stream.conf', { port, endpointPort, bufferSize, loadModule: streamModule });
}

function haproxyTcp(splice) {
  return (port, endpointPort) =>
    start(proxyCore, 'haproxy', ['-f', configFile('haproxy-tcp.cfg', { port, endpointPort, splice })]);
}

function startSluice(port, endpointPort, { relay, accept }) {
  const addresses = ['--listen', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${endpointPort}`, '--admin', 'off'];
  const manner = ['--workers', values.workers, '--relay', relay, '--accept', accept, '--log-level', 'warn'];
  return start(proxyCore, process.execPath, ['dist/cli/main.js', 'run', '--mode', 'l4', ...addresses, ...manner]);
}

/** Bytes of one whole answer, head and body. */
function answerBytes(port, { path, heads = [] }) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let total = 0;
    let wanted;
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no whole answer to ${path}`)));
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      if (wanted === undefined) {
        const head = chunk.toString('latin1', 0, chunk.indexOf('\r\n\r\n') + 4);
        const length = /^content-length: (\d+)/im.exec(head)?.[1];
        if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) socket.destroy(new Error(`no answer: ${head}`));
        wanted = head.length + Number(length);
      }
      total += chunk.length;
      if (total < wanted) return;
      socket.destroy();
      resolve(total);
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${heads.map((line) => `${line}\r\n`).join('')}\r\n`,
    );
  });
}

/** One candidate under one load for one round. */
async function measure({ port, child }, load, bytesEach) {
  const cpuBefore = child === undefined ? 0 : cpuUs(child.pid);
  const busyBefore = machineBusyUs();
  const result = await runLoad(port, durationS, load);
  const busy = machineBusyUs() - busyBefore;
  const cpu = child === undefined ? 0 : cpuUs(child.pid) - cpuBefore;
  // Of large answers the last ones are not whole: parts count as parts.
  const count = result.bytes / bytesEach;
  const problem = Math.abs(count - result.requests) > load.connections ? 'answers of a wrong length' : '';
  return {
    cpuUs: cpu / count,
    busyUs: busy / count,
    perSecond: count / durationS,
    errors: [result.errors, problem].filter(Boolean).join(', '),
  };
}

/** All candidates under one load. @returns rows by name; each figure as it was in every round */
async function compare(candidates, load, bytesEach) {
  const figures = new Map(candidates.map(({ name }) => [name, []]));
  for (const { port } of candidates) await runLoad(port, 1, load); // warm up
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? candidates : [...candidates].reverse();
    for (const candidate of order) figures.get(candidate.name).push(await measure(candidate, load, bytesEach));
    process.stderr.write(`${load.path}: round ${round + 1} of ${rounds}\r`);
  }
  const direct = figures.get('direct');
  return candidates.map(({ name }) => {
    const all = figures.get(name);
    return {
      name,
      cpuUs: all.map((figure) => figure.cpuUs),
      extraUs: all.map((figure, round) => figure.busyUs - direct[round].busyUs),
      perSecond: all.map((figure) => figure.perSecond),
      errors: [...new Set(all.map((figure) => figure.errors).filter(Boolean))].join('; '),
    };
  });
}

/** The figure of the better peer; NaN without peers. */
function betterPeer(rows, figureOf) {
  const costs = rows.filter(({ name }) => PEERS[name] !== undefined).map(figureOf);
  return costs.length === 0 ? Number.NaN : Math.min(...costs);
}

function tableOf(rows) {
  const least = betterPeer(rows, ({ cpuUs: all }) => Math.min(...all));
  const middle = betterPeer(rows, ({ cpuUs: all }) => median(all));
  const leastExtra = betterPeer(rows, ({ extraUs: all }) => median(all));
  return Object.fromEntries(
    rows.map(({ name, cpuUs: cpu, extraUs: extra, perSecond, errors }) => {
      const rate = { 'answers/s (median)': Number(median(perSecond).toPrecision(4)), errors };
      if (name === 'direct') return [name, rate];
      return [
        name,
        {
          'CPU us (min)': Math.min(...cpu).toFixed(2),
          median: median(cpu).toFixed(2),
          'spread %': (spread(cpu) * 100).toFixed(0),
          'of better peer (min)': (Math.min(...cpu) / least).toFixed(3),
          '(median)': (median(cpu) / middle).toFixed(3),
          'extra us (median)': median(extra).toFixed(1),
          'of better peer': (median(extra) / leastExtra).toFixed(3),
          ...rate,
        },
      ];
    }),
  );
}

const endpointPort = await startEndpoint({ big: MIB, huge: 64 * MIB });
const candidates = [];
for (const variant of variants) {
  const port = await freePort();
  const extras = [variant.relay, variant.accept].filter((word) => word !== 'adaptive' && word !== 'primary');
  candidates.push({ name: ['sluice', ...extras].join(' '), port, child: startSluice(port, endpointPort, variant) });
}
for (const name of peers) {
  const port = await freePort();
  candidates.push({ name, port, child: PEERS[name](port, endpointPort) });
}
for (const { port } of candidates) await answers(port);
candidates.push({ name: 'direct', port: endpointPort, child: undefined });

console.log(`${machineLine()}, ${rounds} rounds of ${durationS} s, sluice with ${values.workers} worker(s)`);
const report = {};
let hasErrors = false;
for (const name of loads) {
  const load = LOADS[name];
  const rows = await compare(candidates, load, await answerBytes(endpointPort, load));
  report[name] = rows;
  hasErrors ||= rows.some(({ errors }) => errors !== '');
  console.log(`\n${load.title}`);
  console.table(tableOf(rows));
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
stop(hasErrors ? 'some answers failed: the figures do not count' : '', hasErrors ? 1 : 0);
