/** What deciding costs in TypeScript for the native front end: a request's whole way, from its event to its end, in batches. */
import { bench, describe } from 'vitest';
import { fillBatch, frontEndOf, request, served } from '../../../test/unit/l7/frontends/native/scripted-front-end.js';

/** Requests in a batch, as a worker under load sees them. */
const BATCH = 64;

/** Two batches as the front end writes them, kept and copied in again, so that making them is not timed. */
function batchesOf(): () => void {
  const { native } = frontEndOf(4);
  const { events, onBatch } = native.options;
  const numbers = Array.from({ length: BATCH }, (_, number) => number);
  const written = [numbers.map((number) => request(number)), numbers.map((number) => served(number))].map((batch) => {
    fillBatch(native.options, batch);
    return events.slice();
  });
  return () => {
    for (const batch of written) {
      events.set(batch);
      onBatch(BATCH);
    }
  };
}

describe('onBatch', () => {
  bench('64 requests and their ends, 4 endpoints', batchesOf());
});
