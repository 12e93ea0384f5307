/** The dialog that has the configuration read again, and shows what came of it; and the one that shows what counts now. */
import { type AdminClient, AdminFailure } from './admin-client.js';
import { closeByButtons, openDialog, showFailure } from './dialogs.js';
import { element, part, setChildren, setShown, setText } from './document.js';
import { type ReloadAnswer, reloadReport } from './reload-report.js';

const UNPROCESSABLE = 422;

/** The dialog in its place on the page. */
export class ReloadDialog {
  readonly #dialog = part('reload-dialog', HTMLDialogElement);
  readonly #form = part('reload-form', HTMLFormElement);
  readonly #before = part('reload-before', HTMLElement);
  readonly #result = part('reload-result', HTMLElement);
  readonly #failure = part('reload-failure', HTMLElement);
  readonly #confirm = part('reload-confirm', HTMLButtonElement);
  readonly #cancel = part('reload-cancel', HTMLButtonElement);
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
    closeByButtons(this.#dialog);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
  }

  open(): void {
    this.#becomeAsking();
    openDialog(this.#dialog);
  }

  #becomeAsking(): void {
    showFailure(this.#failure, null);
    setShown(this.#result, false);
    setShown(this.#before, true);
    setShown(this.#confirm, true);
    setText(this.#confirm, 'Reload');
    setText(this.#cancel, 'Cancel');
    this.#confirm.disabled = false;
  }

  async #send(): Promise<void> {
    this.#confirm.disabled = true;
    setText(this.#confirm, 'Reloading …');
    showFailure(this.#failure, null);
    try {
      this.#showResult(await this.#client.send<ReloadAnswer>('POST', '/api/v1/reload', {}));
    } catch (failure) {
      this.#showFailure(failure);
    }
  }

  #showResult(answer: ReloadAnswer): void {
    const { sentence, notes } = reloadReport(answer);
    setShown(this.#before, false);
    setShown(this.#confirm, false);
    setShown(this.#result, true);
    setChildren(this.#result, [
      element('p', {}, sentence),
      ...(notes.length === 0 ? [] : [element('ul', {}, ...notes.map((note) => element('li', {}, note)))]),
    ]);
    setText(this.#cancel, 'Close');
    this.#cancel.focus();
  }

  #showFailure(failure: unknown): void {
    const isRefused = failure instanceof AdminFailure && failure.status === UNPROCESSABLE;
    setShown(this.#before, !isRefused);
    showFailure(this.#failure, failure);
    if (isRefused) this.#failure.append(element('p', {}, 'Nothing has changed. Mend the file and try again.'));
    setText(this.#confirm, 'Try again');
    this.#confirm.disabled = false;
    this.#confirm.focus();
  }
}

/** Shows the effective configuration. */
export class ConfigDialog {
  readonly #dialog = part('config-dialog', HTMLDialogElement);
  readonly #text = part('config-text', HTMLElement);
  readonly #failure = part('config-failure', HTMLElement);
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
    closeByButtons(this.#dialog);
  }

  async open(): Promise<void> {
    showFailure(this.#failure, null);
    setText(this.#text, 'Asking …');
    openDialog(this.#dialog);
    try {
      setText(this.#text, await this.#client.text('/api/v1/config', 'application/yaml'));
    } catch (failure) {
      setText(this.#text, '');
      showFailure(this.#failure, failure);
    }
  }
}
