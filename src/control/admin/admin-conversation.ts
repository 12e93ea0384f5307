/** One request to the admin API from its head to its answer: host, rate, token, route, origin, body, in this order. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../../config/address.js';
import type { AdminPlan } from '../../config/observing-plan.js';
import { readBody, TOO_LARGE } from './admin-body.js';
import type { AdminSource } from './admin-source.js';
import { type AdminAnswer, failure, tooEarly } from './answer.js';
import { isHostAllowed } from './host-guard.js';
import { type LiveStreams, MOST_STREAMS } from './live-streams.js';
import type { PageFile } from './page.js';
import { isPagePath, pageAnswer } from './page-answer.js';
import { AddressRates, type RateSettings, rateKey } from './rate-limit.js';
import { allowedMethods, NOT_FOUND, resourceAt, routeFor } from './router.js';
import type { AdminRoute, RoutedRequest } from './routes.js';
import { seconds, TokenGuard } from './token-guard.js';
import { type OriginHead, originRefusal, writeRefusal } from './write-guard.js';

/** Of one address: far above what a dashboard, a scraper and a few terminals ask, far below what would keep the primary busy. */
const REQUESTS: RateSettings = { perSecond: 200, burst: 400 };

/** Of all answers but the page's, which may do a little more. */
const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** What it needs from outside. */
export interface ConversationOptions {
  /** Where the API listens. */
  readonly host: string;
  /** Who may ask, as the plan says that counts: asked anew for each request. */
  readonly access: () => Pick<AdminPlan, 'token' | 'hosts'>;
  readonly source: AdminSource;
  /** The dashboard's file at a path; null: there is none. */
  readonly page: (path: string) => PageFile | null;
  readonly streams: LiveStreams;
  /** A clock that does not jump. */
  readonly nowMs: () => number;
}

