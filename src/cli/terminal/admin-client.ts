/** Asks the admin API of a running sluice: JSON in, JSON out, and its stream of events. */
import type { AdminTarget } from './admin-target.js';
import { EventReader, type StreamEvent } from './event-reader.js';

/** A proxy that is alive answers in milliseconds; a reload waits for every worker. */
const PATIENCE_MS = 5_000;
const RELOAD_PATIENCE_MS = 60_000;

/** Why there is no answer that could be used. */
export class AdminFailure extends Error {
  override readonly name = 'AdminFailure';
  /** `unreachable`: nobody answers, or somebody who is not sluice. `refused`: sluice says no. */
  readonly kind: 'unreachable' | 'refused';
  /** Of the answer; 0: none. */
  readonly status: number;
  /** Of a configuration that was refused. */
  readonly problems: readonly string[];

  constructor(
    kind: 'unreachable' | 'refused',
    message: string,
    { status = 0, problems = [] }: { readonly status?: number; readonly problems?: readonly string[] } = {},
  ) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.problems = problems;
  }
}

/** A client of one sluice. */
export class AdminClient {
  readonly #target: AdminTarget;

  constructor(target: AdminTarget) {
    this.#target = target;
  }

  /** Where it asks, for people. */
  get place(): string {
    return this.#target.url.replace(/^http:\/\//, '');
  }

  /** @throws AdminFailure */
  async get<Answer>(path: string): Promise<Answer> {
    return (await this.#json(path, { method: 'GET' }, PATIENCE_MS)) as Answer; // the API's own document says what it is
  }

  /** @throws AdminFailure */
  async put<Answer>(path: string, body: unknown): Promise<Answer> {
    return (await this.#json(path, { method: 'PUT', body: JSON.stringify(body) }, PATIENCE_MS)) as Answer; // likewise
  }

  /** @throws AdminFailure */
  async post<Answer>(path: string, body: unknown): Promise<Answer> {
    const patienceMs = path.endsWith('/reload') ? RELOAD_PATIENCE_MS : PATIENCE_MS;
    return (await this.#json(path, { method: 'POST', body: JSON.stringify(body) }, patienceMs)) as Answer; // likewise
  }

  /**
   * The events of a stream, until it ends.
   *
   * @param signal ends it
   * @throws AdminFailure when it does not begin, or breaks off
   */
  async *events(path: string, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const response = await this.#fetch(path, { headers: { accept: 'text/event-stream' }, signal });
    if (response.body === null) throw this.#stranger();
    const reader = new EventReader();
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body) {
        for (const event of reader.push(decoder.decode(chunk as Uint8Array, { stream: true }))) yield event;
      }
    } catch (error) {
      if (!signal.aborted)
        throw new AdminFailure('unreachable', `the connection to ${this.place} broke off: ${reasonOf(error)}`);
    }
  }

  async #json(path: string, request: RequestInit, patienceMs: number): Promise<unknown> {
    const headers = {
      accept: 'application/json',
      ...(request.body == null ? {} : { 'content-type': 'application/json' }),
    };
    const response = await this.#fetch(path, { ...request, headers, signal: AbortSignal.timeout(patienceMs) });
    try {
      return await response.json();
    } catch {
      throw this.#stranger();
    }
  }

  async #fetch(path: string, request: RequestInit & { readonly headers: Record<string, string> }): Promise<Response> {
    const { url, token } = this.#target;
    const headers = token === null ? request.headers : { ...request.headers, authorization: `Bearer ${token}` };
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, { ...request, headers, redirect: 'manual' });
    } catch (error) {
      throw new AdminFailure(
        'unreachable',
        `nothing answers at ${this.place} (${reasonOf(error)}): is sluice running, and is its admin API there? --admin or -c says where`,
      );
    }
    if (response.ok) return response;
    throw await this.#failureOf(response);
  }

  async #failureOf(response: Response): Promise<AdminFailure> {
    const { status } = response;
    const body: unknown = await response.json().catch(() => null);
    if (typeof body !== 'object' || body === null || !('error' in body) || !('message' in body))
      return this.#stranger();
    const { message } = body;
    const problems = 'problems' in body && Array.isArray(body.problems) ? body.problems.map(String) : [];
    if (status === 401) return new AdminFailure('refused', this.#tokenSentence(), { status });
    return new AdminFailure('refused', String(message), { status, problems });
  }

  #tokenSentence(): string {
    const how = 'give it as --token or in SLUICE_TOKEN, or name the file that has it with -c';
    return this.#target.token === null
      ? `sluice at ${this.place} wants a token: ${how}`
      : `sluice at ${this.place} has another token than this one: ${how}`;
  }

  #stranger(): AdminFailure {
    return new AdminFailure('unreachable', `what answers at ${this.place} is not the admin API of sluice`);
  }
}

/** Sentences for what the system says. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be resolved now',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ECONNRESET: 'connection reset',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause ? String(cause.code) : '';
  return REASONS[code] ?? (code || cause.message || cause.name);
}
