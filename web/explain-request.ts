/** Makes of what somebody writes into the form what POST /api/v1/explain takes. Pure. */
import type { ExplainRequest } from '../src/worker/explaining.js';

/** The form's fields, as they were left. */
export interface ExplainForm {
  readonly method: string;
  /** 'http://example.com/a?b', 'example.com/a' or '/a'. */
  readonly url: string;
  /** A line each: `name: value`. */
  readonly headers: string;
  /** '' for this machine. */
  readonly client: string;
  /** '' for the one that the URL's port names, or the first. */
  readonly listener: string;
}

/** What to send, or what is wrong with the form. */
export type ReadForm =
  | { readonly ok: true; readonly request: ExplainRequest }
  | { readonly ok: false; readonly field: keyof ExplainForm; readonly problem: string };

/** Characters of a method and of a field name. (RFC 9110, 5.6.2: token.) */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Reads the form. */
export function readExplainForm(form: ExplainForm): ReadForm {
  const method = form.method.trim();
  if (!TOKEN.test(method)) return { ok: false, field: 'method', problem: 'Write a method, such as GET.' };
  const place = placeOf(form.url.trim());
  if (place === null) {
    return { ok: false, field: 'url', problem: 'Write a path such as /a?b, or a URL such as http://example.com/a.' };
  }
  const headers: Record<string, string> = {};
  for (const line of form.headers.split('\n').map((text) => text.trim())) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (!TOKEN.test(name)) {
      return { ok: false, field: 'headers', problem: `Write each header as name: value; this is none: ${line}` };
    }
    headers[name] = line.slice(colon + 1).trim();
  }
  return {
    ok: true,
    request: {
      listener: form.listener === '' ? null : form.listener,
      method,
      host: headers['host'] ?? place.host,
      target: place.target,
      headers,
      client: form.client.trim() === '' ? null : form.client.trim(),
      clientCertificate: null,
    },
  };
}

/** Host as in the Host field, and path with query; null: neither a path nor a URL. */
function placeOf(text: string): { host: string; target: string } | null {
  if (text.startsWith('/')) return { host: '', target: text.replace(/#.*$/, '') };
  if (text === '' || /\s/.test(text)) return null;
  const withScheme = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(withScheme) || /^[a-z]+:\/\/.*:\/\//i.test(withScheme)) return null;
  const { host, pathname, search } = new URL(withScheme);
  return { host, target: `${pathname}${search}` };
}
