/** The dialog that changes an endpoint: what is wished, what will come of it, and then the change. */
import type { LiveEndpoint, LiveUpstream } from '../src/observability/live-figures.js';
import { type AdminClient, endpointPath } from './admin-client.js';
import { CONDITIONS } from './conditions.js';
import { closeByButtons, openDialog, showFailure } from './dialogs.js';
import { element, part, setAttribute, setChildren, setShown, setText } from './document.js';
import { countText } from './format.js';
import { prospectOf, type Wish, wishesFor } from './steering.js';

/** Which endpoint. */
interface Aim {
  readonly upstream: string;
  readonly address: string;
}

const TITLES: Readonly<Record<Wish['kind'], string>> = {
  drain: 'Drain it',
  enable: 'Enable it',
  disable: 'Disable it',
  weight: 'Set its weight',
};

/** The dialog in its place on the page. */
export class SteerDialog {
  readonly #dialog = part('steer', HTMLDialogElement);
  readonly #form = part('steer-form', HTMLFormElement);
  readonly #title = part('steer-title', HTMLElement);
  readonly #now = part('steer-now', HTMLElement);
  readonly #wishes = part('steer-wishes', HTMLElement);
  readonly #timeout = part('steer-timeout', HTMLInputElement);
  readonly #weight = part('steer-weight', HTMLInputElement);
  readonly #timeoutPart = part('steer-timeout-part', HTMLElement);
  readonly #weightPart = part('steer-weight-part', HTMLElement);
  readonly #consequences = part('steer-consequences', HTMLElement);
  readonly #warning = part('steer-warning', HTMLElement);
  readonly #failure = part('steer-failure', HTMLElement);
  readonly #confirm = part('steer-confirm', HTMLButtonElement);
  readonly #client: AdminClient;
  readonly #onDone: (sentence: string) => void;
  #aim: Aim | null = null;
  #upstreams: readonly LiveUpstream[] = [];
  #isBusy = false;

  /** @param onDone hears in a sentence what was done */
  constructor(client: AdminClient, onDone: (sentence: string) => void) {
    this.#client = client;
    this.#onDone = onDone;
    closeByButtons(this.#dialog);
    this.#form.addEventListener('input', () => this.#show());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  /** Keeps what the dialog says true while it is open. */
  update(upstreams: readonly LiveUpstream[]): void {
    this.#upstreams = upstreams;
    if (this.#dialog.open && !this.#isBusy) this.#show();
  }

  /** Asks what is to be done with an endpoint. */
  open(aim: Aim): void {
    this.#aim = aim;
    const found = this.#found();
    if (found === null) return;
    setText(this.#title, `Change ${aim.address}`);
    setChildren(
      this.#wishes,
      wishesFor(found.endpoint).map((kind, index) => {
        const choice = element('input', { type: 'radio', name: 'wish', value: kind, checked: index === 0 });
        return element('label', { class: 'option' }, choice, TITLES[kind]);
      }),
    );
    this.#weight.value = String(found.endpoint.weight);
    this.#timeout.value = '30s';
    showFailure(this.#failure, null);
    this.#show();
    openDialog(this.#dialog);
  }

  #found(): { readonly endpoint: LiveEndpoint; readonly upstream: LiveUpstream } | null {
    const upstream = this.#upstreams.find(({ name }) => name === this.#aim?.upstream);
    const endpoint = upstream?.endpoints.find(({ address }) => address === this.#aim?.address);
    return upstream === undefined || endpoint === undefined ? null : { endpoint, upstream };
  }

  #wish(): Wish {
    const kind = new FormData(this.#form).get('wish');
    if (kind === 'weight') return { kind, weight: this.#weight.value };
    if (kind === 'enable' || kind === 'disable') return { kind };
    return { kind: 'drain', timeout: this.#timeout.value };
  }

  #show(): void {
    const found = this.#found();
    if (found === null) {
      this.#confirm.disabled = true;
      setText(this.#now, 'It is not in the configuration any more.');
      return;
    }
    const { endpoint, upstream } = found;
    const wish = this.#wish();
    const { body, problem, consequences, warning, verb } = prospectOf(wish, endpoint, upstream);
    setText(
      this.#now,
      `Now ${CONDITIONS[endpoint.condition].word} in ${upstream.name}, with weight ${countText(endpoint.weight)} and ${countText(endpoint.inFlight)} in flight.`,
    );
    setShown(this.#timeoutPart, wish.kind === 'drain');
    setShown(this.#weightPart, wish.kind === 'weight');
    showSentences(this.#consequences, problem === null ? consequences : [problem]);
    setShown(this.#warning, warning !== null);
    setText(this.#warning, warning ?? '');
    for (const [input, kind] of [
      [this.#timeout, 'drain'],
      [this.#weight, 'weight'],
    ] as const) {
      setAttribute(input, 'aria-invalid', wish.kind === kind && problem !== null ? 'true' : undefined);
    }
    setText(this.#confirm, verb);
    this.#confirm.disabled = body === null || this.#isBusy;
  }

  async #send(): Promise<void> {
    const found = this.#found();
    if (found === null || this.#aim === null || this.#isBusy) return;
    const { body, done } = prospectOf(this.#wish(), found.endpoint, found.upstream);
    if (body === null) return;
    this.#isBusy = true;
    this.#confirm.disabled = true;
    try {
      await this.#client.send('PUT', endpointPath(this.#aim.upstream, this.#aim.address), body);
      this.#dialog.close();
      this.#onDone(`${done}.`);
    } catch (failure) {
      showFailure(this.#failure, failure);
    } finally {
      this.#isBusy = false;
      this.#show();
    }
  }
}

/** A sentence each; only what differs is touched, so that a screen reader hears it once. */
function showSentences(place: HTMLElement, sentences: readonly string[]): void {
  const there = [...place.children].map(({ textContent }) => textContent);
  if (there.length === sentences.length && sentences.every((text, index) => text === there[index])) return;
  setChildren(
    place,
    sentences.map((text) => element('p', {}, text)),
  );
}
