/** Field of the key that a request is hashed by: the client's address, a part of the target, or a named field. */
import { nearestName } from '../nearest-name.js';
import type { CertificateFact, KeySourcePlan } from '../picking-plan.js';
import { type Field, textField } from './field.js';

const PLAIN = ['client-ip', 'path', 'uri'] as const;
const NAMED = ['header', 'cookie', 'query'] as const;
/** A token of RFC 9110; query parameters may have nearly any character. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const PARAMETER = /^[!"$%'-<>-~]{1,128}$/;
const CERTIFICATE = 'client-certificate';
const FACTS = ['subject', 'fingerprint'] as const satisfies readonly CertificateFact[];
const EXPECTED =
  'client-ip, path, uri, header:NAME, cookie:NAME, query:NAME, client-certificate:subject or client-certificate:fingerprint';

/** Where a key comes from. */
export function keySource(rules: { description: string }): Field<KeySourcePlan> {
  return textField<KeySourcePlan>({
    parse: (written) => {
      const plain = PLAIN.find((kind) => kind === written);
      if (plain !== undefined) return { ok: true, value: { kind: plain } };
      const fact = FACTS.find((one) => `${CERTIFICATE}:${one}` === written);
      if (fact !== undefined) return { ok: true, value: { kind: CERTIFICATE, name: fact } };
      const colon = written.indexOf(':');
      const kind = NAMED.find((one) => one === written.slice(0, Math.max(colon, 0)));
      const name = written.slice(colon + 1);
      if (kind === undefined) return { ok: false, expected: EXPECTED, hint: hintFor(written) };
      if (!(kind === 'query' ? PARAMETER : TOKEN).test(name))
        return {
          ok: false,
          expected: EXPECTED,
          hint: name === '' ? `write ${kind}:NAME` : `${name} is no name of a ${kind}`,
        };
      return { ok: true, value: { kind, name: kind === 'header' ? name.toLowerCase() : name } };
    },
    write: formatKeySource,
    expected: EXPECTED,
    description: rules.description,
    form: '`client-ip`, `path`, `uri`, `header:NAME`, `cookie:NAME`, `query:NAME`, `client-certificate:subject`, `client-certificate:fingerprint`',
    json: { pattern: '^(client-ip|path|uri|(header|cookie|query):.+|client-certificate:(subject|fingerprint))$' },
  });
}

/** Is it a key of that kind, as it is written? */
export function isCertificateKey(written: unknown): written is string {
  return FACTS.some((one) => `${CERTIFICATE}:${one}` === written);
}

/** Writes a key source the way it is read. */
export function formatKeySource(source: KeySourcePlan): string {
  return 'name' in source ? `${source.kind}:${source.name}` : source.kind;
}

function hintFor(written: string): string | null {
  const kind = NAMED.find((one) => one === written);
  if (kind !== undefined) return `write ${kind}:NAME`;
  if (/^(ip|client|source|src|addr(ess)?|remote[-_]addr|clientip|client_ip)$/i.test(written))
    return 'did you mean client-ip?';
  if (/^(client[-_]?|tls[-_]?|ssl[-_]?)?cert(ificate)?([:._-].*)?$/i.test(written))
    return `write ${FACTS.map((one) => `${CERTIFICATE}:${one}`).join(' or ')}`;
  const nearest = nearestName(written.split(':')[0] ?? '', [...PLAIN, ...NAMED]);
  return nearest === null ? null : `did you mean ${nearest}${NAMED.some((one) => one === nearest) ? ':NAME' : ''}?`;
}
