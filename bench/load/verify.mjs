/** Checks that a candidate answers rightly: a fast wrong answer is none. */
import { Agent, request as httpRequest } from 'node:http';
import { connect as connectSession } from 'node:http2';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { bodyOf, hashOf } from './endpoint/bodies.mjs';

const START_PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 25;
const ANSWER_TIMEOUT_MS = 10_000;
/** How far an answer's length may be from that of the checked ones: fields whose value changes in length. */
const HEAD_SLACK_BYTES = 8;

/** A candidate answered, but not as the endpoint did. */
export class WrongAnswerError extends Error {}

/**
 * One request.
 *
 * @param {number} port @param {import('./scenarios/scenario.mjs').Scenario} scenario @param {string} path
 * @param {Lines | null} [lines] null: a connection of its own
 * @returns {Promise<{ status: number, hash: string, bytes: number, wireBytes: number }>} `bytes` of the body, `wireBytes` with
 *   the head, where heads are text
 */
export function ask(port, scenario, path, lines = null) {
  const { request } = scenario;
  const headers = Object.fromEntries(request.headers.map((line) => line.split(/:\s*(.*)/s).slice(0, 2)));
  const body = request.bodyBytes > 0 ? Buffer.alloc(request.bodyBytes, 'x') : undefined;
  return scenario.protocol === 'h2'
    ? askHttp2(port, { path, method: request.method, headers, body }, lines)
    : askHttp1(port, scenario, { path, method: request.method, headers, body }, lines);
}

function askHttp1(port, { tls }, { path, method, headers, body }, lines) {
  return new Promise((resolve, reject) => {
    // h2load, which makes the new connections of TLS, does not say that it will close them.
    const ownAgent = lines === null && tls !== null ? new HttpsAgent({ keepAlive: true }) : null;
    const agent = lines?.agent ?? ownAgent ?? false;
    const options = { host: '127.0.0.1', port, path, method, headers, agent, timeout: ANSWER_TIMEOUT_MS };
    const begin = tls === null ? httpRequest : httpsRequest;
    const asked = begin({ ...options, rejectUnauthorized: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        ownAgent?.destroy();
        resolve({
          status: response.statusCode,
          hash: hashOf(whole),
          bytes: whole.length,
          wireBytes: asked.socket.bytesRead - readBefore,
        });
      });
    });
    let readBefore = 0;
    asked.once('socket', (socket) => {
      readBefore = socket.bytesRead;
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
    asked.on('error', (error) => {
      ownAgent?.destroy();
      reject(error);
    });
    asked.end(body);
  });
}

