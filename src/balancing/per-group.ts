/** What a balancer derives from the members of each group that it picks from, made again when they change. */
import type { EndpointGroup } from './endpoint-group.js';
import type { UpstreamView } from './upstream-view.js';

/** One derivation of one group. */
export interface GroupDerivation {
  /** Takes the group as it is now. */
  derive(view: UpstreamView, group: EndpointGroup): void;
}

interface Derived<T> {
  readonly derivation: T;
  /** Of the group, when it was derived. */
  revision: number;
}

/** Revision of no group. */
const NEVER_DERIVED = -1;

/** Thread: worker; one for each balancer and kind of derivation. */
export class PerGroup<T extends GroupDerivation> {
  readonly #make: () => T;
  readonly #ofGroups = new WeakMap<EndpointGroup, Derived<T>>();
  // Nearly every pick is from the same group, the primaries: a comparison instead of a look-up.
  #latestGroup: EndpointGroup | null = null;
  #latest: Derived<T> | null = null;

  constructor(make: () => T) {
    this.#make = make;
  }

  /** The derivation of a group, up to date. HOT while the group does not change. */
  of(view: UpstreamView, group: EndpointGroup): T {
    const known = this.#latest;
    const derived = known !== null && group === this.#latestGroup ? known : this.#turnTo(group);
    if (derived.revision !== group.revision) {
      derived.derivation.derive(view, group);
      derived.revision = group.revision;
    }
    return derived.derivation;
  }

  #turnTo(group: EndpointGroup): Derived<T> {
    let derived = this.#ofGroups.get(group);
    if (derived === undefined) {
      derived = { derivation: this.#make(), revision: NEVER_DERIVED };
      this.#ofGroups.set(group, derived);
    }
    this.#latestGroup = group;
    this.#latest = derived;
    return derived;
  }
}
