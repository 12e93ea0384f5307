/** Passphrases of encrypted keys, which may stand in the environment instead of the configuration. Pure. */

/** What a passphrase stands for. */
export type ReadPassphrase =
  | { readonly ok: true; readonly passphrase: string | null }
  | { readonly ok: false; readonly sentence: string; readonly hint: string };

const FROM_ENVIRONMENT = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/** @param written as in the configuration: text, or `${NAME}` for a variable of the environment; null: there is none */
export function readPassphrase(
  written: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): ReadPassphrase {
  const name = FROM_ENVIRONMENT.exec(written ?? '')?.[1];
  if (name === undefined) return { ok: true, passphrase: written };
  const value = environment[name];
  if (value !== undefined && value !== '') return { ok: true, passphrase: value };
  const what = value === undefined ? 'is not set' : 'is empty';
  return {
    ok: false,
    sentence: `is taken from the variable ${name} of the environment, which ${what}`,
    hint: `set ${name} for the process of sluice (systemd: EnvironmentFile or LoadCredential)`,
  };
}
