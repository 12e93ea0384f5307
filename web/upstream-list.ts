/** The upstreams of the page, a section each. */
import type { LiveUpstream } from '../src/observability/live-figures.js';
import { CONDITIONS } from './conditions.js';
import { part, setChildren, setShown } from './document.js';
import { UpstreamSection, type UpstreamView } from './upstream-section.js';

/** With more upstreams than this only those in trouble are open at first. */
const MOST_OPEN_UPSTREAMS = 6;

/** The list in its place on the page. */
export class UpstreamList {
  filter = '';
  readonly #place = part('upstream-list', HTMLElement);
  readonly #nothing = part('upstream-nothing', HTMLElement);
  readonly #sections = new Map<string, UpstreamSection>();
  readonly #onSteer: (aim: { readonly upstream: string; readonly address: string }) => void;

  constructor(onSteer: (aim: { readonly upstream: string; readonly address: string }) => void) {
    this.#onSteer = onSteer;
  }

  show(upstreams: readonly LiveUpstream[], view: Omit<UpstreamView, 'filter'>): void {
    const areFew = upstreams.length <= MOST_OPEN_UPSTREAMS;
    for (const upstream of upstreams) {
      const { name } = upstream;
      if (this.#sections.has(name)) continue;
      const isOpen = areFew || isInTrouble(upstream);
      this.#sections.set(
        name,
        new UpstreamSection(name, isOpen, (address) => this.#onSteer({ upstream: name, address })),
      );
    }
    const names = new Set(upstreams.map(({ name }) => name));
    for (const name of this.#sections.keys()) if (!names.has(name)) this.#sections.delete(name);
    const sections = upstreams.flatMap(({ name }) => this.#sections.get(name) ?? []);
    setChildren(
      this.#place,
      sections.map((section) => section.element),
    );
    setShown(this.#nothing, upstreams.length === 0);
    for (const upstream of upstreams)
      this.#sections.get(upstream.name)?.show(upstream, { ...view, filter: this.filter });
  }
}

function isInTrouble({ endpoints, panicking }: LiveUpstream): boolean {
  return panicking || endpoints.some(({ condition }) => CONDITIONS[condition].tone === 'bad');
}
