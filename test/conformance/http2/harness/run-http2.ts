/** Runs HTTP/2 cases against a proxy, several at a time, each with an endpoint of its own meanwhile. */
import { setTimeout as pause } from 'node:timers/promises';
import { Changes } from '../../harness/changes.js';
import { FENCE_PREFIX, ScriptedEndpoint } from '../../harness/scripted-endpoint.js';
import { frameOf, sentBy, unfolded } from './frame-notation.js';
import { type Http2Case, outcomesOf } from './http2-case.js';
import { Http2Client } from './http2-client.js';
import { judge, type Observed, summaryOf } from './http2-judge.js';

/** A running proxy that speaks HTTP/2. Always `stop` it. */
export interface RunningHttp2Candidate {
  /** undefined: the candidate cannot be set up for that profile. */
  readonly portOf: (lane: number, profile: 'usual' | 'limits') => number | undefined;
  stop(): Promise<unknown>;
}

export interface Http2Candidate {
  readonly name: string;
  readonly isTls: boolean;
  /** @returns what is missing, or '' */
  missing(): string;
  /** Of the program, for the record. */
  version(): string;
  start(endpointPorts: readonly number[]): Promise<RunningHttp2Candidate>;
}

export interface Http2Verdict {
  /** From what is promised; [] when there is none. */
  readonly differences: readonly string[];
  readonly isAllowed: boolean;
  /** What came of it, in one line. */
  readonly summary: string;
}

/** What a client sends first unless the case says it. */
const OPEN = ['preface', 'SETTINGS 0'];
/** Of the request that proves that a connection is kept: above what cases use. */
const FENCE_STREAM = 2_000_001;
/** How long a proxy that ends the connection has to do so before more is sent on it: what it said last would be lost to a reset. */
const SETTLE_MS = 20;

interface Where {
  readonly port: number;
  readonly isTls: boolean;
  /** For each thing that is waited for. */
  readonly patienceMs: number;
}

class Http2Lane {
  #fences = 0;

  private constructor(
    readonly index: number,
    readonly endpoint: ScriptedEndpoint,
    readonly changes: Changes,
  ) {}

  static async open(index: number): Promise<Http2Lane> {
    const changes = new Changes();
    return new Http2Lane(index, await ScriptedEndpoint.start(changes), changes);
  }

  async run(testCase: Http2Case, { port, isTls, patienceMs }: Where): Promise<Http2Verdict> {
    const { open = OPEN, send, answers = [] } = testCase;
    this.endpoint.begin(
      answers.map((answer) => (typeof answer === 'string' ? unfolded(answer) : answer)),
      undefined,
      patienceMs,
    );
    const client = await Http2Client.open(port, isTls, this.changes, open.length > 0);
    try {
      let missed = '';
      if (open.length > 0) {
        client.send(open.flatMap((step) => sentBy(step, isTls)));
        if (!(await this.changes.until(() => client.hasSettings || client.isOver, patienceMs))) missed = 'SETTINGS';
      }
      if (missed === '') missed = await this.#follow(client, send, isTls, patienceMs);
      this.endpoint.isClientDone = true;
      this.changes.notify();
      const observed = await this.#observe(client, testCase, missed, { port, isTls, patienceMs });
      const { promised, allowed } = outcomesOf(testCase);
      const differences = promised.map((outcome) => judge(observed, testCase, outcome, true));
      return {
        differences: differences.reduce((least, own) => (own.length < least.length ? own : least)),
        isAllowed: allowed.some((outcome) => judge(observed, testCase, outcome, false).length === 0),
        summary: summaryOf(observed),
      };
    } finally {
      client.close();
      await this.endpoint.finish();
    }
  }

  async close(): Promise<void> {
    await this.endpoint.close();
  }

