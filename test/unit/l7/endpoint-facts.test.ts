/** What is found of an endpoint in a response head, and what of it the client gets. */
import { describe, expect, it } from 'vitest';
import { tellFacts } from '../../../src/l7/endpoint-facts.js';
import type { Exchange } from '../../../src/l7/exchange.js';

/** What is told of a head, and the head that the client gets. */
function toldOf(text: string, takesReports = false): { told: string[]; head: string } {
  const told: string[] = [];
  const exchange = { status: Number(text.slice(0, 3)), upstream: { takesReports } } as unknown as Exchange;
  const taker = {
    retryAfterCame: (_: Exchange, value: string) => void told.push(`retry after ${value}`),
    reportCame: (_: Exchange, report: string) => void told.push(`report ${report}`),
  };
  // Inside a larger buffer, as heads of the engine are.
  const arena = Buffer.from(`###${text}###`, 'latin1');
  const head = tellFacts(taker, exchange, new Uint8Array(arena.buffer, arena.byteOffset + 3, text.length));
  return { told, head: Buffer.from(head).toString('latin1') };
}

describe('facts of an endpoint', () => {
  it.each(['429 Too Many Requests', '503 Service Unavailable'])('hold Retry-After of %s, which goes on', (status) => {
    const text = `${status}\r\na: b\r\nRetry-After: \t120 \r\nretry-after: 7`;
    expect(toldOf(text)).toEqual({ told: ['retry after 120'], head: text });
    expect(toldOf(`${status}\r\na: retry-after: 1`).told).toEqual([]);
    expect(toldOf(status).told).toEqual([]);
  });

  it.each(['200 OK', '500 No', '301 Moved'])('hold no Retry-After of %s', (status) => {
    expect(toldOf(`${status}\r\nRetry-After: 120`, true).told).toEqual([]);
  });

  it('hold the report of load where the upstream takes it, and it is dropped', () => {
    const text =
      '200 OK\r\na: \u00ff\r\nEndpoint-Load-Metrics: TEXT eps=1\r\nb: c\r\nendpoint-load-metrics: TEXT eps=2';
    expect(toldOf(text, true)).toEqual({ told: ['report TEXT eps=1'], head: '200 OK\r\na: \u00ff\r\nb: c' });
    expect(toldOf(text)).toEqual({ told: [], head: text });
  });

  it('may be both', () => {
    const text = '503 No\r\nendpoint-load-metrics: TEXT eps=1\r\nretry-after: 3';
    expect(toldOf(text, true)).toEqual({
      told: ['retry after 3', 'report TEXT eps=1'],
      head: '503 No\r\nretry-after: 3',
    });
  });
});
