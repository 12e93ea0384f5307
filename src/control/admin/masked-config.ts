/** The effective configuration as the admin API shows it: whole, but without what somebody could use who must only read. */
import { stringify } from 'yaml';
import { writtenForm } from '../../config/effective.js';
import { isSection } from '../../config/flags.js';
import type { Config } from '../../config/schema/config.js';

/** Stands where a secret was. */
export const MASK = '(masked)';

/** Names of fields whose values let somebody in. */
const SECRET_FIELD = /auth|token|secret|key|cookie|password|signature/i;
/** User and password of a URL. */
const URL_CREDENTIALS = /^([a-z]+:\/\/)[^/?#]*@/;

/** The configuration as plain values. */
export function maskedConfig(config: Config): unknown {
  return masked(writtenForm(config), []);
}

/** The same as YAML. */
export function maskedYaml(config: Config): string {
  return stringify(maskedConfig(config), { lineWidth: 0, aliasDuplicateObjects: false });
}

/** @param path of keys down to this value */
function masked(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => masked(each, path));
  if (isSection(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, masked(each, [...path, key])]));
  }
  if (typeof value !== 'string') return value;
  return isSecret(path) ? MASK : value.replace(URL_CREDENTIALS, `$1${MASK}@`);
}

/**
 * admin.token, the secret of an affinity cookie, every header of the collector, and headers of probes whose name says so. Where new keys of
 * this kind join the configuration under these names, they are caught as well.
 */
function isSecret(path: readonly string[]): boolean {
  const [section] = path;
  const [parent, key = ''] = path.slice(-2);
  if (parent === 'headers') return section === 'tracing' || SECRET_FIELD.test(key);
  return ['token', 'secret', 'password', 'passphrase', 'hmacKey'].includes(key);
}