/** Thread: primary. */
export class AdminConversation {
  readonly #options: ConversationOptions;
  readonly #rates: AddressRates;
  readonly #tokens: TokenGuard;
  /** The last token there was. */
  #lastToken: string | null = null;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#rates = new AddressRates(REQUESTS, options.nowMs);
    this.#tokens = new TokenGuard(options.nowMs);
  }

  /** Answers one request. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answerOf(request, response);
    if (answer !== null) write(response, answer);
    request.resume(); // what of a body nobody wanted
  }

  /** @returns null: a stream has begun */
  async #answerOf(request: IncomingMessage, response: ServerResponse): Promise<AdminAnswer | null> {
    const { method = '', url = '' } = request;
    const [path, query] = parted(url);
    const refusal = this.#refusal(request);
    if (refusal !== null) return refusal;
    if (isPagePath(path)) return this.#page(method, path, request.headers['if-none-match']);
    const resource = resourceAt(path);
    const isOpen = resource?.routes.every((route) => route.isOpen) ?? false;
    const lacksToken = isOpen ? null : this.#tokenRefusal(request);
    if (lacksToken !== null) return lacksToken;
    if (resource === undefined) return NOT_FOUND;
    const allow = allowedMethods(resource);
    if (method === 'OPTIONS') return { status: 204, headers: { allow }, contentType: '', text: '' };
    const route = routeFor(resource, method);
    if (route === undefined) {
      return failure(405, 'method-not-allowed', `${method} does nothing at this path`, { headers: { allow } });
    }
    if (route.answer === 'live') return this.#live(request, response, query);
    const body = route.method === 'GET' ? '' : await writeBody(request, route);
    if (typeof body !== 'string') return body;
    const { accept = '' } = request.headers;
    return await this.#routed(route.answer, { path: resource.path, query, accept, body });
  }

  #routed(answer: Exclude<AdminRoute['answer'], 'live'>, request: RoutedRequest): AdminAnswer | Promise<AdminAnswer> {
    return answer(request, this.#options.source);
  }

  #refusal(request: IncomingMessage): AdminAnswer | null {
    const { host: boundHost, access } = this.#options;
    if (!isHostAllowed(request.headers.host, { boundHost, names: access().hosts })) {
      return failure(
        403,
        'host-not-allowed',
        'the Host header names neither localhost nor the address of the admin API, nor one of admin.hosts',
      );
    }
    const address = rateKey(request.socket.remoteAddress);
    const waitMs = this.#rates.waitMs(address);
    if (waitMs > 0) {
      return tooEarly(429, 'too-many-requests', 'too many requests came from this address', seconds(waitMs));
    }
    this.#rates.use(address);
    return null;
  }

  #tokenRefusal(request: IncomingMessage): AdminAnswer | null {
    const { authorization } = request.headers;
    return this.#tokens.refusal(this.#token(), authorization, rateKey(request.socket.remoteAddress));
  }

  /** Where others reach the API, a token stays needed though a reload takes it away together with the address, which takes effect later. */
  #token(): string | null {
    const { token } = this.#options.access();
    if (token !== null) this.#lastToken = token;
    return token === null && !isLoopback(this.#options.host) ? this.#lastToken : token;
  }

  #page(method: string, path: string, ifNoneMatch: string | undefined): AdminAnswer {
    if (method === 'GET' || method === 'HEAD') return pageAnswer(this.#options.page(path), ifNoneMatch);
    return failure(405, 'method-not-allowed', `${method} does nothing at this path`, {
      headers: { allow: 'GET, HEAD' },
    });
  }

  #live(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): AdminAnswer | null {
    const { streams } = this.#options;
    // A page that cannot read a stream can keep one open all the same, and there are few.
    const refusal = originRefusal(originOf(request));
    if (refusal !== null) return refusal;
    if (!streams.hasRoom) {
      return tooEarly(503, 'too-many-streams', `${MOST_STREAMS} streams are open; that is all there may be`, 5);
    }
    if (request.method === 'HEAD') return { status: 200, headers: {}, contentType: 'text/event-stream', text: '' };
    const given = request.headers['last-event-id'];
    const token = this.#token();
    streams.open(response, SAFE_HEADERS, {
      onlyFigures: query.get('only') === 'figures',
      lastEventId: typeof given === 'string' ? given : '',
      isAllowed: () => this.#token() === null || this.#token() === token,
    });
    return null;
  }
}

/** @returns the body, or the refusal; '' where the route reads none */
async function writeBody(request: IncomingMessage, route: AdminRoute): Promise<string | AdminAnswer> {
  const head = { ...originOf(request), contentType: request.headers['content-type'] };
  const refusal = writeRefusal(head, route.body !== null);
  if (refusal !== null) return refusal;
  if (route.body === null) return '';
  return (await readBody(request)) ?? TOO_LARGE;
}

function originOf({ headers }: IncomingMessage): OriginHead {
  const { host, origin, 'sec-fetch-site': fetchSite } = headers;
  return { host, origin, fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined };
}

/** Path and query of a request target. */
function parted(target: string): readonly [path: string, query: URLSearchParams] {
  const question = target.indexOf('?');
  return question < 0
    ? [target, new URLSearchParams()]
    : [target.slice(0, question), new URLSearchParams(target.slice(question + 1))];
}

function write(response: ServerResponse, answer: AdminAnswer): void {
  const isText = 'text' in answer;
  const content = isText ? answer.text : `${JSON.stringify(answer.body)}\n`;
  const contentType = isText ? answer.contentType : 'application/json; charset=utf-8';
  response.writeHead(answer.status, {
    ...SAFE_HEADERS,
    ...(contentType === '' ? {} : { 'content-type': contentType }),
    ...(answer.status === 204 || answer.status === 304 ? {} : { 'content-length': Buffer.byteLength(content) }),
    ...answer.headers,
  });
  response.end(content); // node:http leaves the body of an answer to HEAD out
}
