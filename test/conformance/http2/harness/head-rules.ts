/** What holds for every header block that a proxy sends (RFC 9113 sections 8.1 to 8.3). */
import type { HeaderField } from './hpack-decoder.js';

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^(?:[^\s\0].*[^\s]|[^\s\0])?$/;
/** Of a connection: HTTP/2 has none of them (section 8.2.2). */
const CONNECTION_FIELDS = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/** @returns what is wrong with it */
export function rulesOfHead(fields: readonly HeaderField[], status: number, isEnd: boolean): string[] {
  const breaches = rulesOfFields(fields.slice(1));
  if (fields[0]?.[0] !== ':status') breaches.push('a head that does not begin with :status');
  if (!(status >= 100 && status <= 999)) breaches.push(`the status ${fields[0]?.[1]}`);
  if (status === 101) breaches.push('the status 101');
  if (status < 200 && isEnd) breaches.push('an interim answer that ends its stream');
  return breaches;
}

export function rulesOfTrailers(fields: readonly HeaderField[], isEnd: boolean): string[] {
  const breaches = rulesOfFields(fields);
  if (!isEnd) breaches.push('trailers that do not end their stream');
  return breaches;
}

function rulesOfFields(fields: readonly HeaderField[]): string[] {
  return fields.flatMap(([name, value]) => {
    if (!NAME.test(name)) return [`the name ${JSON.stringify(name)}`];
    if (CONNECTION_FIELDS.includes(name)) return [`the field ${name}`];
    return VALUE.test(value) && !/[\r\n\0]/.test(value) ? [] : [`the value ${JSON.stringify(value)} of ${name}`];
  });
}
