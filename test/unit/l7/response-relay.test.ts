/** What becomes of responses that are asked about, and of exchanges with two attempts, where bytes pass through TypeScript. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { L7ListenerPlan } from '../../../src/config/plan.js';
import { AttemptFact } from '../../../src/engine/attempt-profile.js';
import {
  type Engine,
  EngineError,
  EVENT_STRIDE,
  EventField,
  EventFlag,
  EventType,
  HEDGE_OFFSET,
  SendResult,
} from '../../../src/engine/engine.js';
import { BEGUN, NO_POOL } from '../../../src/l7/exchange.js';
import type { Pipeline } from '../../../src/l7/pipeline.js';
import { RelayedExchange } from '../../../src/l7/relayed-exchange.js';
import { ResponseRelay } from '../../../src/l7/response-relay.js';

const ID = 0;
const HEDGE = ID + HEDGE_OFFSET;
const PROFILE = 3;

/** A client's side that takes everything, and writes down what it got. */
class TestExchange extends RelayedExchange {
  readonly sent: string[] = [];
  isFlushed = true;
  takes = true;
  override sendHead(head: Uint8Array, body: Uint8Array, totalBytes: number, isLast: boolean): boolean {
    this.sent.push(`${Buffer.from(head)} · ${Buffer.from(body)} · ${totalBytes}${isLast ? ' · last' : ''}`);
    return this.takes;
  }
  override sendBody(body: Uint8Array, isLast: boolean): boolean {
    this.sent.push(`${Buffer.from(body)}${isLast ? ' · last' : ''}`);
    return true;
  }
  override pauseRequest(): void {}
  override resumeRequest(): void {}
  override sendLocal(): boolean {
    return true;
  }
  override breakOff(): boolean {
    return true;
  }
  override recycle(): void {
    this.reset();
  }
}

let calls: string[];
let told: string[];
let sendResult: number;
let onAsked: () => void;
let exchange: TestExchange;
let relay: ResponseRelay;
let events: Int32Array;
let arena: Uint8Array;

/** Takes down what is told; decides what the test says. */
function pipelineOf(): Pipeline {
  const end = (which: string) => (_: unknown, code: string, facts: number) =>
    void told.push(`${which} ${code} ${facts}`);
  return {
    isDraining: false,
    readClock: () => 0,
    headCame: (_: unknown, status: number, __: number, isHedge: boolean) => {
      exchange.state = 'relaying';
      told.push(`head ${status}${isHedge ? ' of the hedge' : ''}`);
    },
    endpointDone: () => void told.push('done'),
    finished: () => void told.push('finished'),
    attemptFailed: end('failed'),
    hedgeFailed: end('hedge failed'),
    responseAsked: (_: unknown, status: number, __: number, retryAfter: string, isHedge: boolean) => {
      told.push(`asked ${status} '${retryAfter}'${isHedge ? ' of the hedge' : ''}`);
      onAsked();
    },
  } as unknown as Pipeline;
}

/** Writes its calls down. */
function engineOf(): Engine {
  const call =
    (name: string) =>
    (...given: unknown[]) => {
      calls.push(`${name} ${given.filter((value) => typeof value === 'number').join(' ')}`);
      return sendResult;
    };
  return {
    send: call('send'),
    resend: call('resend'),
    duplicate: call('duplicate'),
    pass: call('pass'),
    release: call('release'),
    pause: call('pause'),
    resume: call('resume'),
    write: call('write'),
  } as unknown as Engine;
}

interface Coming {
  readonly type: number;
  readonly number?: number;
  readonly status?: number;
  readonly flags?: number;
  readonly head?: string;
  readonly body?: string;
}

/** A batch of events. */
function come(...batch: Coming[]): void {
  let used = 0;
  const put = (text: string): [number, number] => {
    const bytes = Buffer.from(text);
    arena.set(bytes, used);
    used += bytes.length;
    return [used - bytes.length, bytes.length];
  };
  batch.forEach(({ type, number = ID, status = 0, flags = 0, head = '', body = '' }, at) => {
    const words = new Int32Array(EVENT_STRIDE);
    words[EventField.type] = type;
    words[EventField.exchange] = number;
    words[EventField.status] = status;
    words[EventField.flags] = flags;
    [words[EventField.headOffset], words[EventField.headLength]] = put(head);
    [words[EventField.bodyOffset], words[EventField.bodyLength]] = put(body);
    words[EventField.lengthLow] = 6;
    events.set(words, at * EVENT_STRIDE);
  });
  relay.onBatch(batch.length);
  arena.fill(0x23); // the next batch's: what is kept must have been copied
}

