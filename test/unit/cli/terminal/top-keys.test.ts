/** What keys do in `sluice top`. */
import { describe, expect, it } from 'vitest';
import { afterKey, keysOf } from '../../../../src/cli/terminal/top-keys.js';
import type { TopView } from '../../../../src/cli/terminal/top-screen.js';

const VIEW: TopView = {
  sort: 'config',
  isReversed: false,
  only: null,
  isPaused: false,
  trend: 'rps',
  scroll: 0,
  isHelping: false,
  notice: null,
};
const FACTS = { upstreams: ['api', 'pg'], mostScroll: 7, pageRows: 5 };

/** The view after keys that do not end it. */
function viewOf(keys: readonly string[], view: TopView = VIEW): TopView {
  return keys.reduce((before, key) => {
    const result = afterKey(before, key, FACTS);
    if (result.kind !== 'view') throw new Error(`${JSON.stringify(key)}: ${result.kind}`);
    return result.view;
  }, view);
}

describe('a key', () => {
  it.each(['q', 'Q', '\u0003'])('%j ends it', (key) => expect(afterKey(VIEW, key, FACTS)).toEqual({ kind: 'quit' }));
  it('Ctrl-Z suspends it', () => expect(afterKey(VIEW, '\u001a', FACTS)).toEqual({ kind: 'suspend' }));

  it('orders by letters and by arrows, round and round', () => {
    expect(viewOf(['r']).sort).toBe('rps');
    expect(viewOf(['9', '\u001b[C']).sort).toBe('p99');
    expect(viewOf(['\u001b[D']).sort).toBe('share');
    expect(viewOf(['\u001b[D', '\u001bOC']).sort).toBe('config');
    expect(viewOf(['v']).isReversed).toBe(true);
  });

  it('shows one upstream after the other, then all', () => {
    expect(viewOf(['u']).only).toBe('api');
    expect(viewOf(['u', 'u']).only).toBe('pg');
    expect(viewOf(['u', 'u', 'u']).only).toBeNull();
    expect(viewOf(['u'], { ...VIEW, only: 'gone' }).only).toBeNull();
  });

  it('scrolls within the table', () => {
    expect(viewOf(['\u001b[B', 'j']).scroll).toBe(2);
    expect(viewOf(['\u001b[6~', '\u001b[6~']).scroll).toBe(7);
    expect(viewOf(['\u001b[6~', '\u001b[5~', 'k']).scroll).toBe(0);
  });

  it('pauses, and goes on', () => {
    expect(viewOf(['p']).isPaused).toBe(true);
    expect(viewOf(['p', ' ']).isPaused).toBe(false);
  });

  it('changes the bars, and shows the keys until the next one', () => {
    expect(viewOf(['m']).trend).toBe('p99');
    expect(viewOf(['?']).isHelping).toBe(true);
    expect(viewOf(['?', 'r'])).toEqual(VIEW);
  });

  it('that means nothing changes nothing', () => {
    expect(viewOf(['x', '\u001b[15~', '\u001b', 'ä'])).toEqual(VIEW);
  });
});

describe('keysOf', () => {
  it('tells keys that came at once apart', () => {
    expect(keysOf('r\u001b[A\u001bOD\u001b[5~q')).toEqual(['r', '\u001b[A', '\u001bOD', '\u001b[5~', 'q']);
  });
});
