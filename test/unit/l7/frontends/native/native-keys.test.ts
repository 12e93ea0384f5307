/** Keys of requests of the native front end, as the pipeline gets and keeps them. */
import { describe, expect, it } from 'vitest';
import { PickKey } from '../../../../../src/balancing/balancer.js';
import { KeyHasher } from '../../../../../src/balancing/key-hasher.js';
import { EngineError } from '../../../../../src/engine/engine.js';
import { KeyAnswer, KeyKind } from '../../../../../src/engine/request-key.js';
import { NativeKeys } from '../../../../../src/l7/frontends/native/native-keys.js';
import { PLAIN_RESILIENCE } from '../../../control/plans.js';
import { attemptFailed, frontEndOf, LENGTH_HASHES, nativeListenerPlan, opened, request } from './scripted-front-end.js';

const hashing = (hash: number) => {
  const front = frontEndOf(4, {
    upstream: {
      balance: 'hash',
      hashKey: { kind: 'cookie', name: 'sid' },
      retry: { ...PLAIN_RESILIENCE.retry, attempts: 3, connectAttempts: 3 },
    },
  });
  front.native.keyAnswer = KeyAnswer.HASHED;
  front.native.keyHash = [hash, 0];
  const asked = (): string[] => front.native.calls.filter((call) => /^(?:key|hash)/.test(call));
  return { ...front, asked };
};

describe('the key of an exchange', () => {
  it('is asked for once, and kept for all attempts', () => {
    const { batch, slots, asked } = hashing(6);
    const [, first] = batch(opened(1), request(0, { route: 0 }));
    expect(first).toBe(slots[2]);
    const [second] = batch(attemptFailed(0, EngineError.CONNECT_REFUSED));
    expect(slots).toContain(second);
    expect(second).not.toBe(first);
    expect(asked()).toEqual([`key ${KeyKind.COOKIE} sid`, 'hash 0']);
  });

  it('is asked for with the same number by the next request', () => {
    const { batch, slots, asked } = hashing(3);
    batch(opened(1), opened(2));
    expect(batch(request(0, { route: 0 }), request(1, { route: 0 }))).toEqual([slots[3], slots[3]]);
    expect(asked()).toEqual([`key ${KeyKind.COOKIE} sid`, 'hash 0', 'hash 1']);
  });

  it('may be of its client’s certificate', () => {
    const { native, batch, slots } = frontEndOf(4, {
      upstream: { balance: 'hash', hashKey: { kind: 'client-certificate', name: 'fingerprint' } },
    });
    native.keyAnswer = KeyAnswer.HASHED;
    native.keyHash = [6, 0];
    expect(batch(opened(1), request(0, { route: 0 }))[1]).toBe(slots[2]);
    expect(native.calls.filter((call) => call.startsWith('key'))).toEqual([`key ${KeyKind.CERTIFICATE_FINGERPRINT} `]);
  });

  it('is nobody’s business where the balancer takes none', () => {
    const { batch, native } = frontEndOf(2);
    batch(opened(1), request(0, { route: 0 }));
    expect(native.calls.filter((call) => call.startsWith('hash'))).toEqual([]);
  });
});

describe('the client behind a trusted proxy', () => {
  const keysFor = (forwardedFor: string, answer: number): NativeKeys =>
    new NativeKeys({
      frontEnd: {
        openKey: () => 0,
        hashKey: () => answer,
        keyText: () => 'of the connection',
        header: () => forwardedFor,
      },
      keyWords: Int32Array.of(77, 88),
      hasher: new KeyHasher(LENGTH_HASHES),
    });
  const listener = nativeListenerPlan({ trustedProxies: ['10.0.0.0/8'] });
  const { HASHED, FORWARDED } = KeyAnswer;

  it.each([
    ['192.0.2.44, 10.0.0.1', HASHED | FORWARDED, 'client-ip', '192.0.2.44'],
    ['192.0.2.44, 10.0.0.1', FORWARDED, 'client-network', '192.0.2'],
    ['unknown', HASHED | FORWARDED, 'client-ip', null],
    ['192.0.2.44', HASHED, 'client-ip', null],
  ] as const)('is in %j (answer %i) for %s: %j', (forwardedFor, answer, kind, client) => {
    const keys = keysFor(forwardedFor, answer);
    const key = new PickKey();
    expect(keys.hash(9, listener, { kind }, false, key)).toBe(true);
    expect([key.hash, key.hashHigh]).toEqual(client === null ? [77, 88] : [client.length, 0]);
    expect(keys.text(9, listener, { kind })).toBe(client ?? 'of the connection');
  });

  it('is absent where neither the connection nor the field has an address', () => {
    const key = new PickKey();
    expect(keysFor('unknown', FORWARDED).hash(9, listener, { kind: 'client-ip' }, false, key)).toBe(false);
    expect([key.hash, key.hashHigh]).toEqual([0, 0]);
  });
});
