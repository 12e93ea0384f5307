/** Reads server-sent events out of text that comes in pieces. (HTML Living Standard, 9.2.6.) */

/** One event with its data. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Keeps what is not whole yet. sluice ends its lines with LF. */
export class EventReader {
  #rest = '';
  #name = '';
  #data: string[] = [];

  /** @returns the events that are whole with this piece */
  push(piece: string): StreamEvent[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line: string): StreamEvent[] {
    if (line === '') return this.#whole();
    const [, field, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') this.#name = value;
    if (field === 'data') this.#data.push(value);
    return []; // comments, ids and times to come back say nothing here
  }

  #whole(): StreamEvent[] {
    const events = this.#data.length === 0 ? [] : [{ name: this.#name || 'message', data: this.#data.join('\n') }];
    this.#name = '';
    this.#data = [];
    return events;
  }
}
