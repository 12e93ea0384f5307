/** One upstream: how it does, its endpoints, and a map of their latency. */
import type { LiveUpstream } from '../src/observability/live-figures.js';
import { takesWork } from './conditions.js';
import { element, setAttribute, setChildren, setShown, setText } from './document.js';
import { EndpointTable } from './endpoint-table.js';
import { countOf, countText, latencyText, percentText, rateText } from './format.js';
import type { HeatHistory } from './heat-history.js';
import { HeatLegend, HeatMap } from './heat-map.js';
import { UNEVEN_CV } from './verdict.js';

/** Below this a distribution is called even. */
const EVEN_CV = 0.1;
const ALL = '';

/** What the section shows besides the upstream. */
export interface UpstreamView {
  readonly filter: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly heat: HeatHistory;
  readonly isDark: boolean;
}

let nextNumber = 0;

/** The section; `element` goes into the page. */
export class UpstreamSection {
  readonly element: HTMLElement;
  readonly #table: EndpointTable;
  readonly #toggle: HTMLButtonElement;
  readonly #body: HTMLElement;
  readonly #facts = new FactList(['Take work', 'Req/s', 'Errors', 'p95', 'Distribution', 'Waiting']);
  readonly #balance = element('span', { class: 'tag' });
  readonly #panic = element('span', { class: 'tag', 'data-tone': 'bad' }, 'health ignored');
  readonly #map = new HeatMap();
  readonly #legend = new HeatLegend();
  readonly #choice: HTMLSelectElement;
  readonly #none = element('p', { class: 'empty' });
  #last: { upstream: LiveUpstream; view: UpstreamView } | null = null;

  /** @param isOpen does it show its endpoints at first? */
  constructor(name: string, isOpen: boolean, onSteer: (address: string) => void) {
    nextNumber += 1;
    const id = `upstream-${nextNumber}`;
    this.#table = new EndpointTable(name, onSteer);
    this.#toggle = element('button', { type: 'button', class: 'toggle', 'aria-controls': id }, name);
    this.#choice = element('select', { 'aria-label': `Endpoint whose latency is shown, of ${name}` });
    this.#choice.addEventListener('change', () => this.#showHeat());
    const map = element(
      'div',
      { class: 'heat-part' },
      element('h4', {}, 'Latency to the first byte'),
      element('div', { class: 'heat-head' }, this.#choice, this.#legend.element),
      this.#map.element,
    );
    this.#body = element('div', { class: 'upstream-body', id }, this.#table.element, this.#none, map);
    this.#toggle.addEventListener('click', () => this.open(!this.isOpen));
    const head = element(
      'div',
      { class: 'upstream-head' },
      element('h3', {}, this.#toggle),
      this.#balance,
      this.#panic,
      this.#facts.element,
    );
    this.element = element('section', { class: 'card upstream', 'aria-label': `Upstream ${name}` }, head, this.#body);
    this.open(isOpen);
  }

  get isOpen(): boolean {
    return !this.#body.hidden;
  }

  /** Shows or hides the endpoints. */
  open(isOpen: boolean): void {
    setShown(this.#body, isOpen);
    setAttribute(this.#toggle, 'aria-expanded', String(isOpen));
    if (isOpen && this.#last !== null) this.show(this.#last.upstream, this.#last.view);
  }

  /** Brings everything up to date; what is not open costs next to nothing. */
  show(upstream: LiveUpstream, view: UpstreamView): void {
    this.#last = { upstream, view };
    const { name, balance, endpoints, panicking, cv, waiting, queueLength } = upstream;
    const working = endpoints.filter(takesWork).length;
    const isNameMatching = name.toLowerCase().includes(view.filter);
    setText(this.#balance, balance);
    setShown(this.#panic, panicking);
    this.#facts.show([
      {
        text: `${working} of ${endpoints.length}`,
        tone: working === 0 ? 'bad' : working < endpoints.length ? 'warn' : undefined,
      },
      { text: rateText(upstream.perSecond) },
      { text: percentText(upstream.errorShare), tone: (upstream.errorShare ?? 0) >= 0.01 ? 'bad' : undefined },
      { text: latencyText(upstream.latencyMs?.p95 ?? null) },
      { text: distributionText(cv), tone: cv !== null && cv > UNEVEN_CV ? 'warn' : undefined },
      { text: waiting === null ? null : `${countText(waiting)} of ${countText(queueLength ?? 0)}` },
    ]);
    if (!this.isOpen) {
      setShown(this.element, isNameMatching || endpoints.some(({ address }) => address.includes(view.filter)));
      return;
    }
    const shown = this.#table.show(upstream, isNameMatching ? '' : view.filter);
    setShown(this.element, isNameMatching || shown > 0);
    setShown(this.#none, shown === 0);
    setText(this.#none, endpoints.length === 0 ? 'It has no endpoints.' : 'No endpoint matches the filter.');
    this.#showChoice(endpoints.map(({ address }) => address));
    this.#showHeat();
  }

  #showChoice(addresses: readonly string[]): void {
    const wanted = [ALL, ...addresses];
    const there = [...this.#choice.options].map(({ value }) => value);
    if (wanted.length === there.length && wanted.every((value, index) => value === there[index])) return;
    const chosen = this.#choice.value;
    const optionOf = (value: string): HTMLOptionElement =>
      element('option', { value }, value === ALL ? `all ${countOf(addresses.length, 'endpoint')}` : value);
    setChildren(this.#choice, wanted.map(optionOf));
    this.#choice.value = wanted.includes(chosen) ? chosen : ALL;
  }

  #showHeat(): void {
    if (this.#last === null) return;
    const { upstream, view } = this.#last;
    const { heat, fromMs, untilMs, isDark } = view;
    this.#legend.recolour(isDark);
    const samples = heat.since(upstream.name, this.#choice.value || null, fromMs).filter(({ at }) => at <= untilMs);
    this.#map.show(samples, fromMs, untilMs, isDark);
  }
}

function distributionText(cv: number | null): string | null {
  if (cv === null) return null;
  const word = cv > UNEVEN_CV ? 'uneven' : cv > EVEN_CV ? 'fair' : 'even';
  return `${word}, CV ${cv.toFixed(2)}`;
}

/** A figure of a list; null: it does not apply, and is not shown. */
interface Fact {
  readonly text: string | null;
  readonly tone?: 'warn' | 'bad' | undefined;
}

/** Figures with their names in a line. */
class FactList {
  readonly element = element('dl', { class: 'facts' });
  readonly #values: readonly HTMLElement[];

  constructor(names: readonly string[]) {
    this.#values = names.map((name) => {
      const value = element('dd');
      this.element.append(element('div', {}, element('dt', {}, name), value));
      return value;
    });
  }

  show(facts: readonly Fact[]): void {
    facts.forEach(({ text, tone }, index) => {
      const value = this.#values[index];
      if (value?.parentElement == null) return;
      setShown(value.parentElement, text !== null);
      setText(value, text ?? '');
      setAttribute(value, 'data-tone', tone);
    });
  }
}
