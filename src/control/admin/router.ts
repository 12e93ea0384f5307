/** Finds the route of a request to the admin API. */
import { type AdminAnswer, failure, ok } from './answer.js';
import { OPENAPI_PATH, openApiDocument } from './openapi.js';
import { ADMIN_ROUTES } from './route-list.js';
import type { AdminMethod, AdminRoute, RoutedRequest } from './routes.js';

/** All routes, the document among them. */
const ROUTES: readonly AdminRoute[] = [...ADMIN_ROUTES, documentRoute()];

/** What there is at a path. */
export interface Resource {
  /** One for each method. */
  readonly routes: readonly AdminRoute[];
  readonly path: RoutedRequest['path'];
}

/** @param path without query; undefined: there is nothing at this path. Pure. */
export function resourceAt(path: string): Resource | undefined {
  for (const { pattern, names, routes } of PATTERNS) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const values = match.slice(1).map(decoded);
    if (values.some((value) => value === undefined)) return undefined;
    return { routes, path: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) };
  }
  return undefined;
}

/** The route of a method; HEAD goes where GET goes. undefined: it does nothing there. */
export function routeFor({ routes }: Resource, method: string): AdminRoute | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  return routes.find((route) => route.method === wanted);
}

/** What Allow says. */
export function allowedMethods({ routes }: Resource): string {
  const methods = routes.map(({ method }) => method as AdminMethod | 'HEAD' | 'OPTIONS');
  return [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS'].join(', ');
}

/** Nothing is there. */
export const NOT_FOUND: AdminAnswer = failure(404, 'not-found', 'there is nothing at this path');

interface Pattern {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly routes: readonly AdminRoute[];
}

const PATTERNS: readonly Pattern[] = [...new Set(ROUTES.map(({ path }) => path))].map((path) => ({
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '([^/]+)')}$`),
  names: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
  routes: ROUTES.filter((route) => route.path === path),
}));

/** Its answer is written once. */
function documentRoute(): AdminRoute {
  let document: unknown = null;
  return {
    method: 'GET',
    path: OPENAPI_PATH,
    operation: 'getDocument',
    summary: 'This document.',
    isOpen: false,
    query: [],
    body: null,
    answers: {},
    answer: (_request, source) => {
      document ??= openApiDocument(ADMIN_ROUTES, source.status().version);
      return ok(document);
    },
  };
}

/** undefined: not valid percent-encoding. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
