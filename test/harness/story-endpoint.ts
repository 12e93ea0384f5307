/** An endpoint of a story: answers with its name, as fast and as well as it is told to at the moment. */
import { ok, type RequestEndpoint, startRequestEndpoint } from './request-endpoint.js';

/** Path of its health check. */
export const HEALTH_PATH = '/health';

/** Change what it does at any time: what comes from then on gets it. Always `close` it. */
export class StoryEndpoint {
  /** Time from a request to its answer, at least. All endpoints of a test share its event loop: what makes one late does so with all. */
  latencyMs = 0;
  /** Answers with this head, and an empty body behind it, instead of 200 with its name. */
  failure: string | null = null;
  /** Time from a probe of its health check to the answer, at least. */
  probeLatencyMs = 0;
  /** Fails its health check. Requests are served all the same. */
  isIll = false;
  /** Keeps requests, until `release`. */
  isHolding = false;
  /** Requests so far, without those of the health check. */
  requests = 0;
  readonly #held: (() => void)[] = [];

  private constructor(
    readonly name: string,
    private readonly endpoint: RequestEndpoint,
  ) {}

  static async start(name: string): Promise<StoryEndpoint> {
    const endpoint = await startRequestEndpoint();
    const story = new StoryEndpoint(name, endpoint);
    endpoint.answerWith(({ target, socket }) => {
      if (target === HEALTH_PATH) {
        const verdict = story.isIll ? failing(503) : ok();
        if (story.probeLatencyMs === 0) return verdict;
        setTimeout(() => void socket.write(verdict), story.probeLatencyMs);
        return undefined;
      }
      story.requests += 1;
      const bytes = story.failure ?? ok(name);
      if (story.isHolding) story.#held.push(() => void socket.write(bytes));
      else if (story.latencyMs === 0) return bytes;
      else setTimeout(() => void socket.write(bytes), story.latencyMs);
      return undefined;
    });
    return story;
  }

  get address(): string {
    return `127.0.0.1:${this.endpoint.port}`;
  }

  /** Requests that are kept. */
  get held(): number {
    return this.#held.length;
  }

  /** Answers what is kept, and keeps nothing any more. */
  release(): void {
    this.isHolding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  close(): Promise<void> {
    return this.endpoint.close();
  }
}

/** A response without a body. @param lines further field lines */
export function failing(status: number, lines: readonly string[] = []): string {
  return `HTTP/1.1 ${status} Failing\r\n${['Content-Length: 0', ...lines].join('\r\n')}\r\n\r\n`;
}