const head = (status: number, flags = 0, number = ID): Coming => ({
  type: EventType.HEAD,
  number,
  status,
  flags: flags | EventFlag.LENGTH_KNOWN,
  head: `${status} x\r\nretry-after: 7`,
  body: 'abc',
});
const failed = (error: number, flags: number, number = ID): Coming => ({
  type: EventType.FAILED,
  number,
  status: error,
  flags,
});
const HELD_AND_SENT = EventFlag.RETRYABLE | EventFlag.SENT;

beforeEach(() => {
  calls = [];
  told = [];
  sendResult = SendResult.OK;
  onAsked = () => {};
  events = new Int32Array(EVENT_STRIDE * 8);
  arena = new Uint8Array(4096);
  relay = new ResponseRelay({ pipeline: pipelineOf(), engine: engineOf(), events, arena });
  const listener = { limits: { bodyBytes: 1000 } } as unknown as L7ListenerPlan;
  exchange = relay.register((id, engine) => new TestExchange(id, listener, engine)) as TestExchange;
  exchange.method = 'GET';
  exchange.state = 'attempting';
  exchange.timeLeftMs = 900;
  expect(exchange.beginAttempt(0, PROFILE)).toBe(BEGUN);
  calls = [];
});

describe('a response that is asked about', () => {
  it('goes on at once where the pipeline says so', () => {
    onAsked = () => exchange.passOn();
    come(head(503, EventFlag.ASKED));
    expect(told).toEqual(["asked 503 '7'", 'head 503']);
    expect(calls).toEqual([`pass ${ID}`]);
    expect(exchange.sent).toEqual(['503 x\r\nretry-after: 7 · abc · 6']);
    come({ type: EventType.BODY, body: 'def', flags: EventFlag.LAST });
    expect(exchange.sent.slice(1)).toEqual(['def · last']);
    expect(told.slice(2)).toEqual(['done', 'finished']);
  });

  it('goes on later, as it came', () => {
    onAsked = () => exchange.putOff();
    come(head(503, EventFlag.ASKED | EventFlag.LAST));
    expect(calls).toEqual([]);
    expect(exchange.sent).toEqual([]);
    exchange.passOn();
    expect(calls).toEqual([`pass ${ID}`]);
    expect(exchange.sent).toEqual(['503 x\r\nretry-after: 7 · abc · 6 · last']);
    expect(told).toEqual(["asked 503 '7'", 'head 503', 'done', 'finished']);
  });

  it('is passed on once', () => {
    come(head(503, EventFlag.ASKED));
    exchange.passOn();
    exchange.passOn();
    expect(exchange.sent).toHaveLength(1);
  });

  it('makes the endpoint wait for a slow client when it goes on', () => {
    come(head(503, EventFlag.ASKED));
    exchange.takes = false;
    exchange.passOn();
    expect(calls).toEqual([`pass ${ID}`, `pause ${ID}`]);
  });

  it('is dropped for another attempt', () => {
    onAsked = () => expect(exchange.tryAgain(1, PROFILE)).toBe(BEGUN);
    come(head(503, EventFlag.ASKED));
    expect(calls).toEqual([`resend ${ID} 1 ${PROFILE}`]);
    exchange.passOn();
    expect(exchange.sent).toEqual([]);
    come(head(200, EventFlag.LAST));
    expect(exchange.sent).toEqual(['200 x\r\nretry-after: 7 · abc · 6 · last']);
  });

  it('is kept where the other attempt finds no pool', () => {
    come(head(503, EventFlag.ASKED));
    sendResult = SendResult.NO_POOL;
    expect(exchange.tryAgain(1, PROFILE)).toBe(NO_POOL);
    exchange.passOn();
    expect(exchange.sent).toHaveLength(1);
  });

  it('is dropped when the client leaves', () => {
    come(head(503, EventFlag.ASKED));
    exchange.state = 'waiting';
    relay.clientGone(exchange);
    expect(calls).toEqual([`release ${ID}`]);
    expect(told.at(-1)).toBe('finished');
    expect(exchange.asked).toBeNull();
  });

  it('is dropped when its time is over', () => {
    come(head(503, EventFlag.ASKED));
    come(failed(EngineError.EXCHANGE_TIMEOUT, EventFlag.SENT | EventFlag.ANSWERED));
    expect(told.at(-1)).toBe(`failed SLUICE_EXCHANGE_TIMEOUT ${AttemptFact.SENT | AttemptFact.ANSWERED}`);
    exchange.passOn();
    expect(exchange.sent).toEqual([]);
  });

  it('lets the body of its request come in while it waits', () => {
    come(head(503, EventFlag.ASKED));
    exchange.state = 'waiting';
    relay.requestBody(exchange, new ArrayBuffer(4), false);
    expect(calls).toEqual([`write ${ID}`]);
  });
});

