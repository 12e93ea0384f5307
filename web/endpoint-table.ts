/** The endpoints of one upstream as a table that can be sorted, with a button to steer each. */
import type { LiveEndpoint, LiveUpstream } from '../src/observability/live-figures.js';
import { CONDITIONS, expectedShares } from './conditions.js';
import { element, setAttribute, setShown, setText, shape } from './document.js';
import { countText, latencyText, percentText, rateText } from './format.js';
import { type Column, KeyedTable } from './keyed-table.js';
import { nextSorting, type Sorting, type SortKey, sorted, UNSORTED } from './sorting.js';
import { type BarFigures, barColumn, errorColumn, figureColumn } from './table-columns.js';

/** Rows that are shown without being asked for more: what a browser lays out in a frame. */
const MOST_ROWS = 400;
/** From these on a pool is nearly used up. */
const MUCH_POOL_USE = 0.8;
/** How far a share may be from the expected one before it is marked, relative. */
const MUCH_DEVIATION = 0.5;

/** An endpoint with what its row needs of the others. */
interface EndpointRow {
  readonly endpoint: LiveEndpoint;
  readonly expected: number | null;
  /** Largest share of all, measured or expected: the whole width of a bar. */
  readonly widest: number;
}

/** The table; `element` goes into the page. */
export class EndpointTable {
  readonly element: HTMLElement;
  readonly #table: KeyedTable<EndpointRow>;
  readonly #more = element('button', { type: 'button', class: 'more' });
  #sorting: Sorting = UNSORTED;
  #isWhole = false;
  #last: { upstream: LiveUpstream; filter: string } | null = null;

  /** @param onSteer called with the address of the endpoint whose button was pressed */
  constructor(upstreamName: string, onSteer: (address: string) => void) {
    this.#table = new KeyedTable<EndpointRow>({
      caption: `Endpoints of ${upstreamName}`,
      columns: endpointColumns(onSteer),
      keyOf: ({ endpoint }) => endpoint.address,
      onSort: (key) => this.#sortBy(key as SortKey), // the columns below have no others
    });
    this.#more.addEventListener('click', () => {
      this.#isWhole = true;
      this.#showAgain();
    });
    this.element = element('div', { class: 'endpoints cards' }, this.#table.element, this.#more);
  }

  /** Shows those endpoints whose address or condition has the filter's text. @returns how many these are */
  show(upstream: LiveUpstream, filter: string): number {
    this.#last = { upstream, filter };
    const expected = expectedShares(upstream.endpoints);
    const widest = upstream.endpoints.reduce(
      (most, { share }, index) => Math.max(most, share ?? 0, expected[index] ?? 0),
      0,
    );
    const expectedOf = new Map(upstream.endpoints.map((endpoint, index) => [endpoint, expected[index] ?? null]));
    const matching = upstream.endpoints.filter((endpoint) => matches(endpoint, filter));
    const rows = sorted(matching, this.#sorting).map((endpoint) => ({
      endpoint,
      expected: expectedOf.get(endpoint) ?? null,
      widest,
    }));
    this.#table.show(this.#isWhole ? rows : rows.slice(0, MOST_ROWS));
    const hidden = this.#isWhole ? 0 : Math.max(rows.length - MOST_ROWS, 0);
    setShown(this.#more, hidden > 0);
    setText(this.#more, `Show ${countText(hidden)} more`);
    return rows.length;
  }

  #sortBy(key: SortKey): void {
    this.#sorting = nextSorting(this.#sorting, key);
    this.#table.showSorting(this.#sorting);
    this.#showAgain();
  }

  #showAgain(): void {
    if (this.#last !== null) this.show(this.#last.upstream, this.#last.filter);
  }
}

function matches({ address, condition }: LiveEndpoint, filter: string): boolean {
  return address.toLowerCase().includes(filter) || CONDITIONS[condition].word.includes(filter);
}

