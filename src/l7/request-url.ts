/** What a request asks for: in words, and as the URL that its client meant. */

/** A request in words, for log lines and error bodies; what is not known is ''. */
export interface RequestDescription {
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  readonly requestId: string;
}

/** What a client has asked for, a character for each byte. */
export interface RequestUrl {
  /** The Host, or that of an absolute form, with its port; '' for a request of HTTP/1.0 without one. Well-formed. */
  readonly host: string;
  /** Path and query as they came, or `*`. */
  readonly target: string;
}
