/** What is decided on events of a scripted native front end, and what that leaves on the board and in the log. */
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../../../src/engine/engine.js';
import {
  ClientEnd,
  Decision,
  FrontEndEventType,
  FrontEndFlag,
  Method,
  NO_POOL,
  NO_ROUTE,
  RequestFault,
  UNKNOWN_HOST,
} from '../../../../../src/engine/front-end-event.js';
import { WHOLE_UPSTREAM } from '../../../control/plans.js';
import {
  attemptFailed,
  ENDPOINT_DONE,
  exchange,
  FINISHED,
  FIRST_BYTE,
  faulted,
  finished,
  frontEndOf,
  HEAD_SEEN,
  NOTHING_LEFT,
  progress,
  request,
  served,
} from './scripted-front-end.js';

const route = (path: string, exchangeTimeoutMs = 0, host = '*') => ({
  host,
  path,
  upstream: 0,
  ...WHOLE_UPSTREAM,
  exchangeTimeoutMs,
});

describe('a request', () => {
  it('gets a slot and a deadline, holds the endpoint until it is done, and leaves nothing behind', () => {
    const { batch, at, slots, inflight, latencies, board, log, leftovers, counted } = frontEndOf(2, {
      listener: { routes: [route('/', 30_000)] },
    });
    const [slot] = batch(request(0));
    expect(slots).toContain(slot);
    expect(at(0, 'exchangeTimeoutMs')).toBe(30_000);
    expect([inflight().reduce((a, b) => a + b), board.totals().exchanges]).toEqual([1, 1]);
    batch(served(0, 204, 700));
    expect(latencies().filter((us) => us !== 0)).toEqual([700]);
    expect(leftovers()).toEqual(NOTHING_LEFT);
    expect(board.totals().traffic).toMatchObject({ requests: 1, responses2xx: 1 });
    expect([counted(), log.events()]).toEqual([{}, []]);
  });

  it('gives its endpoint back when the endpoint is done, though the client still takes bytes', () => {
    const { batch, inflight, board, leftovers } = frontEndOf(1);
    batch(request(0));
    batch(progress(0, FIRST_BYTE, { status: 200, elapsedUs: 5 }));
    expect(inflight()).toEqual([1]);
    batch(progress(0, ENDPOINT_DONE));
    expect([inflight(), board.totals().exchanges]).toEqual([[0], 1]);
    batch(finished(0, ClientEnd.DELIVERED, 200));
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is one of many in a batch, and its number may come again in the same one', () => {
    const { batch, inflight, leftovers } = frontEndOf(2);
    batch(request(0), request(1), { type: FrontEndEventType.NONE }, request(2));
    batch(served(1), request(1), served(0));
    expect(inflight().reduce((a, b) => a + b)).toBe(2);
    batch(served(1), served(2));
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('counts a failing status against its endpoint', () => {
    const { batch, endpointFailures, board } = frontEndOf(1);
    batch(request(0), served(0, 503));
    expect(endpointFailures()).toEqual([1]);
    expect(board.totals().traffic).toMatchObject({ responses5xx: 1 });
  });

  it.each([
    ['no route', { route: NO_ROUTE }, 'answer 0 404', 'SLUICE_NO_ROUTE'],
    ['a loop', { flags: FrontEndFlag.LOOP }, 'answer 0 508', 'SLUICE_LOOP_DETECTED'],
    ['TRACE', { method: Method.TRACE }, 'answer 0 405', 'SLUICE_METHOD_REFUSED'],
    [
      'CONNECT, behind which bytes may follow that are no request',
      { method: Method.CONNECT },
      'answer 0 405 close',
      'SLUICE_METHOD_REFUSED',
    ],
    ['a malformed Host', { route: UNKNOWN_HOST, host: 'a b', target: '/' }, 'answer 0 400', 'SLUICE_BAD_HOST'],
    ['syntax', { fault: RequestFault.BAD_REQUEST }, 'answer 0 400 close', 'SLUICE_BAD_REQUEST'],
    ['framing', { fault: RequestFault.BAD_FRAMING }, 'answer 0 400 close', 'SLUICE_BAD_FRAMING'],
    ['several Hosts', { fault: RequestFault.BAD_HOST }, 'answer 0 400 close', 'SLUICE_BAD_HOST'],
    ['a large head', { fault: RequestFault.HEAD_TOO_LARGE }, 'answer 0 431 close', 'SLUICE_HEAD_TOO_LARGE'],
    ['a long target', { fault: RequestFault.TARGET_TOO_LONG }, 'answer 0 414 close', 'SLUICE_TARGET_TOO_LONG'],
    ['another version', { fault: RequestFault.BAD_VERSION }, 'answer 0 505 close', 'SLUICE_BAD_VERSION'],
    ['a slow head', { fault: RequestFault.HEAD_TIMEOUT }, 'answer 0 408 close', 'SLUICE_HEAD_TIMEOUT'],
    [
      'a body announced too large',
      { fault: RequestFault.BODY_TOO_LARGE },
      'answer 0 413 close',
      'SLUICE_BODY_TOO_LARGE',
    ],
  ])('is answered for %s, and no endpoint sees it', (_name, more, call, code) => {
    const { batch, native, inflight, counted, log, leftovers } = frontEndOf(1);
    expect(batch(request(0, more))).toEqual([Decision.SETTLED]);
    expect(native.calls).toEqual([call]);
    expect(JSON.parse(native.bodies[0]!)).toMatchObject({ error: code, requestId: '00ff' });
    expect([inflight(), counted()]).toEqual([[0], {}]);
    batch(finished(0, ClientEnd.DELIVERED, Number(call.slice(9, 12))));
    expect([counted(), leftovers()]).toEqual([{ [code]: 1 }, NOTHING_LEFT]);
    expect(log.records).toMatchObject([
      { event: 'exchange-failed', code, listener: 'web', method: 'GET', path: '/path', requestId: '00ff', attempts: 0 },
    ]);
  });

  it('with OPTIONS is answered here where Max-Forwards lets it go no further, and is no failure', () => {
    const { batch, native, counted, board, leftovers } = frontEndOf(1);
    batch(request(0, { method: Method.OPTIONS, maxForwards: 0 }), finished(0, ClientEnd.DELIVERED, 200));
    batch(request(1, { method: Method.OPTIONS, maxForwards: 1 }));
    batch(request(2, { method: Method.GET, maxForwards: 0 }));
    expect(native.calls).toEqual(['answer 0 200']);
    batch(served(1), served(2));
    expect([counted(), leftovers(), board.totals().traffic.responses2xx]).toEqual([{}, NOTHING_LEFT, 3]);
  });

  it('is answered 503 when no endpoint may be picked', () => {
    const { batch, native, counted } = frontEndOf(0);
    expect(batch(request(0))).toEqual([Decision.SETTLED]);
    batch(finished(0, ClientEnd.DELIVERED, 503));
    expect([native.calls, counted()]).toEqual([['answer 0 503'], { SLUICE_NO_ENDPOINT: 1 }]);
  });

  it('has its connection closed while the worker drains', () => {
    const { batch, native, pipeline } = frontEndOf(1);
    pipeline.drain();
    batch(request(0, { route: NO_ROUTE }));
    expect(native.calls).toEqual(['answer 0 404 close']);
  });
});

describe('the route of a request', () => {
  const routes = [route('/'), route('/api', 7_000), route('/', 9_000, '*.example.org')];

  it('is the one that the front end has found', () => {
    const { batch, at } = frontEndOf(1, { listener: { routes } });
    batch(request(0, { route: 1 }), request(1, { route: 2 }), request(2, { route: 0 }));
    expect([0, 1, 2].map((index) => at(index, 'exchangeTimeoutMs'))).toEqual([7_000, 9_000, 0]);
  });

  it('is found here for a Host that the front end does not know, with the table to remember', () => {
    const { batch, at, native } = frontEndOf(1, { listener: { routes } });
    const tables = native.listeners.get(0)!.hostTables;
    const unknown = (n: number, host: string, target: string) => request(n, { route: UNKNOWN_HOST, host, target });
    batch(
      unknown(0, 'www.EXAMPLE.org:80', '/api?x=/'),
      unknown(1, 'other', '/api/x?y'),
      unknown(2, '', '/apix'),
      unknown(3, '\u00fc', '/'),
    );
    expect([0, 1, 2].map((index) => at(index, 'exchangeTimeoutMs'))).toEqual([9_000, 7_000, 0]);
    expect(tables[at(0, 'hostTable')]).toEqual({ paths: ['/', '/api', '/'], routes: [2, 1, 0] });
    expect(tables[at(1, 'hostTable')]).toEqual({ paths: ['/api', '/'], routes: [1, 0] });
    expect([at(2, 'hostTable'), at(3, 'hostTable')]).toEqual([at(1, 'hostTable'), -1]);
    expect(native.calls).toEqual(['answer 3 400']);
  });
});

describe('a failed attempt', () => {
  it('that no endpoint has seen is made on another one with the time that is left, and counts against the first', async () => {
    const { batch, at, slots, time, inflight, endpointFailures, log, leftovers } = frontEndOf(2, {
      listener: { routes: [route('/', 1_000)] },
    });
    const [first] = batch(request(0));
    await time.pass(400);
    const [second] = batch(attemptFailed(0, EngineError.CONNECT_REFUSED, FrontEndFlag.RETRYABLE, 111));
    expect([first, second].sort()).toEqual([...slots].sort());
    expect(at(0, 'exchangeTimeoutMs')).toBe(600);
    const failedAt = slots.indexOf(first!);
    expect([endpointFailures()[failedAt], inflight()[failedAt], inflight()[1 - failedAt]]).toEqual([1, 0, 1]);
    expect(log.records).toMatchObject([
      {
        event: 'attempt-failed',
        code: 'SLUICE_CONNECT_REFUSED',
        upstream: 'api',
        attempt: 1,
        errno: 111,
        requestId: '00ff',
      },
    ]);
    batch(served(0));
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is not repeated when the time of the route is over', async () => {
    const { batch, time, native, leftovers } = frontEndOf(2, { listener: { routes: [route('/', 1_000)] } });
    batch(request(0));
    await time.pass(1_000);
    expect(batch(attemptFailed(0, EngineError.CONNECT_REFUSED))).toEqual([Decision.SETTLED]);
    batch(finished(0, ClientEnd.DELIVERED, 504));
    expect([native.calls, leftovers()]).toEqual([['answer 0 504'], NOTHING_LEFT]);
  });

  it('that an endpoint has seen is answered with its own code', () => {
    const { batch, native, counted, leftovers } = frontEndOf(2);
    batch(request(0));
    expect(batch(attemptFailed(0, EngineError.RESET, 0))).toEqual([Decision.SETTLED]);
    batch(finished(0, ClientEnd.DELIVERED, 502));
    expect([native.calls, counted(), leftovers()]).toEqual([
      ['answer 0 502'],
      { SLUICE_ENDPOINT_RESET: 1 },
      NOTHING_LEFT,
    ]);
  });

  it('is answered with the code of the one before when no endpoint is left', () => {
    const { batch, native, counted } = frontEndOf(1);
    batch(request(0));
    batch(attemptFailed(0, EngineError.CONNECT_TIMEOUT), finished(0, ClientEnd.DELIVERED, 504));
    expect([native.calls, counted()]).toEqual([['answer 0 504'], { SLUICE_CONNECT_TIMEOUT: 1 }]);
  });

  it('is repeated no more often than the upstream says', () => {
    const { batch, native } = frontEndOf(3);
    batch(request(0));
    batch(attemptFailed(0, EngineError.CONNECT_REFUSED));
    expect(native.calls).toEqual([]);
    batch(attemptFailed(0, EngineError.CONNECT_REFUSED));
    expect(native.calls).toEqual(['answer 0 502']);
  });

  it('behind the head breaks the answer off, and its code counts, not the break', () => {
    const { batch, native, counted, leftovers } = frontEndOf(1);
    batch(request(0), progress(0, FIRST_BYTE, { status: 200, elapsedUs: 1 }));
    batch(attemptFailed(0, EngineError.TRUNCATED, HEAD_SEEN), finished(0, ClientEnd.BROKEN_OFF, 200));
    expect(native.calls).toEqual(['break off 0']);
    expect([counted(), leftovers()]).toEqual([{ SLUICE_RESPONSE_TRUNCATED: 1 }, NOTHING_LEFT]);
  });

  it('behind a head that has not been told breaks off all the same', () => {
    const { batch, native } = frontEndOf(1);
    batch(request(0));
    batch(attemptFailed(0, EngineError.IDLE_TIMEOUT, HEAD_SEEN));
    expect(native.calls).toEqual(['break off 0']);
  });

  it('by a deadline that a slow client let pass is not its endpoint’s', () => {
    const { batch, endpointFailures } = frontEndOf(1);
    batch(request(0), progress(0, FIRST_BYTE, { status: 200, elapsedUs: 1 }));
    batch(attemptFailed(0, EngineError.EXCHANGE_TIMEOUT, HEAD_SEEN));
    expect(endpointFailures()).toEqual([0]);
  });

  it('for want of descriptors is no endpoint’s fault, and is told', () => {
    const { batch, native, fileLimits, endpointFailures } = frontEndOf(2);
    batch(request(0));
    batch(attemptFailed(0, EngineError.FILE_LIMIT));
    expect([native.calls, fileLimits, endpointFailures()]).toEqual([['answer 0 503'], [1], [0, 0]]);
  });

  it('on an endpoint that this worker does not know yet is no failure: another one serves', () => {
    const { batch, slots, endpointFailures, log, native } = frontEndOf(2);
    const [first] = batch(request(0));
    const [second] = batch(attemptFailed(0, NO_POOL));
    expect([first, second].sort()).toEqual([...slots].sort());
    expect([endpointFailures(), log.events()]).toEqual([[0, 0], []]);
    batch(attemptFailed(0, NO_POOL));
    expect(native.calls).toEqual(['answer 0 503']);
  });
});

describe('what clients do', () => {
  it.each([
    ['leave', ClientEnd.GONE, 'SLUICE_CLIENT_GONE'],
    ['take nothing', ClientEnd.STALLED, 'SLUICE_CLIENT_STALLED'],
    ['are silent in a tunnel', ClientEnd.TUNNEL_IDLE, 'SLUICE_TUNNEL_IDLE'],
  ])('when they %s the endpoint is free again, and the code is counted', (_name, reason, code) => {
    const { batch, counted, leftovers, log } = frontEndOf(1);
    batch(request(0));
    batch(progress(0, FIRST_BYTE | FINISHED, { status: 101, elapsedUs: 3, reason }));
    expect([counted(), leftovers()]).toEqual([{ [code]: 1 }, NOTHING_LEFT]);
    expect(log.records).toMatchObject([{ level: 'debug', event: 'exchange-failed', code, status: 101 }]);
  });

  it.each([
    ['silent', RequestFault.BODY_TIMEOUT, 408, 'SLUICE_BODY_TIMEOUT'],
    ['too large', RequestFault.BODY_TOO_LARGE, 413, 'SLUICE_BODY_TOO_LARGE'],
    ['malformed', RequestFault.BAD_FRAMING, 400, 'SLUICE_BAD_FRAMING'],
  ])('with a body that is %s they are answered and closed, and the endpoint is free', (_name, fault, status, code) => {
    const { batch, native, inflight, counted, endpointFailures } = frontEndOf(1);
    batch(request(0));
    batch(faulted(0, fault));
    expect([native.calls, inflight(), endpointFailures()]).toEqual([[`answer 0 ${status} close`], [0], [0]]);
    batch(finished(0, ClientEnd.DELIVERED, status));
    expect(counted()).toEqual({ [code]: 1 });
  });

  it('in a body whose answer has begun breaks it off', () => {
    const { batch, native, inflight, counted, leftovers } = frontEndOf(1);
    batch(request(0), progress(0, FIRST_BYTE, { status: 200, elapsedUs: 1 }));
    batch(faulted(0, RequestFault.BAD_FRAMING));
    expect([native.calls, inflight()]).toEqual([['break off 0'], [0]]);
    batch(finished(0, ClientEnd.BROKEN_OFF, 200));
    expect([counted(), leftovers()]).toEqual([{ SLUICE_BAD_FRAMING: 1 }, NOTHING_LEFT]);
  });

  it('in the batch of their request takes its decision back', () => {
    const { batch, native, inflight } = frontEndOf(1);
    const decisions = batch(request(0), faulted(0, RequestFault.BAD_FRAMING), request(1), finished(1, ClientEnd.GONE));
    expect([decisions[0], decisions[2]]).toEqual([Decision.SETTLED, Decision.SETTLED]);
    expect([native.calls, inflight()]).toEqual([['answer 0 400 close'], [0]]);
  });

  it('changes nothing where the answer is on its way', () => {
    const { batch, native, counted } = frontEndOf(1);
    batch(request(0, { route: NO_ROUTE }), faulted(0, RequestFault.BAD_FRAMING));
    batch(attemptFailed(0, EngineError.RESET, 0), progress(0, FIRST_BYTE, { status: 200 }));
    batch(finished(0, ClientEnd.GONE, 404));
    expect([native.calls, counted()]).toEqual([['answer 0 404'], { SLUICE_NO_ROUTE: 1 }]);
  });
});

describe('a front end that breaks the contract', () => {
  it('crashes the worker', () => {
    const { batch } = frontEndOf(1);
    expect(() => batch(served(0))).toThrow(/have begun/);
    batch(request(0));
    expect(() => batch(request(0))).toThrow(/has finished/);
    expect(() => batch(finished(0, ClientEnd.IDLE))).toThrow(/known end/);
    expect(() => batch(faulted(0, 99))).toThrow(/known fault/);
    expect(() => batch(request(1, { listener: 1 }))).toThrow(/listener of the native front end/);
  });
});

describe('the log', () => {
  it('has the words of a method that has no number, and leaves the query out', () => {
    const { batch, native, log } = frontEndOf(1);
    native.description = 'PROPFIND\n/a?secret=1\nhost\nid-7';
    batch(request(0, { method: Method.OTHER }));
    batch(finished(0, ClientEnd.GONE));
    expect(log.records).toMatchObject([{ method: 'PROPFIND', path: '/a', requestId: 'id-7' }]);
    expect(exchange(0)).toBe(65_536);
  });
});
