/** Whom bound clients reach while endpoints drain, fail and fill, over a scripted front end and a real board. */
import { describe, expect, it } from 'vitest';
import type { Board } from '../../../../../src/board/board.js';
import type { AffinityPlan } from '../../../../../src/config/picking-plan.js';
import { EngineError } from '../../../../../src/engine/engine.js';
import { KeyAnswer } from '../../../../../src/engine/request-key.js';
import { attemptFailed, finished, frontEndOf, request, served } from './scripted-front-end.js';

const COOKIE: AffinityPlan = {
  kind: 'cookie',
  name: 'sid',
  path: '/',
  domain: null,
  maxAgeS: 0,
  isSecure: false,
  isHttpOnly: false,
  sameSite: null,
  secret: 'a secret of sixteen or more',
};
const BINDING = /^add (\d+) set-cookie: (sid=[^;]+); Path=\/$/;

/** A front end whose requests carry `cookie`, and the cookies that bind to each slot. */
function boundFrontEnd(endpoints = 3) {
  const made = frontEndOf(endpoints, { upstream: { affinity: COOKIE } });
  let cookie: string | null = null;
  made.native.header = (() => cookie) as typeof made.native.header;
  const take = () => made.native.calls.splice(0).filter((call) => call.startsWith('add'));
  const cookies = new Map<number, string>();
  for (let n = 0; cookies.size < endpoints; n++) {
    const [slot] = made.batch(request(n));
    const [, , pair = ''] = BINDING.exec(take().join()) ?? [];
    cookies.set(slot!, pair);
    made.batch(served(n));
  }
  const [[home, own]] = cookies as unknown as [[number, string]];
  return {
    ...made,
    cookies,
    /** Slot of a client, and its cookie. */
    home,
    own,
    /** Added fields since the last call. */
    take,
    carry: (text: string | null) => {
      cookie = text;
    },
  };
}

describe('a client with a cookie', () => {
  it('comes to its endpoint, whatever the turn says, and gets no other cookie', () => {
    const { batch, carry, own, home, take } = boundFrontEnd();
    carry(own);
    for (const n of [0, 1, 2, 3]) {
      expect(batch(request(n))).toEqual([home]);
      batch(served(n));
    }
    expect(take()).toEqual([]);
  });

  it.each([
    ['drains', (control: Board['control'], slot: number) => control.setDraining(slot, true)],
    ['is unhealthy', (control: Board['control'], slot: number) => control.setHealthy(slot, false)],
    ['is disabled', (control: Board['control'], slot: number) => control.setEnabled(slot, false)],
  ] as const)('is bound to another endpoint while its own %s', (_, change) => {
    const { batch, board, carry, own, home, cookies, take } = boundFrontEnd();
    change(board.control, home);
    carry(own);
    const [slot] = batch(request(0));
    expect(slot).not.toBe(home);
    expect(take()).toEqual([`add 0 set-cookie: ${cookies.get(slot!)}; Path=/`]);
  });

  it('is bound to the endpoint that answers, not to one whose attempt failed', () => {
    const { batch, carry, own, home, cookies, take } = boundFrontEnd();
    carry(own);
    expect(batch(request(0))).toEqual([home]);
    expect(take()).toEqual([]);
    const [other] = batch(attemptFailed(0, EngineError.CONNECT_REFUSED));
    expect(other).not.toBe(home);
    expect(take()).toEqual([`add 0 set-cookie: ${cookies.get(other!)}; Path=/`]);
  });

  it('loses the added cookie with an answer of the proxy', () => {
    const { batch, carry, native, take } = boundFrontEnd(2);
    carry(null);
    batch(request(0));
    expect(take()[0]).toMatch(BINDING);
    batch(attemptFailed(0, EngineError.CONNECT_REFUSED));
    batch(attemptFailed(0, EngineError.CONNECT_REFUSED));
    const calls = native.calls.splice(0);
    expect(calls.at(-2)).toBe('add 0 set-cookie: null');
    expect(calls.at(-1)).toMatch(/^answer 0 502/);
    batch(finished(0));
  });
});

describe('a client with a key', () => {
  it('comes to the home of its key, and to nobody in particular without', () => {
    const { batch, native, slots } = frontEndOf(3, {
      upstream: { affinity: { kind: 'key', key: { kind: 'header', name: 'x-user' } } },
    });
    const homes = new Set<number>();
    for (let user = 0; user < 40; user++) {
      native.keyAnswer = KeyAnswer.HASHED;
      native.keyHash = [Math.imul(user + 1, 0x9e3779b1), user];
      const first = batch(request(0));
      batch(served(0));
      const second = batch(request(0));
      batch(served(0));
      expect(second).toEqual(first);
      homes.add(first[0]!);
    }
    expect(homes).toEqual(new Set(slots));
    native.keyAnswer = 0;
    const anyone = [0, 1, 2].flatMap((n) => batch(request(n)));
    expect(new Set(anyone)).toEqual(new Set(slots));
  });
});
