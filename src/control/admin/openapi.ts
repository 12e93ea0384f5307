/** The OpenAPI document of the admin API, made of its table of routes. (OpenAPI Specification 3.1.1.) */
import { z } from 'zod';
import type { AdminRoute, AnswerKind } from './routes.js';
import { failureSchema } from './schemas/steering-schema.js';

/** Where the document is served. */
export const OPENAPI_PATH = '/api/v1/openapi.json';

/** Answered on every path, before its route is asked. */
const ALWAYS: Readonly<Record<number, string>> = {
  403: 'The Host, or for a change the Origin, is of a stranger.',
  429: 'Too many requests, or wrong tokens, from this address; Retry-After says when to come again.',
};
const WITH_TOKEN: Readonly<Record<number, string>> = { 401: 'The token is missing or wrong.' };
const WITH_BODY: Readonly<Record<number, string>> = {
  413: 'The body is too large.',
  415: 'The body is not said to be JSON.',
};

/** A value of the document. */
type Section = Readonly<Record<string, unknown>>;

/** The whole document. Pure. @param version of sluice */
export function openApiDocument(routes: readonly AdminRoute[], version: string): Section {
  const paths = [...new Set(routes.map(({ path }) => path))];
  return {
    openapi: '3.1.1',
    info: {
      title: 'sluice admin API',
      version,
      description: 'See and steer a running sluice. Failures are JSON with `error`, a word that stays, and `message`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths: Object.fromEntries([
      ...paths.map((path) => [path, operationsOf(routes.filter((route) => route.path === path))] as const),
      [OPENAPI_PATH, { get: OWN_OPERATION }] as const,
    ]),
    components: {
      schemas: { Failure: jsonSchema(failureSchema, 'output') },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'admin.token, where there is one.' } },
    },
  };
}

const FAILURE: Section = { schema: { $ref: '#/components/schemas/Failure' } };

const OWN_OPERATION: Section = {
  operationId: 'getDocument',
  summary: 'This document.',
  security: security(false),
  responses: {
    200: { description: 'As it is for this version.', content: { 'application/json': { schema: { type: 'object' } } } },
    ...failures({ ...ALWAYS, ...WITH_TOKEN }),
  },
};

function operationsOf(routes: readonly AdminRoute[]): Section {
  return Object.fromEntries(routes.map((route) => [route.method.toLowerCase(), operation(route)]));
}

function operation(route: AdminRoute): Section {
  const { path, query, body, isOpen } = route;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = query.map(({ name, schema, meaning }) => ({
    name,
    in: 'query',
    description: meaning,
    schema: jsonSchema(schema, 'input'),
  }));
  return {
    operationId: route.operation,
    summary: route.summary,
    security: security(isOpen),
    ...(inPath.length + inQuery.length === 0 ? {} : { parameters: [...inPath, ...inQuery] }),
    ...(body === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchema(body.schema, 'input'), example: body.example } },
          },
        }),
    responses: {
      ...Object.fromEntries(Object.entries(route.answers).map(([status, kind]) => [status, answer(kind)])),
      ...failures({ ...ALWAYS, ...(isOpen ? {} : WITH_TOKEN), ...(body === null ? {} : WITH_BODY) }),
    },
  };
}

function answer({ meaning, content }: AnswerKind): Section {
  return {
    description: meaning,
    content: Object.fromEntries(
      Object.entries(content).map(([kind, schema]) => [
        kind,
        schema === failureSchema
          ? FAILURE
          : { schema: schema === null ? { type: 'string' } : jsonSchema(schema, 'output') },
      ]),
    ),
  };
}

function failures(meanings: Readonly<Record<number, string>>): Section {
  return Object.fromEntries(
    Object.entries(meanings).map(([status, meaning]) => [
      status,
      { description: meaning, content: { 'application/json': FAILURE } },
    ]),
  );
}

/** Without a token in the configuration nothing is asked for: then the empty requirement holds. */
function security(isOpen: boolean): readonly Section[] {
  return isOpen ? [{}] : [{ token: [] }, {}];
}

/** Answers may gain keys in later versions; bodies have no others than those that are known. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Section {
  const { $schema: _dialect, ...written } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: each }) => {
      if (io === 'output' && each.additionalProperties === false) delete each.additionalProperties;
    },
  });
  return written;
}
