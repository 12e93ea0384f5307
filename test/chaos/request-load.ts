/** The load of a chaos run: a process that sends so many requests a second by the clock, and what became of them. */
import { TalkingChild } from './child-process.js';

export interface LoadOptions {
  readonly port: number;
  readonly host: string;
  readonly perSecond: number;
  /** Says what each request is (children/traffic.mjs). */
  readonly seed: number;
  /** Number of the first request; those after it count on. */
  readonly firstId: number;
  /** Path in front of a request's number, e.g. '/app/'. */
  readonly prefix: string;
  /** A request that is not answered after this has failed. */
  readonly patienceMs: number;
}

/** A request that was not answered with 200. Times are Unix times in ms. */
export interface LoadFailure {
  readonly id: number;
  readonly method: string;
  /** The proxy's error code, `status N` of an endpoint's own answer, `closed` before an answer, `cut` inside it, or `timeout`. */
  readonly outcome: string;
  /** When it was to be sent. */
  readonly sentAtMs: number;
  readonly failedAtMs: number;
}

/** What became of the requests. */
export interface LoadResult {
  readonly firstId: number;
  readonly seed: number;
  /** All of them have been answered or have failed. */
  readonly sent: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Of these the load itself had no processor; what was due meanwhile was left out. */
  readonly pausedMs: number;
  /** Longest time that a request went out after its turn. */
  readonly mostLateMs: number;
  readonly mostConnections: number;
  /** How many, by outcome: 200, or as LoadFailure.outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly byMethod: Readonly<Record<string, { readonly good: number; readonly failed: number }>>;
  /** The first of them. */
  readonly failures: readonly LoadFailure[];
  readonly failureCount: number;
  /** Numbers of all POSTs that failed. */
  readonly failedPosts: readonly number[];
  /** Answers that were another request's, or not what an endpoint says; the first of them. */
  readonly wrong: readonly string[];
  readonly wrongCount: number;
  /** Good answers that came more than 250 ms after their requests were due. */
  readonly lateCount: number;
  readonly binMs: number;
  /** Good answers in each bin from startedAtMs on, by endpoint. */
  readonly answeredBy: Readonly<Record<string, readonly number[]>>;
}

/** Always `close` it. */
export class RequestLoad {
  private constructor(private readonly child: TalkingChild) {}

  static async launch(): Promise<RequestLoad> {
    return new RequestLoad(await TalkingChild.start('load', {}));
  }

  async start(options: LoadOptions): Promise<void> {
    await this.child.ask({ act: 'start', options });
  }

  /** Sends no more, and waits until everything is answered or has failed. */
  stop(): Promise<LoadResult> {
    return this.child.ask<LoadResult>({ act: 'stop' });
  }

  close(): Promise<void> {
    return this.child.kill();
  }
}
