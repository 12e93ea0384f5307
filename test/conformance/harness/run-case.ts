/** Runs one case, as it is or with its bytes cut, through one lane: a listener of the proxy and an endpoint that nothing else uses meanwhile. */
import type { ConformanceCase, ProfileName } from '../case-format.js';
import { Changes, type Cut } from './changes.js';
import { judge } from './judge.js';
import type { Message } from './message-reader.js';
import { ScriptedClient } from './scripted-client.js';
import { FENCE_PREFIX, ScriptedEndpoint, type SeenByEndpoint } from './scripted-endpoint.js';

/** Where a lane's proxy listens; undefined: the candidate cannot be set up for that profile. */
export type PortOf = (lane: number, profile: ProfileName) => number | undefined;

/** How the bytes of a case are cut; undefined: not at all. */
export interface Cuts {
  readonly client?: Cut;
  readonly endpoint?: Cut;
}

/** What came of a case. */
export interface Observed {
  readonly endpoint: SeenByEndpoint;
  readonly responses: readonly Message[];
  readonly ending: 'open' | 'closed' | 'reset';
  /** What the client got that is no response: a fault, or bytes behind a switch. */
  readonly clientFault: string;
  readonly clientRest: string;
  /** The client's connection served another request: tried where it was open at the end. */
  readonly isKept: boolean;
  /** What went wrong besides: an answer that never came, a request of another client that was answered wrongly. */
  readonly troubles: readonly string[];
}

export interface Verdict {
  /** From what the case expects; [] when there is none. */
  readonly differences: readonly string[];
  /** What came of it is among what the case's source allows. */
  readonly isAllowed: boolean;
  /** Not there where the case could not be run. */
  readonly observed?: Observed;
}

/** Runs one case at a time. Always `close` it. */
export class Lane {
  #fences = 0;

  private constructor(
    readonly index: number,
    readonly endpoint: ScriptedEndpoint,
    readonly changes: Changes,
  ) {}

  static async open(index: number): Promise<Lane> {
    const changes = new Changes();
    return new Lane(index, await ScriptedEndpoint.start(changes), changes);
  }

  /** @param patienceMs for each thing that is waited for */
  async run(
    { client: steps, answers = [], expect, allowed = [], profile = 'usual' }: ConformanceCase,
    portOf: PortOf,
    patienceMs: number,
    cuts: Cuts = {},
  ): Promise<Verdict> {
    const port = portOf(this.index, profile);
    if (port === undefined) return { differences: ['not set up for this profile'], isAllowed: false };
    this.endpoint.begin(answers, cuts.endpoint, patienceMs);
    const client = await ScriptedClient.open(port, this.changes, (index) => expect.client[index]?.isForHead === true);
    try {
      const missed = await client.follow(steps, cuts.client, () => this.endpoint.requestCount, patienceMs);
      this.endpoint.isClientDone = true;
      this.changes.notify();
      const observed = await this.#observe(client, port, missed, expect.connection === 'closed', expect.client.length, {
        patienceMs,
        isPartialRequired: expect.partial === 'required',
      });
      const isAllowed = allowed.some((outcome) => judge(observed, outcome).length === 0);
      return { differences: judge(observed, expect), isAllowed, observed };
    } finally {
      client.close();
      await this.endpoint.finish();
    }
  }

  async close(): Promise<void> {
    await this.endpoint.close();
  }

  async #observe(
    client: ScriptedClient,
    port: number,
    missed: string,
    mustClose: boolean,
    responses: number,
    { patienceMs, isPartialRequired }: { patienceMs: number; isPartialRequired: boolean },
  ): Promise<Observed> {
    const troubles = missed === '' ? [] : [`the client waited in vain for: ${missed}`];
    const hasAll = (): boolean =>
      client.finals.filter(({ isComplete }) => isComplete).length >= responses &&
      (!mustClose || client.ending !== 'open');
    const isOver = (): boolean => client.ending !== 'open' || client.reader.fault !== '' || hasAll();
    if (missed === '') await this.changes.until(isOver, patienceMs);
    const finals = [...client.finals];
    const ending = client.ending;
    const messages = [...client.reader.messages];
    const clientRest = client.reader.rest;
    let isKept = false;
    if (ending === 'open' && missed === '' && client.reader.isBetweenMessages && !client.socket.writableEnded)
      isKept = await this.#isServed(client, patienceMs);
    if (!isKept && !(await this.#fence(port, patienceMs)))
      troubles.push("another client's request was not answered rightly");
    // What the proxy still has to take back at the endpoint it has begun to take back by now.
    if (this.endpoint.seen().hasOpenPartial || isPartialRequired)
      await this.changes.until(() => !this.endpoint.seen().hasOpenPartial, patienceMs);
    const rest = isKept ? '' : clientRest;
    const isSwitched = finals.some(({ startLine }) => startLine.startsWith('HTTP/1.1 101'));
    if (rest !== '' && client.reader.fault === '' && !isSwitched && finals.every(({ isComplete }) => isComplete))
      troubles.push(`the client got bytes that are no response: ${JSON.stringify(rest.slice(0, 60))}`);
    const clientFault = client.reader.fault;
    return {
      endpoint: this.endpoint.seen(),
      responses: messages,
      ending,
      clientFault,
      clientRest: rest,
      isKept,
      troubles,
    };
  }

  /** Sends one more request on the case's own connection. */
  async #isServed(client: ScriptedClient, patienceMs: number): Promise<boolean> {
    const target = `${FENCE_PREFIX}${this.#fences++}`;
    const count = client.finals.length;
    await client.send([`GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`]);
    const isThere = (): boolean => client.finals[count]?.isComplete === true || client.ending !== 'open';
    await this.changes.until(isThere, patienceMs);
    return client.finals[count]?.body === target;
  }

  /** Sends a request on a connection of its own: what the case has sent has been dealt with when it is answered, since one thread deals with both. */
  async #fence(port: number, patienceMs: number): Promise<boolean> {
    const client = await ScriptedClient.open(port, this.changes, () => false);
    const isServed = await this.#isServed(client, patienceMs);
    client.close();
    return isServed;
  }
}
