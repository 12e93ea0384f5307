/** Recording a request takes nothing from the heap, once its pages are there. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { recordedExchange } from '../../unit/l7/recorded-exchange.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const WARM_UP = 60_000;
const CHUNKS = 31;
const REQUESTS_A_CHUNK = 2_000;

/** @returns bytes that one takes from the heap, the median of many chunks: collections fall out */
function bytesEach(work: () => void): number {
  for (let count = 0; count < WARM_UP; count++) work();
  collect();
  const grown = Array.from({ length: CHUNKS }, () => {
    const before = getHeapStatistics().used_heap_size;
    for (let count = 0; count < REQUESTS_A_CHUNK; count++) work();
    return (getHeapStatistics().used_heap_size - before) / REQUESTS_A_CHUNK;
  });
  return grown.sort((a, b) => a - b)[CHUNKS >> 1]!;
}

describe('recording', () => {
  it('allocates nothing for a delivered request', () => {
    const { recorder, exchange } = recordedExchange();
    let count = 0;
    exchange.status = 200;
    const bytes = bytesEach(() => {
      const us = 100 + ((count++ * 97) & 0xffff);
      recorder.begin(exchange);
      recorder.answered(exchange, exchange, 200, us);
      recorder.completed(exchange, us);
      exchange.totalUs = us;
      recorder.end(exchange, 'DELIVERED');
    });
    // Half a byte: a boxed number for one request in 24.
    expect(bytes).toBeLessThan(0.5);
  });
});
