/** What recording costs a request: everything that ExchangeRecorder writes of it, from its begin to its end. */
import { bench, describe } from 'vitest';
import type { Exchange } from '../../../src/l7/exchange.js';
import { recordedExchange } from '../../../test/unit/l7/recorded-exchange.js';

/** Operations timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;

const { recorder, exchange } = recordedExchange();
let drawn = 1;

/** Latencies of 128 µs to 8 ms, as busy endpoints have them: other octaves and steps each time. */
function nextUs(): number {
  drawn = (Math.imul(drawn, 1_103_515_245) + 12_345) & 0x7fffffff;
  return 128 + (drawn >> 18);
}

function record(one: Exchange): void {
  const us = nextUs();
  recorder.begin(one);
  one.status = 200;
  one.isReused = true;
  one.firstByteUs = us;
  recorder.answered(one, one, 200, us);
  recorder.completed(one, us + 40);
  one.totalUs = us + 90;
  one.bytesFromClient = 130;
  one.bytesToClient = 1_200;
  recorder.end(one, 'DELIVERED');
}

// budget: 150 ns: ExchangeRecorder > *
describe('ExchangeRecorder', () => {
  bench('1000 delivered requests', () => {
    for (let operation = 0; operation < BATCH; operation++) record(exchange);
  });
});
