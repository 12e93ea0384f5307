/** Fields of messages that the proxy writes as the user says: their names and values. */
import { z } from 'zod';
import { text } from './field.js';

/** A token of RFC 9110. */
export const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** Printable ASCII; nothing at the ends that a receiver would take off. */
const HEADER_VALUE = /^(?:[!-~](?:[ -~]{0,1022}[!-~])?)?$/;

/** Headers by name; none without it. @param meaning what they are for */
export function headerFields(meaning: string) {
  return z
    .record(
      z.string().regex(HEADER_NAME),
      text({
        pattern: HEADER_VALUE,
        expected: 'text in quotes, at most 1024 printable ASCII characters',
        description: 'Value of the header.',
        form: 'text',
      }),
    )
    .default({})
    .meta({ description: meaning });
}
