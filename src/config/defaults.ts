/** Every default value of a configuration, once: its unit, why it is what it is, and where that comes from. */

// --- listeners -------------------------------------------------------------------------------------------------------

/**
 * Address of the listener when the command line names none. Loopback, so that trying sluice out exposes nothing; a file
 * always says where it listens.
 */
export const LISTEN_ADDRESS = '127.0.0.1:8080';

/** Name of the listener that the command line builds. */
export const LISTENER_NAME = 'main';

/**
 * A client has this long to send a request's head, counted in total, not between reads: the answer to slowloris. uWebSockets.js
 * has the same 10 s fixed; nginx (60 s) counts between reads, HAProxy leaves it off until told.
 */
export const REQUEST_HEAD_TIMEOUT_MS = 10_000;

/** Longest silence inside a request's body. Mobile uploads stall for seconds; nginx waits 60 s, which keeps twice as many slow senders. */
export const BODY_IDLE_TIMEOUT_MS = 30_000;

/**
 * An idle client connection is kept this long. Above the 60 s of common cloud balancers in front of us, so that they close
 * first and never send a request into our close; the same as nginx's `keepalive_timeout`.
 */
export const CLIENT_KEEP_ALIVE_MS = 75_000;

/** Longest silence of an upgraded connection: WebSockets are quiet for long times. Envoy's idle timeout for TCP is 1 h, too. */
export const TUNNEL_IDLE_TIMEOUT_MS = 3_600_000;

/** Largest request head. The same as Node's parser and one HAProxy buffer; a 431 answers what is larger. */
export const REQUEST_HEAD_BYTES = 16 * 1024;

/** Most header lines of a request. Envoy has 100, HAProxy 101. */
export const REQUEST_HEADERS = 100;

/**
 * Largest request body: no limit. Bodies are streamed with a bound on memory, so size alone harms nobody, and nginx's 1 MB is
 * among the most common surprises of its users. Applications know their own limit.
 */
export const REQUEST_BODY_BYTES = Number.POSITIVE_INFINITY;

// --- routes ----------------------------------------------------------------------------------------------------------

/** Host of a route that names none: all. */
export const ROUTE_HOST = '*';

/** Path of a route that names none: all. */
export const ROUTE_PATH = '/';

/**
 * Deadline over all attempts of an exchange: 0, none. Downloads and event streams are as long as they are; silence is caught
 * by the upstream's `firstByte` and `idle`. (Envoy's 15 s for the whole response cuts downloads.)
 */
export const EXCHANGE_TIMEOUT_MS = 0;

// --- upstreams -------------------------------------------------------------------------------------------------------

/** Name of the upstream that the command line builds. */
export const UPSTREAM_NAME = 'default';

/** Balancer of an upstream that names none: needs no history and surprises nobody; also the default of nginx and APISIX. */
export const BALANCER = 'round-robin';

/** Share of an endpoint that has none. */
export const ENDPOINT_WEIGHT = 1;

/** An endpoint has no cap on requests in flight unless it says so: 0. A guess would refuse good traffic. */
export const ENDPOINT_MAX_CONNS = 0;

/**
 * Time for a TCP connection to an endpoint. A lost SYN is sent again after 1 s and 3 s, so 5 s forgives two losses; nginx waits
 * 60 s, in which a client has long given up.
 */
export const CONNECT_TIMEOUT_MS = 5_000;

/** Time from the request to the first byte of its answer; nginx's `proxy_read_timeout` has the same 60 s. */
export const FIRST_BYTE_TIMEOUT_MS = 60_000;

/** Longest silence inside a response, or while sending a request's body; nginx has 60 s for each direction. */
export const UPSTREAM_IDLE_TIMEOUT_MS = 60_000;

/**
 * Idle upstream connections are closed after this. Must stay below the endpoint's own keep-alive timeout, or we race its
 * close and turn a good request into a retry. Node 20's http server closes after 5 s by default, hence 4 s (undici has the same).
 */
export const UPSTREAM_KEEP_ALIVE_IDLE_MS = 4_000;

/** The keep-alive timeout that Node's http server has unless told otherwise; at or above it idle connections race its close. */
export const NODE_KEEP_ALIVE_MS = 5_000;

/**
 * Most idle connections kept for one endpoint in one worker. Enough that 1000 clients on 4 workers do not connect anew for each
 * burst; the idle timeout trims what a quiet moment leaves. (nginx keeps 32 for each worker, undici 128.)
 */
export const POOL_MAX_IDLE = 256;

/** Most connections to one endpoint from one worker: no limit (0). A cap on load belongs to the endpoint's `maxConns`, which is exact over all workers. */
export const POOL_MAX_CONNECTIONS = 0;

/** Largest head of a response. Applications set many cookies; Envoy allows 60 KiB, Node 16 KiB. */
export const RESPONSE_HEAD_BYTES = 32 * 1024;

/** Most header lines of a response; the same as for requests. */
export const RESPONSE_HEADERS = 100;

/** Attempts of one exchange over all endpoints: one retry, as Envoy's `num_retries`. More multiply the load when endpoints are in trouble. */
export const RETRY_ATTEMPTS = 2;

/** Time between two probes of an endpoint; nginx Plus has 5 s, HAProxy 2 s. */
export const HEALTH_INTERVAL_MS = 5_000;

/** A probe must be answered in this time; APISIX has 1 s. */
export const HEALTH_TIMEOUT_MS = 1_000;

/** Good probes in a row until an unhealthy endpoint is healthy again; HAProxy's `rise 2`. */
export const HEALTHY_AFTER = 2;

/** Bad probes in a row until an endpoint is unhealthy; HAProxy's `fall 3`: one lost packet is no verdict. */
export const UNHEALTHY_AFTER = 3;

// --- the process -----------------------------------------------------------------------------------------------------

/** How many workers: as many as processors this process may use. More only take turns; fewer leave processors idle. */
export const WORKERS = 'auto';

/** Time that exchanges in flight have to finish after SIGTERM. 30 s is what Kubernetes waits before it kills. */
export const SHUTDOWN_TIMEOUT_MS = 30_000;

/** Address of the admin API: loopback, because it has no token in this version. */
export const ADMIN_ADDRESS = '127.0.0.1:9900';

/** Least important messages that are logged: one line for each event of a life cycle, none for a request. */
export const LOG_LEVEL = 'info';