describe('an exchange with two attempts', () => {
  beforeEach(() => {
    expect(exchange.hedge(1, PROFILE)).toBe(true);
    expect(calls).toEqual([`duplicate ${ID} ${HEDGE} 1 900 ${PROFILE}`]);
    calls = [];
  });

  it('has no third', () => {
    expect(exchange.hedge(2, PROFILE)).toBe(false);
    expect(calls).toEqual([]);
  });

  it('takes the first head, and lets go of the other attempt', () => {
    come(head(200, 0));
    expect(calls).toEqual([`release ${HEDGE}`]);
    expect(told).toEqual(['head 200']);
    exchange.release();
    expect(calls).toEqual([`release ${HEDGE}`, `release ${ID}`]);
  });

  it('takes the head of the second, whose number counts from then on', () => {
    exchange.takes = false;
    come(head(200, 0, HEDGE));
    expect(told).toEqual(['head 200 of the hedge']);
    relay.clientReady(exchange);
    relay.requestBody(exchange, new ArrayBuffer(1), true);
    exchange.release();
    expect(calls).toEqual([`release ${ID}`, `pause ${HEDGE}`, `resume ${HEDGE}`, `write ${HEDGE}`, `release ${HEDGE}`]);
  });

  it('goes on with the first when the second fails', () => {
    come(failed(EngineError.RESET, HELD_AND_SENT, HEDGE));
    expect(told).toEqual([`hedge failed SLUICE_ENDPOINT_RESET ${AttemptFact.SENT}`]);
    come(failed(EngineError.RESET, HELD_AND_SENT | EventFlag.REUSED));
    expect(told.at(-1)).toBe(
      `failed SLUICE_ENDPOINT_RESET ${AttemptFact.HELD | AttemptFact.SENT | AttemptFact.REUSED}`,
    );
    exchange.tryAgain(2, PROFILE);
    expect(calls).toEqual([`release ${HEDGE}`, `resend ${ID} 2 ${PROFILE}`]);
  });

  it('goes on with the second when the first fails', () => {
    come(failed(EngineError.RESET, HELD_AND_SENT));
    expect(told).toEqual([`failed SLUICE_ENDPOINT_RESET ${AttemptFact.SENT}`]);
    expect(exchange.hedge(2, PROFILE)).toBe(false);
    come(failed(EngineError.FIRST_BYTE_TIMEOUT, HELD_AND_SENT, HEDGE));
    expect(told.at(-1)).toBe(`hedge failed SLUICE_FIRST_BYTE_TIMEOUT ${AttemptFact.HELD | AttemptFact.SENT}`);
    exchange.tryAgain(2, PROFILE);
    come(head(200, EventFlag.LAST, HEDGE));
    expect(told.slice(2)).toEqual(['head 200', 'done', 'finished']);
    expect(calls).toEqual([`release ${ID}`, `resend ${HEDGE} 2 ${PROFILE}`]);
  });

  it('may have a second attempt anew, under the number that is free', () => {
    come(failed(EngineError.RESET, HELD_AND_SENT), failed(EngineError.RESET, HELD_AND_SENT, HEDGE));
    exchange.tryAgain(2, PROFILE);
    expect(exchange.hedge(0, PROFILE)).toBe(true);
    expect(calls.at(-1)).toBe(`duplicate ${HEDGE} ${ID} 0 900 ${PROFILE}`);
    come(head(200, 0, ID));
    expect(told.at(-1)).toBe('head 200 of the hedge');
  });

  it('drops a response that is asked about while the other attempt goes on', () => {
    come(head(503, EventFlag.ASKED, HEDGE));
    expect(told).toEqual(["asked 503 '7' of the hedge"]);
    expect(calls).toEqual([`release ${HEDGE}`]);
    come(head(503, EventFlag.ASKED));
    exchange.passOn();
    expect(told.slice(1)).toEqual(["asked 503 '7'", 'head 503']);
  });

  it('passes such a response on where the pipeline wants it all the same', () => {
    onAsked = () => exchange.passOn();
    come(head(503, EventFlag.ASKED, HEDGE));
    expect(calls).toEqual([`release ${ID}`, `pass ${HEDGE}`]);
    expect(told).toEqual(["asked 503 '7' of the hedge", 'head 503 of the hedge']);
  });

  it('ends the second alone, once', () => {
    exchange.releaseHedge();
    exchange.releaseHedge();
    expect(calls).toEqual([`release ${HEDGE}`]);
  });

  it('ends both when the client leaves', () => {
    relay.clientGone(exchange);
    expect(calls).toEqual([`release ${ID}`, `release ${HEDGE}`]);
  });

  it('has no second attempt where there is nothing to begin with', () => {
    exchange.releaseHedge();
    sendResult = SendResult.NOT_WHOLE;
    expect(exchange.hedge(1, PROFILE)).toBe(false);
    exchange.release();
    expect(calls.at(-1)).toBe(`release ${ID}`);
  });
});
