/** A process that a chaos run starts and talks to by messages: it ends with whoever started it, even stopped or after a crash. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../harness/programs.js';

const SETPRIV = findProgram('setpriv', 'util-linux');

/**
 * Words in front of a command: the kernel kills the process when its parent dies, also while it is stopped (SIGSTOP). Without setpriv
 * processes end when the channel to their parent closes, and stopped ones do not.
 */
export const DIES_WITH_PARENT: readonly string[] = SETPRIV === undefined ? [] : [SETPRIV, '--pdeathsig', 'KILL'];

/** A message that asks for an answer. */
interface Answer<Result> {
  readonly did: number;
  readonly result: Result;
}

/** Always `kill` it. */
export class TalkingChild {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #asked = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'close');
    child.setMaxListeners(0);
  }

  /**
   * Starts a program of ./children and waits until it says that it is ready.
   *
   * @param wrap words in front of the command
   */
  static async start(program: string, options: object, wrap: readonly string[] = []): Promise<TalkingChild> {
    const path = fileURLToPath(new URL(`./children/${program}.mjs`, import.meta.url));
    const command = [...wrap, ...DIES_WITH_PARENT, process.execPath, path, JSON.stringify(options)];
    const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const talking = new TalkingChild(child);
    await talking.#answer(0);
    return talking;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Tells it to do something. @returns what it says when that is done @throws Error when it ends before */
  async ask<Result = unknown>(message: object): Promise<Result> {
    const number = ++this.#asked;
    this.#child.send({ ...message, number });
    return (await this.#answer<Result>(number)).result;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.#child.kill(signal);
  }

  /** Waits until it has ended, by itself or by a signal. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** SIGKILL, whatever it does. Idempotent. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }

  #answer<Result>(number: number): Promise<Answer<Result>> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void): void => {
        this.#child.off('message', take);
        this.#child.off('exit', end);
        act();
      };
      const take = (message: unknown): void => {
        const answer = message as Answer<Result>; // of our own programs
        if (answer.did === number) done(() => resolve(answer));
      };
      const end = (): void => done(() => reject(new Error('a process of the chaos run has ended before it answered')));
      this.#child.on('message', take);
      this.#child.on('exit', end);
      if (this.hasEnded) end();
    });
  }
}
