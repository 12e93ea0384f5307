/** Names that users give to listeners and upstreams: they become metric labels and parts of URLs of the admin API. */
import { type Field, text } from './field.js';

/** What a name may look like. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What a name may look like, for a sentence. */
export const NAME_FORM =
  'a name of at most 63 letters, digits, dots, hyphens and underscores that begins with a letter or digit';

/** A field that holds the name of a listener. */
export function listenerName(rules: { description: string }): Field<string> {
  return text({ pattern: NAME_PATTERN, expected: NAME_FORM, form: 'name', ...rules });
}

/** A field that refers to an upstream by its name; whether there is one is checked over the whole configuration. */
export function upstreamName(rules: { description: string }): Field<string> {
  return text({ pattern: NAME_PATTERN, expected: 'the name of an upstream', form: 'name of an upstream', ...rules });
}
