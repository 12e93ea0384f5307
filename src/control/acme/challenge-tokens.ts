/** The challenges that requests are answered for (http-01): every worker knows them before the authority is told to look. Thread: primary. */
import type { Cancel, Timers } from '../../core/timers.js';
import type { ToWorker } from '../../worker/messages.js';

/** A worker answers in less than a millisecond; one that needs longer is stuck, and may be the one that the authority's request meets. */
const PATIENCE_MS = 10_000;

interface Waiting {
  /** Workers that have not answered. */
  readonly open: Set<number>;
  readonly known: () => void;
  readonly cancel: Cancel;
}

export class ChallengeTokens {
  readonly #timers: Timers;
  /** Key authorizations by token. */
  readonly #tokens = new Map<string, string>();
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #broadcast: (message: ToWorker) => readonly number[] = () => [];

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** @param broadcast sends to all workers. @returns their numbers */
  connect(broadcast: (message: ToWorker) => readonly number[]): void {
    this.#broadcast = broadcast;
  }

  /** For workers that are started now. */
  get all(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#tokens);
  }

  /** Resolves when every worker knows it, or is gone; rejects when one does not say so. */
  showToken(token: string, keyAuthorization: string): Promise<void> {
    this.#tokens.set(token, keyAuthorization);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const open = new Set(this.#broadcast({ kind: 'challenge', id, token, keyAuthorization }));
      const cancel = this.#timers.after(PATIENCE_MS, () => {
        this.#waiting.delete(id);
        reject(new Error(`worker ${[...open].join(', ')} does not answer challenges`));
      });
      this.#waiting.set(id, { open, known: resolve, cancel });
      this.#settle();
    });
  }

  /** Idempotent. */
  hideToken(token: string): void {
    if (this.#tokens.delete(token))
      this.#broadcast({ kind: 'challenge', id: ++this.#lastId, token, keyAuthorization: null });
  }

  /** A worker has answered. */
  heard(worker: number, id: number): void {
    this.#waiting.get(id)?.open.delete(worker);
    this.#settle();
  }

  /** A worker's thread has ended: who takes its place begins with all of them. */
  gone(worker: number): void {
    for (const { open } of this.#waiting.values()) open.delete(worker);
    this.#settle();
  }

  #settle(): void {
    for (const [id, { open, known, cancel }] of this.#waiting) {
      if (open.size > 0) continue;
      this.#waiting.delete(id);
      cancel();
      known();
    }
  }
}
