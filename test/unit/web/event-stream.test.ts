/** Server-sent events out of pieces of text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStreamReader } from '../../../web/event-stream.js';

const WHOLE =
  'retry: 2000\n\n: alive\n\nevent: figures\ndata: {"a":1}\n\nid: p-1\nevent: happened\r\ndata:{"b":\r\ndata: 2}\r\n\r\ndata: plain\r\rdata\n\n';
const EVENTS = [
  { name: 'figures', data: '{"a":1}' },
  { name: 'happened', data: '{"b":\n2}' },
  { name: 'message', data: 'plain' },
  { name: 'message', data: '' },
];

describe('EventStreamReader', () => {
  it('gives names and data, and leaves comments, ids and empty events out', () => {
    expect(new EventStreamReader().push(WHOLE)).toEqual(EVENTS);
  });

  it('gives the same however the text is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(WHOLE.length), { maxLength: 12 }), (cuts) => {
        const reader = new EventStreamReader();
        const places = [0, ...cuts.sort((a, b) => a - b), WHOLE.length];
        const events = places.slice(1).flatMap((end, index) => reader.push(WHOLE.slice(places[index], end)));
        expect(events).toEqual(EVENTS);
      }),
    );
  });

  it('gives nothing of an event that has not ended', () => {
    const reader = new EventStreamReader();
    expect(reader.push('event: figures\ndata: {"a"')).toEqual([]);
    expect(reader.push(':1}\n\n')).toEqual([{ name: 'figures', data: '{"a":1}' }]);
  });

  it('refuses a line without end', () => {
    const reader = new EventStreamReader();
    const piece = 'x'.repeat(4 * 1024 * 1024);
    expect(() => Array.from({ length: 5 }, () => reader.push(piece))).toThrow(RangeError);
  });
});
