/** A client connection that follows the steps of a case. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientStep } from '../case-format.js';
import { type Changes, type Cut, PIECE_PAUSE_MS, pieces } from './changes.js';
import { isInterim, type Message, MessageReader } from './message-reader.js';

/** Always `close` it. */
export class ScriptedClient {
  readonly reader: MessageReader;
  ending: 'open' | 'closed' | 'reset' = 'open';

  private constructor(
    readonly socket: Socket,
    readonly changes: Changes,
    isForHead: (index: number) => boolean,
  ) {
    this.reader = new MessageReader('response', isForHead);
    socket.setEncoding('latin1');
    socket.on('data', (bytes: string) => {
      this.reader.push(bytes);
      changes.notify();
    });
    socket.on('end', () => this.#end('closed'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('closed'));
  }

  static async open(port: number, changes: Changes, isForHead: (index: number) => boolean): Promise<ScriptedClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    await once(socket, 'connect');
    return new ScriptedClient(socket, changes, isForHead);
  }

  /** Final responses, the last perhaps still coming. */
  get finals(): Message[] {
    return this.reader.messages.filter((message) => !isInterim(message));
  }

  /** Does the steps; stops when the connection ends or nothing comes. @returns what it waited for in vain, or '' */
  async follow(
    steps: readonly ClientStep[],
    cut: Cut | undefined,
    requestCount: () => number,
    patienceMs: number,
  ): Promise<string> {
    const waited = { response: 0, interim: 0, request: 0 };
    let sentBytes = 0;
    for (const step of steps) {
      if (this.ending !== 'open') return '';
      if (typeof step === 'string') {
        await this.send(pieces(step, sentBytes, cut));
        sentBytes += step.length;
      } else if ('act' in step) {
        if (step.act === 'reset') this.socket.resetAndDestroy();
        else this.socket.end();
      } else {
        if (step.wait in waited) waited[step.wait as keyof typeof waited]++;
        const facts = {
          response: () => this.finals.filter(({ isComplete }) => isComplete).length >= waited.response,
          interim: () => this.reader.messages.filter(isInterim).length >= waited.interim,
          head: () => this.finals.length > 0,
          request: () => requestCount() >= waited.request,
          end: () => this.ending !== 'open',
          tunnel: () => 'bytes' in step && this.reader.rest.includes(step.bytes),
        };
        const isThere = (): boolean => facts[step.wait]() || this.ending !== 'open';
        if (!(await this.changes.until(isThere, patienceMs))) return step.wait;
      }
    }
    return '';
  }

  async send(parts: readonly string[]): Promise<void> {
    for (const [index, part] of parts.entries()) {
      if (index > 0) await pause(PIECE_PAUSE_MS);
      if (this.ending !== 'open' || this.socket.destroyed) return;
      this.socket.write(part, 'latin1');
    }
  }

  /** Idempotent. */
  close(): void {
    this.socket.destroy();
  }

  #end(how: 'closed' | 'reset'): void {
    if (this.ending !== 'open') return;
    this.ending = how;
    if (how === 'closed') this.reader.end();
    this.changes.notify();
  }
}