  /** @returns what was waited for in vain, or '' */
  async #follow(client: Http2Client, steps: readonly string[], isTls: boolean, patienceMs: number): Promise<string> {
    let together: ReturnType<typeof sentBy>[number][] = [];
    const flush = (): void => {
      if (together.length > 0) client.send(together);
      together = [];
    };
    for (const step of steps) {
      const waiting = /^wait (\w+) ?(\d*) ?(\d*)$/.exec(step);
      if (waiting === null && step !== 'fin') {
        together.push(...sentBy(step, isTls));
        continue;
      }
      flush();
      if (waiting === null) {
        client.socket.end();
        continue;
      }
      const [, what = '', first = '', second = ''] = waiting;
      const stream = Number(first);
      const facts: Readonly<Record<string, () => boolean>> = {
        answer: () => client.isFinished(stream),
        head: () => (client.streams.get(stream)?.status ?? 0) !== 0,
        interim: () => (client.streams.get(stream)?.interims.length ?? 0) > 0,
        data: () => (client.streams.get(stream)?.body.length ?? 0) >= Number(second),
        acks: () => client.acks >= stream,
        pongs: () => client.pongs.length >= stream,
        request: () => this.endpoint.requestCount >= stream,
        goaway: () => client.goaway !== '',
      };
      const fact = facts[what];
      if (fact === undefined) throw new Error(`not a step: ${step}`);
      if (!(await this.changes.until(() => fact() || client.isOver, patienceMs))) return step;
      if (client.isOver) return '';
    }
    flush();
    return '';
  }

  async #observe(
    client: Http2Client,
    testCase: Http2Case,
    missed: string,
    { port, isTls, patienceMs }: Where,
  ): Promise<Observed> {
    const { promised } = outcomesOf(testCase);
    const troubles = missed === '' ? [] : [`the client waited in vain: ${missed}`];
    const mustEnd = promised.every(({ connection }) => connection === 'ended');
    const finished = [...(promised.find(({ connection }) => connection === 'kept')?.streams ?? [])].flatMap(
      ([stream, { reset, statuses }]) => (reset === undefined && statuses === undefined ? [] : [stream]),
    );
    const hasCome = (): boolean => !mustEnd && finished.every((stream) => client.isFinished(stream));
    if (missed === '') await this.changes.until(() => client.isOver || hasCome(), patienceMs);
    if (!client.isOver && !mustEnd) await pause(SETTLE_MS);
    const isKept = missed === '' && !client.isOver && (await this.#isServed(client, testCase.fence, isTls, patienceMs));
    // One thread serves all connections: what the case has sent has been dealt with when another one is served.
    if ((!isKept || testCase.fence !== undefined) && !(await this.#isFenced(port, isTls, patienceMs)))
      troubles.push("another client's request was not answered rightly");
    // What the proxy still has to take back at the endpoint it has begun to take back by now.
    if (testCase.reaches !== 'any' && this.endpoint.seen().hasOpenPartial)
      await this.changes.until(() => !this.endpoint.seen().hasOpenPartial, patienceMs);
    const streams = new Map([...client.streams].filter(([stream]) => stream !== FENCE_STREAM));
    troubles.push(...client.breaches.map((breach) => `the client got ${breach}`));
    const { ending, goaway } = client;
    return { endpoint: this.endpoint.seen(), streams, ending, goaway, isKept, troubles };
  }

  async #isFenced(port: number, isTls: boolean, patienceMs: number): Promise<boolean> {
    const client = await Http2Client.open(port, isTls, this.changes, true);
    client.send(OPEN.flatMap((step) => sentBy(step, isTls)));
    const isServed = await this.#isServed(client, undefined, isTls, patienceMs);
    client.close();
    return isServed;
  }

  /** One PING and one request more on the connection. */
  async #isServed(
    client: Http2Client,
    fence: Http2Case['fence'],
    isTls: boolean,
    patienceMs: number,
  ): Promise<boolean> {
    if (fence === 'none') return true;
    const mark = `fence${String(this.#fences++)
      .padStart(3, '0')
      .slice(-3)}`;
    client.send([frameOf(`PING 0 "${mark}"`, isTls)]);
    if (!(await this.changes.until(() => client.pongs.includes(mark) || client.isOver, patienceMs))) return false;
    if (client.isOver || fence === 'ping') return !client.isOver;
    const head = `[:method: HEAD] @scheme [:path: ${FENCE_PREFIX}${mark}] [:authority: a.test]`;
    client.send([frameOf(`HEADERS ${FENCE_STREAM} +EH +ES ${head}`, isTls)]);
    await this.changes.until(() => client.isFinished(FENCE_STREAM) || client.isOver, patienceMs);
    return client.streams.get(FENCE_STREAM)?.status === 200;
  }
}

/** @returns the verdict of each case, in its order */
export async function runHttp2(
  candidate: Http2Candidate,
  cases: readonly Http2Case[],
  { lanes: laneCount, patienceMs }: { readonly lanes: number; readonly patienceMs: number },
): Promise<readonly Http2Verdict[]> {
  const lanes = await Promise.all(Array.from({ length: laneCount }, (_, index) => Http2Lane.open(index)));
  let running: RunningHttp2Candidate | undefined;
  try {
    running = await candidate.start(lanes.map(({ endpoint }) => endpoint.port));
    const { portOf } = running;
    const verdicts: Http2Verdict[] = [];
    let next = 0;
    const work = async (lane: Http2Lane): Promise<void> => {
      for (let index = next++; index < cases.length; index = next++) {
        const testCase = cases[index] as Http2Case;
        const port = portOf(lane.index, testCase.profile ?? 'usual');
        if (port === undefined) {
          verdicts[index] = { differences: ['not set up for this profile'], isAllowed: true, summary: 'not set up' };
          continue;
        }
        const { isTls } = candidate;
        verdicts[index] = await lane.run(testCase, { port, isTls, patienceMs }).catch((error: unknown) => ({
          differences: [`the case could not be run: ${error}`],
          isAllowed: false,
          summary: 'not run',
        }));
      }
    };
    await Promise.all(lanes.map(work));
    return verdicts;
  } finally {
    await running?.stop();
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}
