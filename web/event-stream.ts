/** Reads server-sent events out of the text of a response, whatever pieces it comes in. Pure. (HTML Living Standard, 9.2.6.) */

/** One event; `name` is "message" where the stream gives none. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Text that is longer than this without an end is no event of ours. */
const MOST_PENDING_CHARACTERS = 16 * 1024 * 1024;

/** Keeps what is not whole yet from piece to piece. */
export class EventStreamReader {
  #pending = '';
  #name = '';
  #data: string[] = [];

  /**
   * Takes the next piece of text.
   *
   * @returns the events that are whole now
   * @throws RangeError when a line does not end
   */
  push(piece: string): StreamEvent[] {
    this.#pending += piece;
    if (this.#pending.length > MOST_PENDING_CHARACTERS) throw new RangeError('the stream of events has no ends');
    const events: StreamEvent[] = [];
    // A carriage return at the very end may be the first half of a line end: it waits for what follows.
    const lines = this.#pending.split(/\r\n|\n|\r(?!$)/);
    this.#pending = lines.pop() ?? '';
    for (const line of lines) {
      const event = this.#take(line);
      if (event !== null) events.push(event);
    }
    return events;
  }

  #take(line: string): StreamEvent | null {
    if (line === '') return this.#whole();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    if (field === 'data') this.#data.push(value);
    return null; // comments, ids and retry times are of no use here
  }

  #whole(): StreamEvent | null {
    const event = this.#data.length === 0 ? null : { name: this.#name || 'message', data: this.#data.join('\n') };
    this.#name = '';
    this.#data = [];
    return event;
  }
}