function askHttp2(port, { path, method, headers, body }, lines) {
  return new Promise((resolve, reject) => {
    const session = lines?.session(port) ?? connectHttp2(port);
    const isOwn = lines === null;
    const fail = (error) => {
      if (isOwn) session.destroy();
      reject(error);
    };
    session.once('error', fail);
    const stream = session.request({ ...headers, ':path': path, ':method': method });
    const chunks = [];
    let status = 0;
    stream.setTimeout(ANSWER_TIMEOUT_MS, () => stream.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
    stream.on('response', (fields) => (status = fields[':status']));
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', fail);
    stream.on('end', () => {
      session.off('error', fail);
      if (isOwn) session.close();
      const whole = Buffer.concat(chunks);
      resolve({ status, hash: hashOf(whole), bytes: whole.length, wireBytes: whole.length });
    });
    stream.end(body);
  });
}

function connectHttp2(port) {
  const session = connectSession(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.setMaxListeners(0);
  return session;
}

/** Servers end a connection after so many requests (nginx after 1,000, sluice after 10,000 unless told), and what is asked then is refused. */
const REQUESTS_PER_SESSION = 900;

/** The kept connections of a check. */
class Lines {
  #session = null;
  #requestsLeft = 0;

  constructor(connections, isTls) {
    const options = { keepAlive: true, maxSockets: connections };
    this.agent = isTls ? new HttpsAgent(options) : new Agent(options);
  }

  /** One for all streams that begin at the same time. */
  session(port) {
    if (this.#requestsLeft === 0) {
      this.#session?.close();
      this.#session = connectHttp2(port);
      this.#requestsLeft = REQUESTS_PER_SESSION;
    }
    this.#requestsLeft--;
    return this.#session;
  }

  close() {
    this.agent.destroy();
    this.#session?.destroy();
  }
}

/**
 * Waits until a program that was started answers.
 *
 * @param {import('./processes.mjs').RunningProgram} program @param {number} port
 * @param {import('./scenarios/scenario.mjs').Scenario} scenario
 * @throws Error when the program ends, or does not answer the first path with the right status in time
 */
export async function waitUntilAnswers(program, port, scenario) {
  const until = Date.now() + START_PATIENCE_MS;
  for (;;) {
    const found = await ask(port, scenario, scenario.request.paths[0]).catch((error) => ({ status: 0, error }));
    if (found.status === scenario.response.status) return;
    if (program.hasEnded)
      throw new Error(`${program.name} ended before it answered: ${program.errorText.trim() || 'no word why'}`);
    if (Date.now() > until)
      throw new Error(
        `${program.name} on port ${port} does not answer: ${found.error?.message ?? `status ${found.status}`}${
          program.errorText === '' ? '' : `; it says: ${program.errorText.trim()}`
        }`,
      );
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/**
 * The checked round: all connections of the scenario at once, and each answer's status, length and hash looked at. Every path is
 * asked for once at least.
 *
 * @param {string} name @param {number} port @param {import('./scenarios/scenario.mjs').Scenario} scenario @param {number} durationS
 * @returns {Promise<{ answers: number, wireBytes: number }>} how many answers there were, and how many bytes one has on average
 *   over the paths, its head included
 * @throws WrongAnswerError that says what is wrong
 */
export async function verifyAnswers(name, port, scenario, durationS) {
  const { request, response, connections, keepAlive } = scenario;
  const lines = keepAlive ? new Lines(connections, scenario.tls !== null) : null;
  const hashes = new Map(request.paths.map((path) => [path, hashOf(bodyOf(path))]));
  const wireBytes = new Array(request.paths.length).fill(0);
  const until = Date.now() + durationS * 1000;
  let turn = 0;
  let answers = 0;
  const lane = async () => {
    while (turn < request.paths.length || Date.now() < until) {
      const index = turn++ % request.paths.length;
      const path = request.paths[index];
      const answer = await ask(port, scenario, path, lines).catch((error) => {
        throw new WrongAnswerError(`${name}: ${path} is not answered: ${error.message}`);
      });
      if (answer.status !== response.status)
        throw new WrongAnswerError(`${name}: ${path} is answered with ${answer.status}, not ${response.status}`);
      const length = response.bodyBytes[index];
      if (answer.bytes !== length)
        throw new WrongAnswerError(`${name}: the body of ${path} has ${answer.bytes} bytes, not ${length}`);
      if (answer.hash !== hashes.get(path))
        throw new WrongAnswerError(`${name}: the body of ${path} is not what the endpoint sent`);
      wireBytes[index] = answer.wireBytes;
      answers++;
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, lane));
  } finally {
    lines?.close();
  }
  return { answers, wireBytes: wireBytes.reduce((sum, one) => sum + one, 0) / wireBytes.length };
}

/**
 * Compares the bytes that a round brought with what its answers must have had. A generator that counts bytes looks at no answer
 * alone; if one in a hundred were empty, this shows it.
 *
 * @param {import('./generators/result.mjs').GeneratorResult} result
 * @param {import('./scenarios/scenario.mjs').Scenario} scenario
 * @param {number} wireBytes what a checked answer has on average, head included
 * @returns {string | null} what is wrong
 */
export function wrongBytes({ bytes, requests }, { response, connections }, wireBytes) {
  if (bytes === null || requests === 0) return null;
  // What came of answers that the end of the round cut off, one for each connection, counts as bytes but not as requests; of answers
  // in turn, the last turn may be incomplete.
  const longest = Math.max(...response.bodyBytes) + wireBytes;
  const slack = HEAD_SLACK_BYTES + (longest * (connections + response.bodyBytes.length)) / requests;
  if (Math.abs(bytes / requests - wireBytes) <= slack) return null;
  return `answers had ${Math.round(bytes / requests)} bytes on average, and not ${Math.round(wireBytes)}`;
}
