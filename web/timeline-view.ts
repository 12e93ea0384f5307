/** The timeline: what happened lately, newest first, with filters. */
import type { TimelineEntry } from '../src/observability/live-figures.js';
import type { Tone } from './conditions.js';
import { element, part, setChildren, setShown, setText, shape } from './document.js';
import { clockText, countText, momentText } from './format.js';
import { chosen, type LevelChoice, merged } from './timeline-entries.js';

/** Entries that are shown at first, and how many more each time. */
const PAGE_LENGTH = 50;

const MARKS: Readonly<Record<TimelineEntry['level'], { tone: Tone; shape: string; word: string }>> = {
  info: { tone: 'rest', shape: 'M8 4a4 4 0 1 0 0 8A4 4 0 1 0 8 4Z', word: 'info' },
  warn: { tone: 'warn', shape: 'M8 2 15 14H1Z', word: 'warning' },
  error: { tone: 'bad', shape: 'M2 2h12v12H2Z', word: 'error' },
  fatal: { tone: 'bad', shape: 'M8 0l8 8-8 8L0 8Z', word: 'fatal' },
};

/** The timeline in its place on the page. */
export class TimelineView {
  readonly #list = part('timeline-list', HTMLElement);
  readonly #level = part('timeline-level', HTMLSelectElement);
  readonly #text = part('timeline-text', HTMLInputElement);
  readonly #count = part('timeline-count', HTMLElement);
  readonly #more = part('timeline-more', HTMLButtonElement);
  readonly #items = new Map<number, { readonly entry: TimelineEntry; readonly item: HTMLElement }>();
  #entries: readonly TimelineEntry[] = [];
  #length = PAGE_LENGTH;
  #isFrozen = false;
  #isPending = false;

  constructor() {
    const anew = (): void => {
      this.#length = PAGE_LENGTH;
      this.#show();
    };
    this.#level.addEventListener('change', anew);
    this.#text.addEventListener('input', anew);
    this.#more.addEventListener('click', () => {
      this.#length += PAGE_LENGTH;
      this.#show();
    });
    this.#show();
  }

  /** Those that are known, oldest first. */
  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }

  /** Takes entries, known ones among them. */
  add(entries: readonly TimelineEntry[]): void {
    this.#entries = merged(this.#entries, entries);
    this.#showSoon();
  }

  /** Forgets everything, before all of it comes anew. */
  clear(): void {
    this.#entries = [];
    this.#showSoon();
  }

  /** While frozen, new entries are remembered and not shown. */
  freeze(isFrozen: boolean): void {
    this.#isFrozen = isFrozen;
    this.#showSoon();
  }

  /** Hundreds may come at once: they are shown together. */
  #showSoon(): void {
    if (this.#isFrozen || this.#isPending) return;
    this.#isPending = true;
    setTimeout(() => {
      this.#isPending = false;
      if (!this.#isFrozen) this.#show();
    });
  }

  #show(): void {
    const wanted = chosen(this.#entries, this.#level.value as LevelChoice, this.#text.value); // index.html has no other choices
    const shown = wanted.slice(0, this.#length);
    const ids = new Set(shown.map(({ id }) => id));
    for (const id of this.#items.keys()) if (!ids.has(id)) this.#items.delete(id);
    setChildren(this.#list, shown.length === 0 ? [this.#nothing()] : shown.map((entry) => this.#itemOf(entry)));
    setText(this.#count, `${countText(wanted.length)} of ${countText(this.#entries.length)}`);
    setShown(this.#more, wanted.length > shown.length);
  }

  #itemOf(entry: TimelineEntry): HTMLElement {
    const known = this.#items.get(entry.id);
    if (known?.entry === entry) return known.item;
    const item = itemOf(entry);
    this.#items.set(entry.id, { entry, item });
    return item;
  }

  #nothing(): HTMLElement {
    const text = this.#entries.length === 0 ? 'Nothing has happened so far.' : 'Nothing matches the filters.';
    return element('li', { class: 'empty' }, text);
  }
}

function itemOf({ at, level, event, text, code, upstream, endpoint, count }: TimelineEntry): HTMLElement {
  const { tone, shape: path, word } = MARKS[level];
  const where = [endpoint, upstream].filter((name) => name !== null).join(' · ');
  const facts = [
    where === '' ? null : element('span', { class: 'where' }, where),
    count > 1 ? element('span', { class: 'tag' }, `× ${countText(count)}`) : null,
    code === null ? null : element('code', {}, code),
    element('span', { class: 'event' }, event),
  ];
  const moment = new Date(at);
  const time = element('time', { title: moment.toString() }, momentText(at, Date.now()) || clockText(at));
  if (Number.isFinite(at)) time.dateTime = moment.toISOString();
  return element(
    'li',
    { class: 'happened', 'data-tone': tone },
    shape(path),
    element('span', { class: 'unseen' }, `${word}: `),
    time,
    element(
      'div',
      {},
      element('p', {}, text),
      element('p', { class: 'happened-facts' }, ...facts.filter((fact) => fact !== null)),
    ),
  );
}
