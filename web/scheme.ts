/** Light or dark: as the system has it, or as somebody chose. */

const KEY = 'sluice-colour-scheme';
const CHOICES = ['auto', 'light', 'dark'] as const;

/** What somebody chose; 'auto': as the system has it. */
export type SchemeChoice = (typeof CHOICES)[number];

/** Applies what was chosen before, and keeps what is chosen now. */
export class Scheme {
  readonly #button: HTMLButtonElement;
  readonly #onChange: () => void;
  readonly #system = matchMedia('(prefers-color-scheme: dark)');
  #choice: SchemeChoice;

  /** @param onChange called when the colours are others than before */
  constructor(button: HTMLButtonElement, onChange: () => void) {
    this.#button = button;
    this.#onChange = onChange;
    this.#choice = CHOICES.find((choice) => choice === localStorage.getItem(KEY)) ?? 'auto';
    this.#apply();
    this.#system.addEventListener('change', () => this.#onChange());
    button.addEventListener('click', () => {
      this.#choice = CHOICES[(CHOICES.indexOf(this.#choice) + 1) % CHOICES.length] ?? 'auto';
      localStorage.setItem(KEY, this.#choice);
      this.#apply();
      this.#onChange();
    });
  }

  get isDark(): boolean {
    return this.#choice === 'auto' ? this.#system.matches : this.#choice === 'dark';
  }

  #apply(): void {
    document.documentElement.dataset['scheme'] = this.#choice;
    this.#button.textContent = `Colours: ${this.#choice}`;
  }
}
