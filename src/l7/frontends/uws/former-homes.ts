/** Apps whose certificates are no longer those of their listener: they keep their connections, and are closed when they can have none. */
import type { UwsHome } from './uws-home.js';

/**
 * uWebSockets.js 20.30 does not tell whether an app has connections. It closes those that send no request for 10 s, and handshakes that
 * take so long: an app without an exchange that had no request in two looks has none.
 */
const LOOK_MS = 10_000;

interface Former {
  readonly home: UwsHome;
  /** At the last look. */
  requests: number;
  quietLooks: number;
}

/** Thread: worker; one for each listener. */
export class FormerHomes {
  readonly #hasExchanges: (home: UwsHome) => boolean;
  readonly #formers = new Set<Former>();
  #timer: NodeJS.Timeout | null = null;

  constructor(hasExchanges: (home: UwsHome) => boolean) {
    this.#hasExchanges = hasExchanges;
  }

  get all(): readonly UwsHome[] {
    return [...this.#formers].map(({ home }) => home);
  }

  /** It accepts no more, and nothing else changes for its connections. */
  add(home: UwsHome): void {
    home.stopListening();
    this.#formers.add({ home, requests: home.requests, quietLooks: 0 });
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** Closes every connection at once. Idempotent. */
  close(): void {
    for (const { home } of this.#formers) home.close();
    this.#formers.clear();
    this.#stop();
  }

  #look(): void {
    for (const former of this.#formers) {
      const { home, requests } = former;
      former.requests = home.requests;
      former.quietLooks = home.requests === requests && !this.#hasExchanges(home) ? former.quietLooks + 1 : 0;
      if (former.quietLooks < 2) continue;
      home.close();
      this.#formers.delete(former);
    }
    if (this.#formers.size === 0) this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
