/** The form that asks where a request would go, and the answer: route, policies, candidates with scores and exclusions. */
import type { LiveListener } from '../src/observability/live-figures.js';
import type { ExplainedCandidate, Explanation } from '../src/worker/explaining.js';
import type { AdminClient } from './admin-client.js';
import { showFailure } from './dialogs.js';
import { element, part, setAttribute, setChildren, setShown } from './document.js';
import { type ExplainForm, readExplainForm } from './explain-request.js';
import { countText, NOTHING } from './format.js';
import { KeyedTable } from './keyed-table.js';
import { figureColumn, textColumn } from './table-columns.js';

const FIELDS = ['method', 'url', 'headers', 'client', 'listener'] as const;

/** Scores are compared, not measured: some digits tell which one is less. */
const SCORE = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

/** The form in its place on the page. */
export class ExplainView {
  readonly #form = part('explain-form', HTMLFormElement);
  readonly #listener = part('explain-listener', HTMLSelectElement);
  readonly #button = part('explain-ask', HTMLButtonElement);
  readonly #failure = part('explain-failure', HTMLElement);
  readonly #answer = part('explain-answer', HTMLElement);
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#ask();
    });
  }

  /** Offers the listeners that there are. */
  update(listeners: readonly LiveListener[]): void {
    const names = listeners.filter(({ mode }) => mode === 'l7').map(({ name }) => name);
    const there = [...this.#listener.options].map(({ value }) => value).slice(1);
    if (names.length === there.length && names.every((name, index) => name === there[index])) return;
    const chosen = this.#listener.value;
    setChildren(this.#listener, [
      element('option', { value: '' }, 'by port, or the first'),
      ...names.map((name) => element('option', { value: name }, name)),
    ]);
    this.#listener.value = names.includes(chosen) ? chosen : '';
  }

  async #ask(): Promise<void> {
    const data = new FormData(this.#form);
    const form = Object.fromEntries(FIELDS.map((name) => [name, String(data.get(name) ?? '')])) as Record<
      keyof ExplainForm,
      string
    >;
    const read = readExplainForm(form);
    for (const name of FIELDS) {
      const field = this.#form.elements.namedItem(name);
      if (field instanceof Element)
        setAttribute(field, 'aria-invalid', !read.ok && read.field === name ? 'true' : undefined);
    }
    setShown(this.#answer, false);
    if (!read.ok) {
      showFailure(this.#failure, read.problem);
      const field = this.#form.elements.namedItem(read.field);
      if (field instanceof HTMLElement) field.focus();
      return;
    }
    showFailure(this.#failure, null);
    this.#button.disabled = true;
    try {
      this.#show(await this.#client.send<Explanation>('POST', '/api/v1/explain', read.request));
    } catch (failure) {
      showFailure(this.#failure, failure);
    } finally {
      this.#button.disabled = false;
    }
  }

  #show(explanation: Explanation): void {
    const { policies, candidates, endpoint } = explanation;
    const table = new KeyedTable<ExplainedCandidate>({
      caption: 'Candidates',
      keyOf: (candidate) => candidate.endpoint,
      columns: [
        textColumn('Endpoint', (candidate) => `${candidate.endpoint}${candidate.endpoint === endpoint ? ' ✓' : ''}`, {
          isRowHead: true,
        }),
        textColumn('May be picked', ({ exclusion }) => (exclusion === null ? 'yes' : `no: ${exclusion}`)),
        figureColumn('Score', ({ score }) => (score === null ? NOTHING : SCORE.format(score))),
        textColumn('Group', ({ group }) => group ?? NOTHING),
        figureColumn('Weight', ({ weight }) => countText(weight)),
        figureColumn('In flight', ({ inFlight, cap }) =>
          cap === 0 ? countText(inFlight) : `${countText(inFlight)} of ${countText(cap)}`,
        ),
      ],
    });
    table.show(candidates);
    setChildren(this.#answer, [
      element('p', { class: 'answer' }, answerText(explanation)),
      element('p', {}, routeText(explanation)),
      ...(policies.length === 0 ? [] : [element('ol', {}, ...policies.map((text) => element('li', {}, text)))]),
      ...(candidates.length === 0 ? [] : [element('div', { class: 'cards' }, table.element)]),
    ]);
    setShown(this.#answer, true);
  }
}

function answerText({ endpoint, isDrawn, code, upstream }: Explanation): string {
  if (code !== null) return `It would be answered ${code}.`;
  if (endpoint !== null) return `It would go to ${endpoint}.`;
  if (isDrawn) return `It would go to one of ${upstream ?? 'the upstream'}'s endpoints, drawn by lot.`;
  return 'No endpoint would be picked.';
}

function routeText({ listener, worker, route, upstream, balance }: Explanation): string {
  const at = `At listener ${listener}, seen by worker ${worker},`;
  if (route === null) return `${at} no route matches.`;
  const where =
    upstream === null ? '' : ` and leads to ${upstream}${balance === null ? '' : `, balanced by ${balance}`}`;
  return `${at} the route ${route.host === '*' ? '' : route.host}${route.path} matches${where}.`;
}
