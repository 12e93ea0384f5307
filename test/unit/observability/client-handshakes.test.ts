/** What the figures of listeners get of an engine's totals of handshakes. */
import { describe, expect, it } from 'vitest';
import { ClientHandshakes } from '../../../src/observability/client-handshakes.js';

/** Counts into a list, by totals that the test sets. */
function rig() {
  const added: [listener: number, end: number, count: number][] = [];
  const handshakes = new ClientHandshakes({ ended: (...each: [number, number, number]) => added.push(each) } as never);
  const totals = new Map<number, readonly number[]>();
  const count = () => {
    handshakes.count({ handshakes: (listener) => totals.get(listener) ?? [] });
    return added.splice(0);
  };
  return { handshakes, totals, count };
}

describe('the count of handshakes', () => {
  it('adds what totals have grown by, of listeners with TLS alone', () => {
    const { handshakes, totals, count } = rig();
    handshakes.follow([
      { number: 3, tls: {} },
      { number: 4, tls: null },
    ]);
    totals.set(3, [5, 0, 1]);
    totals.set(4, [9]);
    expect(count()).toEqual([
      [3, 0, 5],
      [3, 2, 1],
    ]);
    expect(count()).toEqual([]);
    totals.set(3, [5, 2, 1]);
    handshakes.follow([{ number: 3, tls: {} }]);
    expect(count()).toEqual([[3, 1, 2]]);
  });
});
