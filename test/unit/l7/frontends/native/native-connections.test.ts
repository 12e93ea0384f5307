/** Who a client connection of the native front end is believed to be, and which ones are refused. */
import { describe, expect, it } from 'vitest';
import { HTTP2_FLOODS } from '../../../../../src/core/http2-floods.js';
import {
  ADMIT_CONNECTION,
  ClientEnd,
  FrontEndFlag,
  REFUSE_CONNECTION,
  Trust,
} from '../../../../../src/engine/front-end-event.js';
import { TlsFailure } from '../../../../../src/engine/tls.js';
import { claimed, closed, frontEndOf, nativeListenerPlan, opened, peer } from './scripted-front-end.js';

const { limits } = nativeListenerPlan();
const trusting = { listener: { trustedProxies: ['192.0.2.8/29'] } };
const UNIX = { peer2: 0, peer3: 0 };

describe('trust', () => {
  it.each([
    ['a stranger', {}, 0],
    ['a stranger with a PROXY header', claimed(9), 0],
    ['a trusted peer', peer(9), Trust.FORWARDED],
    ['a trusted peer that names a stranger', { ...peer(9), ...claimed(1) }, Trust.PROXY_HEADER],
    ['a trusted peer that names a trusted one', { ...peer(9), ...claimed(10) }, Trust.PROXY_HEADER | Trust.FORWARDED],
    ['the peer of a UNIX socket', UNIX, Trust.FORWARDED],
    ['a UNIX peer that names a stranger', { ...UNIX, ...claimed(1) }, Trust.PROXY_HEADER],
    ['a header that names no address', { ...peer(9), flags: FrontEndFlag.PROXIED }, Trust.PROXY_HEADER],
  ])('of %s', (_name, more, trust) => {
    const { batch, at } = frontEndOf(1, trusting);
    expect(batch(opened(3, more))).toEqual([ADMIT_CONNECTION]);
    expect(at(0, 'trust')).toBe(trust);
  });
});

describe('HTTP/2', () => {
  it('is counted for its listener: broken rules, and floods by their kind', () => {
    const { batch, board, counted, log } = frontEndOf(1);
    const pings = 1 + HTTP2_FLOODS.indexOf('pings');
    batch(opened(0), opened(1));
    batch(
      { ...closed(0, ClientEnd.HTTP2_ERROR), ...peer(1), errno: 3 },
      { ...closed(1, ClientEnd.HTTP2_FLOOD), ...peer(2), floodKind: pings },
    );
    expect(board.figures.http2(nativeListenerPlan().number)).toMatchObject({
      errors: 1,
      floods: { pings: 1, resets: 0 },
    });
    expect(counted()).toEqual({ SLUICE_HTTP2_ERROR: 1, SLUICE_HTTP2_FLOOD: 1 });
    expect(log.records).toMatchObject([
      { event: 'connection-failed', code: 'SLUICE_HTTP2_ERROR', client: '192.0.2.1', http2Error: '3' },
      { event: 'connection-failed', code: 'SLUICE_HTTP2_FLOOD', client: '192.0.2.2', kind: 'pings' },
    ]);
  });
});

