/** The numbers of the border between TypeScript and C++ are the same on both sides. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  CHUNKED_BODY,
  EngineError,
  EVENT_STRIDE,
  EventField,
  EventFlag,
  EventType,
  HEDGE_OFFSET,
  MAX_EXCHANGES,
  NO_BODY,
  SendFlag,
  SendResult,
} from '../../../src/engine/engine.js';

const header = readFileSync(fileURLToPath(new URL('../../../native/src/upstream/event.h', import.meta.url)), 'utf8');

/** `kLikeThis` or `kLikeThis_` of a C++ name as `LIKE_THIS`; where TypeScript writes likeThis, both are compared without underscores. */
const plain = (name: string) =>
  name
    .replace(/^k(?=[A-Z])/, '')
    .replaceAll('_', '')
    .toLowerCase();

function numbersOf(block: RegExp): Record<string, number> {
  const text = block.exec(header)?.[1] ?? '';
  const found = [...text.matchAll(/\b(k\w+) = (-?\d+)/g)].map(
    ([, name = '', number]) => [plain(name), Number(number)] as const,
  );
  return Object.fromEntries(found);
}

const plainKeys = (numbers: Record<string, number>) =>
  Object.fromEntries(Object.entries(numbers).map(([name, number]) => [plain(name), number]));

describe('numbers of the engine', () => {
  it.each<[string, RegExp, Record<string, number>]>([
    ['EventField', /enum EventField[^{]*\{([^}]*)\}/, EventField],
    ['EventType', /enum class EventType[^{]*\{([^}]*)\}/, EventType],
    ['EventFlag', /namespace event_flag \{([^}]*)\}/, EventFlag],
    ['EngineError', /enum class EngineError[^{]*\{([^}]*)\}/, { NONE: 0, ...EngineError }],
    ['SendFlag', /namespace send_flag \{([^}]*)\}/, SendFlag],
    ['SendResult', /enum class SendResult[^{]*\{([^}]*)\}/, SendResult],
  ])('%s are the same in engine.ts and event.h', (_, block, numbers) => {
    expect(numbersOf(block)).toEqual(plainKeys(numbers));
  });

  it('limits and body lengths are the same', () => {
    const constant = (name: string) => new RegExp(`${name} = ([^;]+);`).exec(header)?.[1];
    expect(constant('kMaxExchanges')).toBe('1 << 17');
    expect(MAX_EXCHANGES).toBe(1 << 17);
    expect(constant('kHedgeOffset')).toBe('1 << 17');
    expect(HEDGE_OFFSET).toBe(1 << 17);
    expect(Number(constant('kEventStride'))).toBe(EVENT_STRIDE);
    expect(Number(constant('kNoBody'))).toBe(NO_BODY);
    expect(Number(constant('kChunkedBody'))).toBe(CHUNKED_BODY);
  });
});
