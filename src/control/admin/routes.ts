/** The one table of what the admin API answers: its paths, what it asks for and gives, and who answers. The OpenAPI document is made of it. */
import type { z } from 'zod';
import type { AdminSource } from './admin-source.js';
import type { AdminAnswer } from './answer.js';

/** Methods that resources have; HEAD goes where GET goes. */
export type AdminMethod = 'GET' | 'PUT' | 'POST';

/** A request that has found its route, and may be answered. */
export interface RoutedRequest {
  /** Of the path, decoded, by the names that stand in braces. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Accept; '' without. */
  readonly accept: string;
  /** '' without. */
  readonly body: string;
}

/** A parameter of the query. */
export interface QueryParameter {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly meaning: string;
}

/** What may be answered with a status. */
export interface AnswerKind {
  readonly meaning: string;
  /** By the kind of content; null: text without a schema. */
  readonly content: Readonly<Record<string, z.ZodType | null>>;
}

/** One method of one path. */
export interface AdminRoute {
  readonly method: AdminMethod;
  /** With parameters in braces, e.g. '/api/v1/upstreams/{upstream}/endpoints'. */
  readonly path: string;
  /** Name of the operation for programs that are made from the document. */
  readonly operation: string;
  readonly summary: string;
  /** Answered without a token: probes of orchestrators. */
  readonly isOpen: boolean;
  readonly query: readonly QueryParameter[];
  /** JSON that the body has to be; null: none is read. `isRequired` false: an empty one will do. */
  readonly body: { readonly schema: z.ZodType; readonly example: unknown; readonly isRequired: boolean } | null;
  /** By status, those of all routes (401, 403, 429 …) left out. */
  readonly answers: Readonly<Record<number, AnswerKind>>;
  /** `live`: a stream of events, which LiveStreams writes. */
  readonly answer: 'live' | ((request: RoutedRequest, source: AdminSource) => AdminAnswer | Promise<AdminAnswer>);
}
