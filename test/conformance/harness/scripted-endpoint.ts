/** An endpoint on a real socket that follows the script of one case at a time, and keeps what it saw. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type EndpointStep, OK } from '../case-format.js';
import { type Changes, type Cut, PIECE_PAUSE_MS, pieces } from './changes.js';
import { type Message, MessageReader } from './message-reader.js';

/** Targets with this prefix are the runner's own: answered at once with the target as the body, and not part of what a case sees. */
export const FENCE_PREFIX = '/fence/';

/** How long a proxy may take to close its side of a connection that the endpoint has closed. */
const CLOSE_PATIENCE_MS = 250;

/** What of a case's requests an endpoint saw. */
export interface SeenByEndpoint {
  /** In the order of their heads. */
  readonly requests: readonly Message[];
  /** Bytes that began a request whose head never came, or that are none; without those of a switched connection. */
  readonly strays: readonly string[];
  /** What came behind the request that was switched. */
  readonly tunnel: string | undefined;
  /** A request is incomplete although its connection is still open. */
  readonly hasOpenPartial: boolean;
}

interface EndpointConnection {
  readonly socket: Socket;
  readonly reader: MessageReader;
  /** Requests that have been looked at. */
  begun: number;
  /** Scripts run one after the other. */
  answering: Promise<void>;
  isSwitched: boolean;
  /** Used by a script that is not just an answer: it is not kept for the next case. */
  isSpoiled: boolean;
  hasEnded: boolean;
}

/** Always `close` it. */
export class ScriptedEndpoint {
  readonly #connections = new Set<EndpointConnection>();
  readonly #server: Server;
  #answers: readonly (string | readonly EndpointStep[])[] = [];
  #cut: Cut | undefined;
  #requests: { readonly message: Message; readonly connection: EndpointConnection }[] = [];
  #sentBytes = 0;
  #patienceMs = 0;
  /** The client has done all its steps. */
  isClientDone = false;

  private constructor(readonly changes: Changes) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(changes: Changes): Promise<ScriptedEndpoint> {
    const endpoint = new ScriptedEndpoint(changes);
    endpoint.#server.listen(0, '127.0.0.1');
    await once(endpoint.#server, 'listening');
    return endpoint;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Heads that have come. */
  get requestCount(): number {
    return this.#requests.length;
  }

  begin(answers: readonly (string | readonly EndpointStep[])[], cut: Cut | undefined, patienceMs: number): void {
    this.#answers = answers;
    this.#cut = cut;
    this.#patienceMs = patienceMs;
    this.#requests = [];
    this.#sentBytes = 0;
    this.isClientDone = false;
  }

  seen(): SeenByEndpoint {
    const switched = [...this.#connections].find(({ isSwitched }) => isSwitched);
    const others = [...this.#connections].filter(({ isSwitched }) => !isSwitched);
    return {
      requests: this.#requests.map(({ message }) => message),
      strays: others
        .filter(
          ({ reader }) => reader.rest !== '' && (reader.fault !== '' || !reader.messages.some((m) => !m.isComplete)),
        )
        .map(({ reader }) => `${reader.fault === '' ? '' : `${reader.fault}: `}${reader.rest}`),
      tunnel: switched?.reader.rest,
      hasOpenPartial: others.some((connection) => !connection.hasEnded && !this.#isClean(connection)),
    };
  }

  /** Forgets the case; connections that it left in doubt are closed, and gone at the proxy when this returns. */
  async finish(): Promise<void> {
    const doubtful = [...this.#connections].filter((one) => one.hasEnded || one.isSpoiled || !this.#isClean(one));
    for (const { socket } of doubtful) socket.end();
    const areGone = (): boolean => doubtful.every(({ hasEnded }) => hasEnded);
    if (!areGone()) await this.changes.until(areGone, CLOSE_PATIENCE_MS);
    for (const connection of doubtful) this.#drop(connection);
  }

  async close(): Promise<void> {
    for (const connection of [...this.#connections]) this.#drop(connection);
    this.#server.close();
    await once(this.#server, 'close');
  }

  #drop(connection: EndpointConnection): void {
    connection.socket.destroy();
    this.#connections.delete(connection);
  }

  #isClean({ reader, isSwitched }: EndpointConnection): boolean {
    return !isSwitched && reader.isBetweenMessages;
  }

  #accept(socket: Socket): void {
    const reader = new MessageReader('request');
    const answering = Promise.resolve();
    const connection = { socket, reader, begun: 0, answering, isSwitched: false, isSpoiled: false, hasEnded: false };
    this.#connections.add(connection);
    socket.setEncoding('latin1');
    socket.on('data', (bytes: string) => this.#read(connection, bytes));
    const end = (): void => {
      connection.hasEnded = true;
      this.changes.notify();
    };
    socket.on('end', end);
    socket.on('error', end);
    socket.on('close', end);
  }

  #read(connection: EndpointConnection, bytes: string): void {
    const { reader } = connection;
    reader.push(bytes);
    while (connection.begun < reader.messages.length) {
      const message = reader.messages[connection.begun++] as Message;
      const isFence = message.startLine.split(' ')[1]?.startsWith(FENCE_PREFIX) === true;
      const answer = isFence ? fenceAnswer(message) : (this.#answers[this.#requests.length] ?? OK);
      if (!isFence) this.#requests.push({ message, connection });
      connection.isSpoiled ||=
        typeof answer !== 'string' || /HTTP[\s\S]*HTTP/.test(answer) || !answer.startsWith('HTTP/1.1');
      connection.answering = connection.answering.then(() => this.#answer(connection, message, answer, isFence));
    }
    this.changes.notify();
  }

  async #answer(
    connection: EndpointConnection,
    message: Message,
    answer: string | readonly EndpointStep[],
    isFence: boolean,
  ): Promise<void> {
    const steps = typeof answer === 'string' ? [{ wait: 'request' } as const, answer] : answer;
    for (const step of steps) {
      if (typeof step === 'string') await this.#send(connection, step, isFence);
      else if ('act' in step) this.#act(connection, step.act);
      else if (!(await this.#wait(connection, message, step))) return;
    }
  }

  async #send({ socket }: EndpointConnection, bytes: string, isFence: boolean): Promise<void> {
    const parts = pieces(bytes, this.#sentBytes, isFence ? undefined : this.#cut);
    if (!isFence) this.#sentBytes += bytes.length;
    for (const [index, part] of parts.entries()) {
      if (index > 0) await pause(PIECE_PAUSE_MS);
      if (socket.destroyed || socket.writableEnded) return;
      socket.write(part, 'latin1');
    }
  }

  #act(connection: EndpointConnection, act: 'close' | 'reset' | 'switch'): void {
    if (act === 'close') connection.socket.end();
    else if (act === 'reset') connection.socket.resetAndDestroy();
    else {
      connection.isSwitched = true;
      connection.reader.becomeRaw();
    }
  }

  #wait(
    connection: EndpointConnection,
    message: Message,
    step: Exclude<EndpointStep, string | { act: unknown }>,
  ): Promise<boolean> {
    const facts = {
      request: () => message.isComplete || connection.hasEnded,
      client: () => this.isClientDone,
      end: () => connection.hasEnded,
      tunnel: () => 'bytes' in step && connection.reader.rest.includes(step.bytes),
    };
    return this.changes.until(facts[step.wait], this.#patienceMs);
  }
}

function fenceAnswer({ startLine }: Message): string {
  const [method, target = ''] = startLine.split(' ');
  return `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${method === 'HEAD' ? '' : target}`;
}
