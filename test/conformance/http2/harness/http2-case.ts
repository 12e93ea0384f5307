/** What an HTTP/2 conformance case is, and where the cases lie: JSON files beside this folder, one for each topic. */
import { readdirSync, readFileSync } from 'node:fs';
import type { EndpointStep } from '../../case-format.js';

/** Field values by name: the text of all of them joined by ", ", null: not there. */
export type WantedFields = Readonly<Record<string, string | null>>;

/** What of an answer must be as it says. */
export interface WantedAnswer {
  readonly fields?: WantedFields;
  readonly body?: string;
  readonly interims?: readonly number[];
  readonly trailers?: WantedFields;
}

export interface WantedRequest {
  readonly line?: string;
  readonly fields?: WantedFields;
  readonly body?: string;
  readonly trailers?: WantedFields;
}

/** One case. Its frames, steps and outcomes are text; test/conformance/README.md has the grammar. */
export interface Http2Case {
  /** Unique; the behaviour in the present tense. */
  readonly name: string;
  readonly source: string;
  readonly profile?: 'usual' | 'limits';
  /** What the client opens the connection with; the preface and an empty SETTINGS unless it is said. `[]`: nothing, and no SETTINGS are waited for. */
  readonly open?: readonly string[];
  readonly send: readonly string[];
  /** For the first, second, … request that reaches the endpoint, as in the HTTP/1.1 set; behind the last: 200 with the body "ok". */
  readonly answers?: readonly (string | readonly EndpointStep[])[];
  /** What sluice promises: any of these. */
  readonly expect: string | readonly string[];
  /** What the source allows besides. Always allowed are other codes of an error that is promised, and an end of the connection in place of one of a stream. */
  readonly allowed?: readonly string[];
  /** Complete requests at the endpoint: as many as answers of 2xx unless it is said. */
  readonly reaches?: 'any' | number;
  readonly requests?: readonly WantedRequest[];
  /** By stream. */
  readonly answer?: Readonly<Record<string, WantedAnswer>>;
  /** How a connection that is kept is proved to be: by a PING and a further request unless it is said. */
  readonly fence?: 'ping' | 'none';
  /** A frame of 16 KiB more or so: it is sent in many reads anyway, and not cut again. */
  readonly isLong?: true;
}

/** Cases by topic, in the order of the files. */
export const HTTP2_TOPICS: Readonly<Record<string, readonly Http2Case[]>> = Object.fromEntries(
  readdirSync(new URL('..', import.meta.url))
    .filter((name) => name.endsWith('.json') && name !== 'recorded.json')
    .sort()
    .map((name) => {
      const { topic, cases } = JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')) as {
        topic: string;
        cases: readonly Http2Case[];
      };
      return [topic, cases];
    }),
);

export const HTTP2_CASES: readonly Http2Case[] = Object.values(HTTP2_TOPICS).flat();

/** One way a case may come out. */
export interface WantedOutcome {
  /** How the connection ends; 'kept': it does not. Codes: those of the GOAWAY; none: any, or no GOAWAY. */
  readonly connection: 'kept' | 'ended';
  readonly codes: readonly string[];
  /** By stream: reset with one of these codes (none: any), or answered with one of these statuses, or 'open': neither. */
  readonly streams: ReadonlyMap<number, { readonly reset?: readonly string[]; readonly statuses?: readonly number[] }>;
}

/** @param text parts with `; ` between: `kept`, `closed`, `goaway CODE|CODE`, `1: reset CODE|CODE`, `1: 200|400`, `1: open` */
export function outcomeOf(text: string): WantedOutcome {
  const streams = new Map<number, { reset?: readonly string[]; statuses?: readonly number[] }>();
  let connection: 'kept' | 'ended' = 'kept';
  let codes: readonly string[] = [];
  for (const part of text.split('; ')) {
    const goaway = /^goaway ([A-Z0-9_|]+)$/.exec(part);
    const stream = /^(\d+): (?:(open)|reset(?: ([A-Z0-9_|]+))?|([0-9|]+))$/.exec(part);
    if (goaway !== null) {
      connection = 'ended';
      codes = (goaway[1] ?? '').split('|');
    } else if (part === 'closed') connection = 'ended';
    else if (stream !== null) {
      const statuses = stream[4]?.split('|').map(Number);
      const reset = stream[3]?.split('|') ?? [];
      streams.set(Number(stream[1]), stream[2] === 'open' ? {} : statuses === undefined ? { reset } : { statuses });
    } else if (part !== 'kept') throw new Error(`not a part of an outcome: ${part}`);
  }
  return { connection, codes, streams };
}

/** What is promised, and what is allowed besides. */
export function outcomesOf({ expect, allowed = [] }: Http2Case): {
  promised: WantedOutcome[];
  allowed: WantedOutcome[];
} {
  const promised = (typeof expect === 'string' ? [expect] : expect).map(outcomeOf);
  const more = [...promised, ...allowed.map(outcomeOf)];
  const resets = promised.filter(({ streams }) => [...streams.values()].some(({ reset }) => reset !== undefined));
  const mayEnd = resets.length > 0 || promised.some(({ connection }) => connection === 'ended');
  for (const { streams, ...rest } of resets)
    more.push({
      ...rest,
      streams: new Map([...streams].map(([id, want]) => [id, want.reset === undefined ? want : { reset: [] }])),
    });
  // RFC 9113 section 5.4.1: an endpoint can end a connection at any time, and may treat a stream error as one of the connection.
  if (mayEnd) more.push({ connection: 'ended', codes: [], streams: new Map() });
  return { promised, allowed: more };
}
