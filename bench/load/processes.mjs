/** Starts the programs of a run on their processors, and ends every one of them, whatever happens. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long a program may take to end after SIGTERM. */
const END_PATIENCE_MS = 3_000;
const KEPT_ERROR_TEXT = 2_000;
/** Where only root looks, Debian keeps nginx and haproxy. */
const SYSTEM_FOLDERS = '/usr/sbin:/sbin';

/** This process's environment, with the system's own programs on PATH. */
export function withSystemPrograms() {
  return { ...process.env, PATH: `${process.env.PATH}:${SYSTEM_FOLDERS}` };
}

/** Says whether a program is on PATH. @param {string} program */
export function isInstalled(program) {
  return spawnSync('sh', ['-c', 'command -v -- "$0"', program], { env: withSystemPrograms() }).status === 0;
}

/** A program that runs. */
export class RunningProgram {
  /** @param {import('node:child_process').ChildProcess} child @param {string} name */
  constructor(child, name) {
    this.child = child;
    this.name = name;
    this.errorText = '';
    this.hasEnded = false;
    child.stderr?.on('data', (chunk) => (this.errorText = (this.errorText + chunk).slice(-KEPT_ERROR_TEXT)));
    // 'close', not 'exit': what it printed last has been read by then. A program that could not be started never exits.
    const isOver = new Promise((resolve) => {
      child.once('close', resolve);
      child.once('error', (error) => {
        this.errorText = error.message;
        resolve(null);
      });
    });
    this.ended = isOver.then((code) => {
      this.hasEnded = true;
      return code;
    });
    // A pipe that nobody reads would stop the program once it is full.
    child.stdout?.resume();
  }

  /** Waits for the end. @returns {Promise<string>} what it printed @throws Error with its own words when it failed */
  async output() {
    let text = '';
    this.child.stdout.on('data', (chunk) => (text += chunk));
    const code = await this.ended;
    if (code !== 0)
      throw new Error(`${this.name} ended with ${code ?? 'a signal'}: ${this.errorText.trim() || text.slice(-300)}`);
    return text;
  }

  /** taskset replaces itself with the program: the pid is the program's own. */
  get pid() {
    return this.child.pid;
  }

  async end() {
    if (this.hasEnded) return;
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), END_PATIENCE_MS);
    await this.ended;
    clearTimeout(timer);
  }

  kill() {
    this.#signal('SIGKILL');
  }

  /** The whole group: nginx has children of its own. */
  #signal(signal) {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

/** The programs and the scratch directory of one run. */
export class Programs {
  #running = new Set();
  #closeNow = () => this.closeNow();

  /** Whatever ends this process takes its programs along; an interrupted run leaves nothing behind. */
  constructor() {
    process.once('exit', this.#closeNow);
    this.directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    // nginx started by root reads files as another user.
    chmodSync(this.directory, 0o755);
  }

  /**
   * Starts a program on some processors, in a process group of its own.
   *
   * @param {{ name: string, processors: readonly number[], command: string, args: readonly string[], cwd?: string, env?: Record<string, string> }} what
   * @returns {RunningProgram}
   */
  start({ name, processors, command, args, cwd, env = {} }) {
    const child = spawn('taskset', ['-c', processors.join(','), command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      cwd,
      env: { ...withSystemPrograms(), ...env },
    });
    const program = new RunningProgram(child, name);
    this.#running.add(program);
    void program.ended.then(() => this.#running.delete(program));
    return program;
  }

  /** Writes a file into the scratch directory. @param {string} name @param {string | Uint8Array} bytes @returns its path */
  file(name, bytes) {
    const path = join(this.directory, name);
    writeFileSync(path, bytes);
    return path;
  }

  /** Ends everything and removes the scratch directory. Idempotent. */
  async close() {
    await Promise.all([...this.#running].map((program) => program.end()));
    rmSync(this.directory, { recursive: true, force: true });
    process.off('exit', this.#closeNow);
  }

  /** The same at once, where nothing can be waited for. */
  closeNow() {
    for (const program of this.#running) program.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A port nobody listens on at this moment. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = probe.address();
        probe.close(() => resolve(port));
      });
  });
}
