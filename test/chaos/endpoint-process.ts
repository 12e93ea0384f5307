/** An endpoint of a chaos run: a process that can be killed, stopped, restarted and told to misbehave. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type BlockedEndpoint, startBlockedEndpoint } from '../harness/blocked-endpoint.js';
import { DIES_WITH_PARENT, TalkingChild } from './child-process.js';
import { ENTRY_BYTES } from './children/traffic.mjs';

/** What goes wrong with an answer on purpose; see FAULTS in children/endpoint.mjs. */
export type AnswerFault =
  | 'none'
  | 'garbage'
  | 'bad-length'
  | 'two-lengths'
  | 'bad-field'
  | 'half-head'
  | 'truncated'
  | 'bad-chunk'
  | 'surplus'
  | 'reset'
  | 'close'
  | 'never';

/** How an endpoint behaves. */
export interface EndpointMode {
  /** An answer comes after this and an evenly drawn part of the spread. */
  readonly latencyMs: number;
  readonly spreadMs: number;
  /** Share of requests that are answered with errorStatus, 0 .. 1. */
  readonly errorShare: number;
  readonly errorStatus: number;
  readonly fault: AnswerFault;
  /** Share of requests that meet the fault, 0 .. 1. */
  readonly faultShare: number;
}

const GOOD: EndpointMode = {
  latencyMs: 0,
  spreadMs: 0,
  errorShare: 0,
  errorStatus: 503,
  fault: 'none',
  faultShare: 1,
};

/** Where an endpoint lives. */
export interface EndpointPlace {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** File for what it executes. */
  readonly journal: string;
  readonly seed: number;
  /** Words in front of its command: the network namespace that it is in. */
  readonly wrap?: readonly string[];
}

/** An execution of a request. */
export interface Execution {
  readonly id: number;
  /** Lower 32 bits of the Unix time in ms. */
  readonly atMs: number;
}

/** Always `close` it. */
export class EndpointProcess {
  #child: TalkingChild;
  #block: BlockedEndpoint | undefined;
  #isListening = true;
  #isStopped = false;
  #isChanged = false;

  private constructor(
    readonly place: EndpointPlace,
    child: TalkingChild,
  ) {
    this.#child = child;
  }

  static async start(place: EndpointPlace): Promise<EndpointProcess> {
    writeFileSync(place.journal, '', { flag: 'a' });
    return new EndpointProcess(place, await launch(place));
  }

  get name(): string {
    return this.place.name;
  }

  get address(): string {
    return `${this.place.host}:${this.place.port}`;
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.#child.kill();
  }

  /** Asks it to leave: it finishes what is in flight. Resolves when it has ended. */
  async leave(): Promise<void> {
    this.#child.signal('SIGTERM');
    await this.#child.ended();
  }

  /** Starts it anew on the same port, after `kill` or `leave`. */
  async restart(): Promise<void> {
    this.#child = await launch(this.place);
    this.#isListening = true;
    this.#isStopped = false;
    this.#isChanged = false;
  }

  /** SIGSTOP: connections stay open, and nothing is answered. */
  stop(): void {
    this.#isStopped = true;
    this.#child.signal('SIGSTOP');
  }

  resume(): void {
    this.#isStopped = false;
    this.#child.signal('SIGCONT');
  }

  async behave(mode: Partial<EndpointMode>): Promise<void> {
    this.#isChanged = true;
    await this.#child.ask({ mode: { ...GOOD, ...mode } });
  }

  /** Nobody listens on its port any more, and connections are reset. */
  async refuse(): Promise<void> {
    if (!this.#isListening) return;
    this.#isListening = false;
    await this.#child.ask({ act: 'refuse' });
  }

  /** Connections are reset, and attempts to connect get no answer: the backlog is full. */
  async block(): Promise<void> {
    await this.refuse();
    this.#block = await startBlockedEndpoint({
      ...this.place,
      wrap: [...(this.place.wrap ?? []), ...DIES_WITH_PARENT],
    });
  }

  async listen(): Promise<void> {
    if (this.#isListening) return;
    await this.#block?.close();
    this.#block = undefined;
    await this.#child.ask({ act: 'listen' });
    this.#isListening = true;
  }

  /** Most requests at the same time since it was last asked. */
  peak(): Promise<number> {
    return this.#child.ask<number>({ act: 'peak' });
  }

  /** Makes it as it was at the start, whatever has been done to it. */
  async recover(): Promise<void> {
    if (this.#isStopped) this.resume();
    if (this.#child.hasEnded) return this.restart();
    await this.listen();
    if (this.#isChanged) await this.behave({});
    this.#isChanged = false;
  }

  /** What it has executed since the start of the run, over all of its processes, in order. */
  executions(): Execution[] {
    const bytes = readFileSync(this.place.journal);
    return Array.from({ length: Math.floor(bytes.length / ENTRY_BYTES) }, (_, index) => ({
      id: bytes.readUInt32LE(index * ENTRY_BYTES),
      atMs: bytes.readUInt32LE(index * ENTRY_BYTES + 4),
    }));
  }

  /** Forgets what it has executed. */
  forget(): void {
    writeFileSync(this.place.journal, '');
  }

  async close(): Promise<void> {
    await this.#block?.close();
    await this.#child.kill();
  }
}

function launch({ wrap = [], ...options }: EndpointPlace): Promise<TalkingChild> {
  return TalkingChild.start('endpoint', options, wrap);
}
