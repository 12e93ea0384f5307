/** The numbers of the border between TypeScript and the session engine are the same on both sides. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  ConnectFailure,
  MAX_SESSIONS,
  REFUSE,
  Relay,
  SESSION_EVENT_STRIDE,
  SessionEnd,
  SessionEventType,
  SessionField,
  SessionFlag,
} from '../../../src/engine/session-engine.js';

const header = readFileSync(fileURLToPath(new URL('../../../native/src/l4/session_event.h', import.meta.url)), 'utf8');

/** `kLikeThis` of C++, `LIKE_THIS` and `likeThis` of TypeScript, all as `likethis`. */
const plain = (name: string) =>
  name
    .replace(/^k(?=[A-Z])/, '')
    .replaceAll('_', '')
    .toLowerCase();

/** Numbers of a block of the header; of fields that stand in a row, C++ names only the first. */
function numbersOf(block: RegExp): Record<string, number> {
  const text = block.exec(header)?.[1] ?? '';
  return Object.fromEntries(
    [...text.matchAll(/\b(k\w+) = (-?\d+)/g)].map(([, name = '', number]) => [plain(name), Number(number)]),
  );
}

const plainNumbers = (numbers: Record<string, number>, without: RegExp = /^$/) =>
  Object.fromEntries(
    Object.entries(numbers)
      .filter(([name]) => !without.test(name))
      .map(([name, number]) => [plain(name), number]),
  );

describe('numbers of the session engine', () => {
  it.each<[string, RegExp, Record<string, number>]>([
    ['SessionField', /enum SessionField[^{]*\{([^}]*)\}/, plainNumbers(SessionField, /^(peer|claimed)[123]$/)],
    ['SessionEventType', /enum class SessionEventType[^{]*\{([^}]*)\}/, plainNumbers(SessionEventType)],
    ['SessionFlag', /namespace session_flag \{([^}]*)\}/, plainNumbers(SessionFlag)],
    ['ConnectFailure', /enum class ConnectFailure[^{]*\{([^}]*)\}/, plainNumbers({ NONE: 0, ...ConnectFailure })],
    ['SessionEnd', /enum class SessionEnd[^{]*\{([^}]*)\}/, plainNumbers({ NONE: 0, ...SessionEnd })],
    ['RelayKind', /enum class RelayKind[^{]*\{([^}]*)\}/, plainNumbers(Relay)],
  ])('%s are the same in session-engine.ts and session_event.h', (_, block, numbers) => {
    expect(numbersOf(block)).toEqual(numbers);
  });

  it('words of an address stand in a row', () => {
    const { peer0, peer1, peer2, peer3, claimed0, claimed1, claimed2, claimed3 } = SessionField;
    expect([peer1, peer2, peer3]).toEqual([peer0 + 1, peer0 + 2, peer0 + 3]);
    expect([claimed1, claimed2, claimed3]).toEqual([claimed0 + 1, claimed0 + 2, claimed0 + 3]);
  });

  it('limits are the same', () => {
    const constant = (name: string) => new RegExp(`${name} = ([^;]+);`).exec(header)?.[1];
    expect(constant('kMaxSessions')).toBe('1 << 16');
    expect(MAX_SESSIONS).toBe(1 << 16);
    expect(Number(constant('kSessionEventStride'))).toBe(SESSION_EVENT_STRIDE);
    expect(Number(constant('kRefuse'))).toBe(REFUSE);
  });
});