describe('limits', () => {
  it('let in as many connections as the listener may have, and again when one has closed', () => {
    const { batch, counted, board, log } = frontEndOf(1, { listener: { limits: { ...limits, sessions: 2 } } });
    expect(batch(opened(0), opened(1), opened(2))).toEqual([ADMIT_CONNECTION, ADMIT_CONNECTION, REFUSE_CONNECTION]);
    expect(counted()).toEqual({ SLUICE_SESSION_LIMIT: 1 });
    expect(log.records).toMatchObject([
      { event: 'connection-failed', code: 'SLUICE_SESSION_LIMIT', listener: 'web', client: '192.0.2.1' },
    ]);
    batch(closed(0));
    expect(batch(opened(2))).toEqual([ADMIT_CONNECTION]);
    batch(closed(1), closed(2, ClientEnd.GONE));
    expect(board.totals().sessions).toBe(0);
    expect(batch(opened(0), opened(1), opened(2))[1]).toBe(ADMIT_CONNECTION);
  });

  it('count connections of one client, whom a believed PROXY header names', () => {
    const { batch, counted } = frontEndOf(1, {
      listener: { ...trusting.listener, limits: { ...limits, sessionsPerClient: 1 } },
    });
    expect(
      batch(
        opened(0, { ...peer(9), ...claimed(1) }),
        opened(1, { ...peer(9), ...claimed(2) }),
        opened(2, peer(2)),
        opened(3, { ...peer(9), ...claimed(1) }),
      ),
    ).toEqual([ADMIT_CONNECTION, ADMIT_CONNECTION, REFUSE_CONNECTION, REFUSE_CONNECTION]);
    expect(counted()).toEqual({ SLUICE_CLIENT_SESSION_LIMIT: 2 });
  });

  it('refuse a client that opens connections faster than it may, until time has passed', async () => {
    const { batch, time, counted } = frontEndOf(1, {
      listener: { limits: { ...limits, newSessionsPerClient: { perSecond: 1, burst: 2 } } },
    });
    expect(batch(opened(0), opened(1), opened(2))[2]).toBe(REFUSE_CONNECTION);
    await time.pass(1_000);
    expect(batch(opened(2))).toEqual([ADMIT_CONNECTION]);
    expect(counted()).toEqual({ SLUICE_CLIENT_RATE_LIMIT: 1 });
  });

  it('are not asked where nothing is limited', () => {
    const { batch, counted } = frontEndOf(1);
    batch(...Array.from({ length: 100 }, (_, number) => opened(number)));
    batch(...Array.from({ length: 100 }, (_, number) => closed(number)));
    expect(counted()).toEqual({});
  });
});

describe('a connection that was never opened', () => {
  it.each([
    [ClientEnd.BAD_PROXY_HEADER, 'SLUICE_BAD_PROXY_HEADER'],
    [ClientEnd.PREFACE_TIMEOUT, 'SLUICE_PREFACE_TIMEOUT'],
  ])('for reason %i is counted and logged with its peer', (reason, code) => {
    const { batch, counted, log } = frontEndOf(1, { listener: { limits: { ...limits, sessions: 1 } } });
    batch(opened(4), closed(5, reason, peer(7)));
    expect(counted()).toEqual({ [code]: 1 });
    expect(log.records).toMatchObject([{ level: 'debug', event: 'connection-failed', code, peer: '192.0.2.7' }]);
    expect(batch(opened(6))).toEqual([REFUSE_CONNECTION]);
  });
});

describe('TLS', () => {
  const failed = (more: object) => closed(0, ClientEnd.TLS_FAILED, more);

  it.each([
    ['nothing that is TLS', failed({ tlsFailure: TlsFailure.NOT_TLS }), 'SLUICE_TLS_HANDSHAKE', { reason: 'not-tls' }],
    [
      'an alert',
      failed({ tlsFailure: TlsFailure.ALERT, tlsAlert: 42 }),
      'SLUICE_TLS_HANDSHAKE',
      { reason: 'alert', alert: 42 },
    ],
    ['too long', closed(0, ClientEnd.TLS_TIMEOUT), 'SLUICE_TLS_TIMEOUT', { reason: 'timeout' }],
    ['one too many', closed(0, ClientEnd.TLS_LIMIT), 'SLUICE_TLS_LIMIT', { reason: 'limit' }],
  ] as const)('that does not begin is counted, told, and gives back the place: %s', (_what, event, code, facts) => {
    const { batch, counted, board, log } = frontEndOf(1, { listener: { limits: { ...limits, sessions: 1 } } });
    batch(opened(0), event);
    expect(counted()).toEqual({ [code]: 1 });
    expect(log.records).toMatchObject([{ event: 'tls-handshake-failed', code, listener: 'web', ...facts }]);
    expect(board.totals().sessions).toBe(0);
  });
});
