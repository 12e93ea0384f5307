/** Answers of the admin API, before they are written: JSON, or a text as it is. */

/** A whole answer. `text` has its own kind of content, everything else is JSON. */
export type AdminAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
} & ({ readonly body: unknown } | { readonly text: string | Uint8Array; readonly contentType: string });

/** Every failure's body. */
export interface FailureView {
  /** A word that does not change, for programs. */
  readonly error: string;
  /** A sentence for people. */
  readonly message: string;
  /** Of a configuration that was refused. */
  readonly problems?: readonly string[];
}

/** What was asked for. */
export function ok(body: unknown): AdminAnswer {
  return { status: 200, headers: {}, body };
}

/** A failure of the API. @param more fields of the answer's head */
export function failure(
  status: number,
  error: string,
  message: string,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly problems?: readonly string[] } = {},
): AdminAnswer {
  const { headers = {}, problems } = more;
  const body: FailureView = { error, message, ...(problems === undefined ? {} : { problems }) };
  return { status, headers, body };
}

/** Come again later. @param seconds whole, from 1 on */
export function tooEarly(status: 429 | 503, error: string, message: string, seconds: number): AdminAnswer {
  return failure(status, error, message, { headers: { 'retry-after': String(seconds) } });
}