function endpointColumns(onSteer: (address: string) => void): readonly Column<EndpointRow>[] {
  const latency = (name: 'p50' | 'p95' | 'p99'): Column<EndpointRow> =>
    figureColumn(name, ({ endpoint }) => latencyText(endpoint.latencyMs?.[name] ?? null), { sortKey: name });
  const errors = errorColumn<LiveEndpoint>({ sortKey: 'errorShare' });
  return [
    addressColumn(),
    conditionColumn(),
    figureColumn('Weight', ({ endpoint }) => weightText(endpoint), { sortKey: 'weight' }),
    figureColumn('Req/s', ({ endpoint }) => rateText(endpoint.perSecond), { sortKey: 'perSecond' }),
    { ...errors, fill: (cell) => ofEndpoint(errors.fill(cell)) },
    latency('p50'),
    latency('p95'),
    latency('p99'),
    barColumn('In flight', inFlightBar, { sortKey: 'inFlight' }),
    barColumn('Share', shareBar, { sortKey: 'share' }),
    steerColumn(onSteer),
  ];
}

function ofEndpoint(update: (endpoint: LiveEndpoint) => void): (row: EndpointRow) => void {
  return ({ endpoint }) => update(endpoint);
}

function addressColumn(): Column<EndpointRow> {
  return {
    title: 'Endpoint',
    sortKey: 'address',
    isRowHead: true,
    fill: (cell) => {
      const address = element('span', { class: 'address' });
      const backup = element('span', { class: 'tag' }, 'backup');
      cell.append(address, backup);
      return ({ endpoint }) => {
        setText(address, endpoint.address);
        setShown(backup, endpoint.backup);
      };
    },
  };
}

function conditionColumn(): Column<EndpointRow> {
  return {
    title: 'State',
    sortKey: 'condition',
    fill: (cell) => {
      const drawn = shape('');
      const word = element('span');
      const look = element('span', { class: 'condition' }, drawn, word);
      cell.append(look);
      return ({ endpoint }) => {
        const { word: text, tone, meaning, shape: path } = CONDITIONS[endpoint.condition];
        setText(word, text);
        setAttribute(look, 'data-tone', tone);
        setAttribute(look, 'title', `${endpoint.address} ${meaning}`);
        if (drawn.firstElementChild !== null) setAttribute(drawn.firstElementChild, 'd', path);
      };
    },
  };
}

function weightText({ weight, effectiveWeight }: LiveEndpoint): string {
  return weight === effectiveWeight ? countText(weight) : `${countText(effectiveWeight)} of ${countText(weight)}`;
}

function inFlightBar({ endpoint: { inFlight, cap, poolUse } }: EndpointRow): BarFigures {
  return {
    part: poolUse ?? 0,
    text: cap === null ? countText(inFlight) : `${countText(inFlight)} of ${countText(cap)}`,
    mark: null,
    tone: poolUse === null ? undefined : poolUse >= 1 ? 'bad' : poolUse >= MUCH_POOL_USE ? 'warn' : 'good',
  };
}

function shareBar({ endpoint: { share }, expected, widest }: EndpointRow): BarFigures {
  const isFar = share !== null && expected !== null && Math.abs(share - expected) > expected * MUCH_DEVIATION;
  return {
    part: share === null || widest === 0 ? 0 : share / widest,
    text: expected === null ? percentText(share) : `${percentText(share)} of ${percentText(expected)}`,
    mark: expected === null || widest === 0 ? null : expected / widest,
    tone: isFar ? 'warn' : 'good',
  };
}

function steerColumn(onSteer: (address: string) => void): Column<EndpointRow> {
  return {
    title: 'Steer',
    isTitleUnseen: true,
    fill: (cell) => {
      const button = element('button', { type: 'button', class: 'steer', 'aria-haspopup': 'dialog' }, 'Change…');
      let address = '';
      button.addEventListener('click', () => onSteer(address));
      cell.append(button);
      return ({ endpoint }) => {
        address = endpoint.address;
        setAttribute(button, 'aria-label', `Change ${endpoint.address}`);
      };
    },
  };
}
