/** What a scenario is: data, one file each; everything that it leaves out is filled in here. */

/**
 * @typedef {object} Scenario
 * @property {string} name layer-shape-size-load, e.g. l7-keepalive-minimal-c64
 * @property {string} summary one line for people
 * @property {'l4' | 'l7'} layer what the proxy balances
 * @property {'http1' | 'h2'} protocol what the generator speaks
 * @property {'ecdsa' | 'rsa' | null} tls the key of the certificate that clients are shown, TLS 1.3; null: plain
 * @property {number} streams of each connection at a time, with h2
 * @property {readonly string[]} sets `quick` ones run by default
 * @property {{ method: string, paths: readonly string[], headers: readonly string[], bodyBytes: number }} request several paths
 *   are asked for in turn
 * @property {{ status: number, bodyBytes: readonly number[] }} response by path
 * @property {number} connections of the generator
 * @property {boolean} keepAlive false: a new connection for each request
 * @property {number | null} ratePerSecond null: closed loop, as fast as answers come; else open loop
 * @property {readonly { delayMs: number }[]} endpoints
 * @property {string} balance as sluice names it
 * @property {number} idleConnections kept open beside the load, without a request; the proxy's memory for each of them is reported
 */

/** Bodies that every endpoint has, by path. */
export const BODY_BYTES = {
  '/': 43,
  '/1k': 1024,
  '/16k': 16 * 1024,
  '/1m': 1024 * 1024,
  '/64m': 64 * 1024 * 1024,
  '/upload': 0,
};

/** A whole scenario. @param {Partial<Omit<Scenario, 'request'>> & { name: string, summary: string, request?: Partial<Scenario['request']> }} facts @returns {Scenario} */
export function scenario({ request = {}, ...facts }) {
  const paths = request.paths ?? ['/'];
  return {
    layer: 'l7',
    protocol: 'http1',
    tls: null,
    streams: 1,
    sets: ['l7'],
    response: { status: 200, bodyBytes: paths.map((path) => BODY_BYTES[path]) },
    connections: 64,
    keepAlive: true,
    ratePerSecond: null,
    endpoints: [{ delayMs: 0 }],
    balance: 'least-time',
    idleConnections: 0,
    ...facts,
    request: { method: 'GET', headers: [], bodyBytes: 0, ...request, paths },
  };
}
