/** The part of autocannon's interface that `sluice bench` uses; the package brings no types. */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Requests a second over all connections. */
    readonly overallRate?: number;
    /** Seconds that a request may take. */
    readonly timeout: number;
  }

  interface Result {
    /** Seconds. */
    readonly duration: number;
    /** Connections that failed, requests that timed out included. */
    readonly errors: number;
    readonly timeouts: number;
    readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
  }

  /** A load that runs; settles with its result. */
  interface Run extends PromiseLike<Result> {
    /** @param listener gets the bytes of one answer and how long it took in ms */
    on(
      event: 'response',
      listener: (client: unknown, status: number, answerBytes: number, tookMs: number) => void,
    ): this;
    /** Ends the load within a second; the result is that of the time until then. */
    stop(): void;
  }

  // biome-ignore lint/style/noDefaultExport: it is how the package exports it
  export default function autocannon(options: Options): Run;
}
