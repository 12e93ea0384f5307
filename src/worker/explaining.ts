/** What a worker is asked when somebody wants to know where a request would go, and what it answers. Plain data; nothing is sent. */
import type { CertificateFacts } from '../config/picking-plan.js';
import type { ErrorCode } from '../core/error-catalog.js';

/** A request as somebody imagines it. */
export interface ExplainRequest {
  /** Name of the l7 listener it comes in at; null: the first one that has its port, or the first one there is. */
  readonly listener: string | null;
  readonly method: string;
  /** Host and port as in the Host field; '' without. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Address of the client, for keys by client; null: 127.0.0.1. */
  readonly client: string | null;
  /** What its client has shown, for keys by certificate; null: nothing. */
  readonly clientCertificate: CertificateFacts | null;
}

/** One endpoint as the pick would see it. */
export interface ExplainedCandidate {
  readonly endpoint: string;
  /** null: it may be picked; else why not: one of EXCLUSIONS. */
  readonly exclusion: string | null;
  /** 'level 0' …, 'backups'; null: in none. */
  readonly group: string | null;
  readonly weight: number;
  readonly inFlight: number;
  /** 0: no cap. */
  readonly cap: number;
  /** What the balancer compares, less is better; null: it compares nothing. */
  readonly score: number | null;
}

/** Where the request would go now. */
export interface Explanation {
  readonly listener: string;
  readonly worker: number;
  /** null: none matches (SLUICE_NO_ROUTE), or the listener redirects, which the last policy tells. */
  readonly route: { readonly host: string; readonly path: string } | null;
  /** What would be done with it in order, a sentence each: limits, splits, affinity, keys, retries, hedges, queue, breaker, fallback. */
  readonly policies: readonly string[];
  readonly upstream: string | null;
  readonly balance: string | null;
  /** Who would be picked; null: nobody, for `code`, or `isDrawn`. */
  readonly endpoint: string | null;
  /** The balancer draws lots: any of the candidates may be picked. */
  readonly isDrawn: boolean;
  /** What the client would be answered; null: an endpoint is asked, or the listener redirects (`route` is null). */
  readonly code: ErrorCode | null;
  readonly candidates: readonly ExplainedCandidate[];
}
