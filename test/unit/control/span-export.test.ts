/** The export of spans: what happens to those that a collector does not take, and how long that may take at the end. */
import { describe, expect, it } from 'vitest';
import type { TracingPlan } from '../../../src/config/observing-plan.js';
import { type SpanCollector, SpanExport } from '../../../src/control/span-export.js';
import { createLogger } from '../../../src/observability/logger.js';
import type { SpanRecord } from '../../../src/observability/span-record.js';
import { FakeTime } from './fake-time.js';

const TRACING: TracingPlan = { endpoint: 'http://127.0.0.1:4318/v1/traces', headers: {}, service: 'sluice', share: 1 };
const SPAN: SpanRecord = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: '',
  name: 'GET',
  startMs: 0,
  endMs: 1,
  isError: false,
  attributes: {},
  events: [],
};

const never = (): Promise<never> => new Promise(() => {});

function stage(collector: SpanCollector) {
  const time = new FakeTime();
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) });
  const spans = new SpanExport({ open: async () => collector, timers: time, clock: time, logger });
  const take = (count: number) =>
    spans.take({ spans: Array.from({ length: count }, () => SPAN), lost: 0, tracing: TRACING });
  const lost = () => lines.map((line) => JSON.parse(line) as { lost: number }).map((line) => line.lost);
  return { time, spans, take, lost };
}

/** @returns whether the export has ended */
function closing(spans: SpanExport): () => boolean {
  let isOver = false;
  void spans.close().then(() => {
    isOver = true;
  });
  return () => isOver;
}

describe('span export at the end of the process', () => {
  it('sends what waits, closes the collector and leaves no timer', async () => {
    const sent: number[] = [];
    let closed = 0;
    const { time, spans, take, lost } = stage({
      send: async (batch) => void sent.push(batch.length),
      close: async () => void closed++,
    });
    take(600);
    const isOver = closing(spans);
    await time.pass(0);
    expect([isOver(), sent, closed, lost(), time.pending]).toEqual([true, [512, 88], 1, [], 0]);
  });

  it('waits 2 s in all for a collector that neither answers nor closes, and tells what is lost', async () => {
    const { time, spans, take, lost } = stage({ send: never, close: never });
    take(600);
    const isOver = closing(spans);
    await time.pass(1_999);
    expect(isOver()).toBe(false);
    await time.pass(1);
    expect([isOver(), lost()]).toEqual([true, [600]]);
  });
});
