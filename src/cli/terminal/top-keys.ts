/** What a key does to the view of `sluice top`. Pure. */
import { SORT_KEYS, type SortKey } from './top-order.js';
import type { TopView } from './top-screen.js';

/** What a key needs to know. */
export interface KeyFacts {
  /** Names of upstreams, in the order of the configuration. */
  readonly upstreams: readonly string[];
  /** How far the table can be scrolled, and how many lines of it are seen. */
  readonly mostScroll: number;
  readonly pageRows: number;
}

/** Another view, or the end of it. */
export type KeyResult = { readonly kind: 'view'; readonly view: TopView } | { readonly kind: 'quit' | 'suspend' };

/** As a terminal in raw mode sends them (ECMA-48, xterm). */
const KEY = {
  left: ['\u001b[D', '\u001bOD'],
  right: ['\u001b[C', '\u001bOC'],
  up: ['\u001b[A', '\u001bOA', 'k'],
  down: ['\u001b[B', '\u001bOB', 'j'],
  pageUp: ['\u001b[5~'],
  pageDown: ['\u001b[6~'],
  quit: ['q', 'Q', '\u0003'],
  suspend: ['\u001a'],
  help: ['?', '\u001bOP', '\u001b[11~'],
  pause: ['p', ' '],
  upstream: ['u'],
  turn: ['v'],
  trend: ['m'],
} as const;

const LETTERS: Readonly<Record<string, SortKey>> = {
  c: 'config',
  n: 'name',
  s: 'state',
  w: 'weight',
  r: 'rps',
  e: 'errors',
  '5': 'p50',
  '9': 'p95',
  l: 'p99',
  i: 'inflight',
  h: 'share',
};

/** One key. @param key as the terminal sent it, whole */
export function afterKey(view: TopView, key: string, facts: KeyFacts): KeyResult {
  if (is('quit', key)) return { kind: 'quit' };
  if (is('suspend', key)) return { kind: 'suspend' };
  return { kind: 'view', view: viewAfter(view, key, facts) };
}

/** Cuts what a terminal sent at once into keys. Pure. */
export function keysOf(text: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a key's sequence begins with escape
  return text.match(/\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/gu) ?? [];
}

function viewAfter(view: TopView, key: string, { upstreams, mostScroll, pageRows }: KeyFacts): TopView {
  if (view.isHelping) return { ...view, isHelping: false };
  const scrolled = (rows: number): TopView => ({
    ...view,
    scroll: Math.max(0, Math.min(mostScroll, view.scroll + rows)),
  });
  if (is('help', key)) return { ...view, isHelping: true };
  if (is('pause', key)) return { ...view, isPaused: !view.isPaused };
  if (is('turn', key)) return { ...view, isReversed: !view.isReversed };
  if (is('trend', key)) return { ...view, trend: view.trend === 'rps' ? 'p99' : 'rps' };
  if (is('upstream', key)) return { ...view, only: nextUpstream(view.only, upstreams), scroll: 0 };
  if (is('left', key)) return { ...view, sort: neighbour(view.sort, -1) };
  if (is('right', key)) return { ...view, sort: neighbour(view.sort, 1) };
  if (is('up', key)) return scrolled(-1);
  if (is('down', key)) return scrolled(1);
  if (is('pageUp', key)) return scrolled(-pageRows);
  if (is('pageDown', key)) return scrolled(pageRows);
  const sort = LETTERS[key];
  return sort === undefined ? view : { ...view, sort };
}

function is(name: keyof typeof KEY, key: string): boolean {
  return KEY[name].some((each) => each === key);
}

function neighbour(sort: SortKey, step: number): SortKey {
  const index = SORT_KEYS.indexOf(sort) + step + SORT_KEYS.length;
  return SORT_KEYS[index % SORT_KEYS.length] ?? sort;
}

/** All, then each alone, then all again. */
function nextUpstream(only: string | null, upstreams: readonly string[]): string | null {
  const index = only === null ? -1 : upstreams.indexOf(only);
  return only !== null && index < 0 ? null : (upstreams[index + 1] ?? null);
}
