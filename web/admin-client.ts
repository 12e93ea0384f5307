/** Asks the admin API: JSON in, JSON out, with the token where there is one. */

/** Where the token is kept: as long as the tab is open. */
const TOKEN_KEY = 'sluice-admin-token';

/** The API's refusal, or no answer at all. */
export class AdminFailure extends Error {
  override readonly name = 'AdminFailure';
  /** 0: there was no answer. */
  readonly status: number;
  /** A sentence each, of a configuration that was refused; [] without. */
  readonly problems: readonly string[];

  constructor(status: number, message: string, problems: readonly string[] = []) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

/** What the page needs of sessionStorage. */
export type TokenStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** A client of the API of the address that the page came from. */
export class AdminClient {
  readonly #store: TokenStore;

  constructor(store: TokenStore) {
    this.#store = store;
  }

  /** Is there a token that questions bring? */
  get hasToken(): boolean {
    return this.#store.getItem(TOKEN_KEY) !== null;
  }

  /** Remembers the token that later questions bring; '' forgets it. */
  setToken(token: string): void {
    if (token === '') this.#store.removeItem(TOKEN_KEY);
    else this.#store.setItem(TOKEN_KEY, token);
  }

  /** @throws AdminFailure */
  async get<Answer>(path: string): Promise<Answer> {
    return (await this.#json('GET', path)) as Answer; // the API's own document says what it is
  }

  /** @throws AdminFailure */
  async send<Answer>(method: 'PUT' | 'POST', path: string, body: unknown): Promise<Answer> {
    return (await this.#json(method, path, JSON.stringify(body))) as Answer; // likewise
  }

  /**
   * A text, such as the effective configuration.
   *
   * @throws AdminFailure
   */
  async text(path: string, accept: string): Promise<string> {
    return await (await this.#ask(path, { headers: { accept } })).text();
  }

  /**
   * The text of a response that goes on for as long as both sides wish.
   *
   * @throws AdminFailure when it does not begin
   */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#ask(path, { signal, headers: { accept: 'text/event-stream' } });
    if (response.body === null) throw new AdminFailure(response.status, 'the answer has no body');
    return response.body;
  }

  async #json(method: string, path: string, body?: string): Promise<unknown> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await this.#ask(path, { method, headers, ...(body === undefined ? {} : { body }) });
    return await response.json();
  }

  async #ask(path: string, options: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const token = this.#store.getItem(TOKEN_KEY);
    const headers = token === null ? options.headers : { ...options.headers, authorization: `Bearer ${token}` };
    let response: Response;
    try {
      response = await fetch(path, { ...options, headers, cache: 'no-store', credentials: 'omit' });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new AdminFailure(0, 'sluice does not answer: is it running, and can this browser reach it?');
    }
    if (response.ok) return response;
    throw await failureOf(response);
  }
}

/** Name of an endpoint's resource. */
export function endpointPath(upstream: string, address: string): string {
  return `/api/v1/upstreams/${encodeURIComponent(upstream)}/endpoints/${encodeURIComponent(address)}`;
}

async function failureOf(response: Response): Promise<AdminFailure> {
  const fallback = `sluice answered ${response.status}`;
  try {
    const { message, problems } = (await response.json()) as { message?: unknown; problems?: unknown };
    return new AdminFailure(
      response.status,
      typeof message === 'string' ? message : fallback,
      Array.isArray(problems) ? problems.map(String) : [],
    );
  } catch {
    return new AdminFailure(response.status, fallback); // no JSON: something else answers at this address
  }
}
