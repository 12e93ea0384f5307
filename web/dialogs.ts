/** The dialogs' common ground: open, close, give the focus back, and show how something went. */

import { AdminFailure } from './admin-client.js';
import { element, setChildren, setShown } from './document.js';

/** Opens a dialog; whoever had the focus has it again when it closes. */
export function openDialog(dialog: HTMLDialogElement): void {
  if (dialog.open) return;
  const before = document.activeElement;
  dialog.addEventListener(
    'close',
    () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    },
    { once: true },
  );
  dialog.showModal();
}

/** Makes the dialog's buttons of class `close`, and a click beside it, close it. */
export function closeByButtons(dialog: HTMLDialogElement): void {
  for (const button of dialog.querySelectorAll('button.close')) button.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
}

/** Shows what went wrong, problem by problem; null: nothing. */
export function showFailure(place: HTMLElement, failure: unknown): void {
  setShown(place, failure !== null);
  if (failure === null) return setChildren(place, []);
  const message = failure instanceof Error ? failure.message : String(failure);
  const problems = failure instanceof AdminFailure ? failure.problems : [];
  setChildren(place, [
    element('p', {}, message),
    ...(problems.length === 0 ? [] : [element('ul', {}, ...problems.map((text) => element('li', {}, text)))]),
  ]);
}
