/**
 * One run of a load bench: starts proxies, endpoints and load on processors of their own, and ends all of them whatever happens. Every
 * process leads a group, so that what it has started ends with it; nothing waits without a limit.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The repository. */
export const root = join(here, '..', '..');

/** The proxy alone on the last processor; load and endpoint on the first. */
export const proxyCore = String(availableParallelism() - 1);
export const loadCore = '0';

/** wrk ends by itself; this much later it hangs. */
const LOAD_GRACE_MS = 10_000;
const ANSWER_TRIES = 200;
const ANSWER_PAUSE_MS = 50;

/** The body of `/` of the endpoint. */
const BODY_BEGINNING = 'The quick';

const children = new Set();
const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
// nginx started by root reads files as another user.
chmodSync(directory, 0o755);

function endAll() {
  for (const child of children) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  }
  children.clear();
  rmSync(directory, { recursive: true, force: true });
}

/** Ends everything and the bench. */
export function stop(sentence, code) {
  if (sentence) console.error(sentence);
  endAll();
  process.exit(code);
}

process.on('exit', endAll);
process.on('SIGINT', () => stop('interrupted', 130));
process.on('SIGTERM', () => stop('ended by a signal', 143));
process.on('uncaughtException', (error) => stop(error.stack, 1));

/** Gives the bench up when it takes longer than this. */
export function limitRun(ms) {
  setTimeout(() => stop(`not done after ${Math.round(ms / 1000)} s: given up`, 1), ms).unref();
}

/** Does the system have this program? */
export function hasProgram(name) {
  return spawnSync('which', [name]).status === 0;
}

/** Ends the bench where a program is missing that it cannot do without. */
export function needPrograms(packages) {
  for (const [program, packageName] of Object.entries(packages)) {
    if (!hasProgram(program)) stop(`${program} is not installed: apt-get install ${packageName}`, 2);
  }
}

/** Below the ports that the system gives to outgoing connections: none of them can take it before the candidate does. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;

/** A port of 127.0.0.1 where nobody listens. */
export async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const isFree = await new Promise((resolve) => {
      const probe = createServer().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** Starts a program on one processor. @returns the child; its pid is the program's, since taskset becomes it */
export function start(core, command, args) {
  const child = spawn('taskset', ['-c', core, command, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: root,
    detached: true,
  });
  children.add(child);
  child.on('exit', (code) => code && console.error(`${command} ended with ${code}`));
  return child;
}

/** Writes the configuration `peers/NAME` with its facts filled in. @returns the path */
export function configFile(name, facts) {
  const text = readFileSync(join(here, 'peers', name), 'utf8').replace(/\{\{(\w+)\}\}/g, (_, key) => {
    if (!(key in facts) && key !== 'dir') throw new Error(`${name} needs ${key}`);
    return String(facts[key] ?? directory);
  });
  const file = join(directory, `${name}-${facts.port}`);
  writeFileSync(file, text);
  return file;
}

/** Starts nginx with a configuration of `peers`. */
export function startNginx(core, name, facts) {
  return start(core, 'nginx', ['-c', configFile(name, facts), '-p', directory]);
}

/** Waits until a port answers `/` as the endpoint does; ends the bench when it does not. */
export async function answers(port) {
  for (let tries = 1; ; tries++) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) });
      const body = await response.text();
      if (response.status === 200 && body.startsWith(BODY_BEGINNING)) return;
      throw new Error(`status ${response.status}, ${body.length} bytes`);
    } catch (error) {
      if (tries === ANSWER_TRIES) stop(`the candidate on port ${port} does not answer: ${error.message}`, 1);
      await new Promise((resolve) => setTimeout(resolve, ANSWER_PAUSE_MS));
    }
  }
}

/** Starts the endpoint behind every candidate. @param files sizes in bytes, by name: `/NAME` answers so many. @returns its port */
export async function startEndpoint(files) {
  const port = await freePort();
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), Buffer.alloc(bytes, 'x'));
  startNginx(loadCore, 'nginx-endpoint.conf', { port });
  await answers(port);
  return port;
}

/**
 * Lets wrk ask for `path` for some seconds.
 *
 * @param load connections, path, heads (header lines)
 * @returns requests, bytes, perSecond, p99Us, and errors: '' or what went wrong
 */
export async function runLoad(port, seconds, { connections, path, heads = [] }) {
  const child = spawn(
    'taskset',
    [
      ...['-c', loadCore, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s'],
      ...['-s', join(here, 'wrk-report.lua')],
      ...heads.flatMap((line) => ['-H', line]),
      `http://127.0.0.1:${port}${path}`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  children.add(child);
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + LOAD_GRACE_MS);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  children.delete(child);
  const line = text.split('\n').find((candidate) => candidate.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`wrk ended with ${code ?? 'a signal'}:\n${text}`);
  const { requests, bytes, durationUs, p99Us, ...counts } = JSON.parse(line);
  const errors = Object.entries(counts).filter(([, count]) => count > 0);
  return {
    requests,
    bytes,
    p99Us,
    perSecond: (requests * 1e6) / durationUs,
    errors: errors.map(([kind, count]) => `${count} ${kind}`).join(', '),
  };
}

/** What the figures were measured on. */
export function machineLine() {
  return `${cpus()[0].model}, ${availableParallelism()} processors, node ${process.version}`;
}
