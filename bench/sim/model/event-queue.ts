/** What happens next in a simulation: a binary heap of moments, the earliest on top, equals in the order they were put in. */

/** Grows as needed. push and pop take O(log n). */
export class EventQueue<Event> {
  readonly #atMs: number[] = [];
  readonly #order: number[] = [];
  readonly #events: Event[] = [];
  #pushed = 0;

  get size(): number {
    return this.#events.length;
  }

  /** When the next event happens; Infinity: there is none. */
  get nextAtMs(): number {
    return this.#atMs[0] ?? Infinity;
  }

  /** @param atMs simulated time, any finite number */
  push(atMs: number, event: Event): void {
    let at = this.#events.length;
    const order = this.#pushed++;
    this.#place(at, atMs, order, event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#isBefore(parent, atMs, order)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#place(at, atMs, order, event);
  }

  /** Takes the earliest event out; undefined: there is none. */
  pop(): Event | undefined {
    const top = this.#events[0];
    const atMs = this.#atMs.pop();
    const order = this.#order.pop();
    const event = this.#events.pop();
    if (atMs === undefined || order === undefined || this.#events.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#events.length) break;
      const right = child + 1;
      if (right < this.#events.length && this.#isBefore(right, this.#atMs[child]!, this.#order[child]!)) child = right;
      if (!this.#isBefore(child, atMs, order)) break;
      this.#move(child, at);
      at = child;
    }
    this.#place(at, atMs, order, event as Event);
    return top;
  }

  #isBefore(at: number, atMs: number, order: number): boolean {
    const differenceMs = this.#atMs[at]! - atMs;
    return differenceMs < 0 || (differenceMs === 0 && this.#order[at]! < order);
  }

  #move(from: number, to: number): void {
    this.#place(to, this.#atMs[from]!, this.#order[from]!, this.#events[from]!);
  }

  #place(at: number, atMs: number, order: number, event: Event): void {
    this.#atMs[at] = atMs;
    this.#order[at] = order;
    this.#events[at] = event;
  }
}
