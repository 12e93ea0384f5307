/** Every default value of a configuration, once: its unit, why it is what it is, and where that comes from. */

// --- listeners -------------------------------------------------------------------------------------------------------

/**
 * Address of the listener when the command line names none. Loopback, so that trying sluice out exposes nothing; a file
 * always says where it listens.
 */
export const LISTEN_ADDRESS = '127.0.0.1:8080';

/** Mode of a listener that names none: the first that this program had, and what most listeners of an edge are. */
export const MODE = 'l7' as const;

/**
 * What speaks HTTP with clients: the engine. uWebSockets.js hangs on HTTP/1.0 and on absolute targets, closes on pipelined requests and has
 * fixed times (docs/frontend-uws.md), which an edge cannot have.
 */
export const FRONT_END = 'native' as const;

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

/**
 * A client that takes nothing of what lies ready for it is cut off after this: it holds a connection to an endpoint. nginx has the same
 * 60 s (`send_timeout`), HAProxy wants it said (`timeout client`), and a phone that loses its network is back or gone by then.
 */
export const WRITE_STALL_TIMEOUT_MS = 60_000;

/** Largest request head. The same as Node's parser and one HAProxy buffer; a 431 answers what is larger. */
export const REQUEST_HEAD_BYTES = 16 * 1024;

/**
 * Longest request line; a 414 answers what is longer. 8 KiB, as one of nginx's `large_client_header_buffers` and as Apache's
 * `LimitRequestLine`: RFC 9112 section 3 wants 8000 bytes at the least. Browsers stay below 2 KiB, single sign-on may reach 4 KiB.
 */
export const REQUEST_TARGET_BYTES = 8 * 1024;

/** Most header lines of a request. Envoy has 100, HAProxy 101. */
export const REQUEST_HEADERS = 100;

/**
 * Largest request body: no limit. Bodies are streamed with a bound on memory, so size alone harms nobody, and nginx's 1 MB is
 * among the most common surprises of its users. Applications know their own limit.
 */
export const REQUEST_BODY_BYTES = Number.POSITIVE_INFINITY;

/**
 * Bytes a second that a request body has to come with: any (0). A body may be slow for honest reasons (a phone in a train, an upload
 * that a user types), and what silence costs is bounded by the idle timeout. Apache's mod_reqtimeout wants 500 bytes a second; nginx and
 * HAProxy have no such limit.
 */
export const MIN_BODY_RATE = 0;

/**
 * Requests of one connection, after which it is closed. nginx has 1000, which was 100 until 2021, to give back what memory a connection
 * has gathered; ours keeps next to none between requests. What is left is that long-lived connections of few, busy clients spread over the
 * workers anew: at 10,000 the new connection is lost in what the requests cost.
 */
export const REQUESTS_PER_CONNECTION = 10_000;

// --- listeners of mode l4, and of mode l7 where they have the same setting ----------------------------------------------

/** How bytes are moved: `adaptive`, which copies small ones and splices large ones, so that nobody has to know their traffic. */
export const RELAY = 'adaptive';

/**
 * The end of one side is passed on and the other direction goes on: protocols that send, finish and then read the answer (rsync,
 * `nc -N`) depend on it. HAProxy and Envoy do the same; nginx (`proxy_half_close`) leaves it off.
 */
export const HALF_CLOSE = true;

/** TCP_DEFER_ACCEPT is off (0): protocols whose server speaks first (SMTP, SSH, MySQL) would wait for it. Off in all peers, too. */
export const DEFER_ACCEPT_MS = 0;

/** Connections begin with no PROXY header unless told: a client could claim any address. Off in all peers, too. */
export const PROXY_PROTOCOL = false;

/**
 * Permissions of a UNIX socket's file: all may connect, as with nginx, which sets 0666 whatever the umask. Who may reach the file is
 * decided by its directory; HAProxy and Envoy leave it to the umask, so the same configuration opens it here and not there.
 */
export const SOCKET_MODE = 0o666;

/** Longest silence in both directions of a session: the 10 min of nginx's `proxy_timeout`. Envoy has 1 h, HAProxy wants it said. */
export const SESSION_IDLE_TIMEOUT_MS = 600_000;

/**
 * Longest silence of a session of which one side has finished: long enough for a slow answer, short enough that sides which never
 * finish are not kept for the whole idle time. HAProxy has `timeout client-fin` for it, without a default; nginx and Envoy have none.
 */
export const LINGER_TIMEOUT_MS = 60_000;

/**
 * PROXY header and ClientHello must be there after this. Both are the first thing that is sent, so this is a round trip and two lost
 * packets; the usual `inspect-delay` of HAProxy has the same 5 s, Envoy 15 s, nginx 30 s.
 */
export const PREFACE_TIMEOUT_MS = 5_000;

/** Most sessions, or client connections in mode l7, of a listener: no limit (0). A guess would refuse good traffic; memory is bounded by the limit of open files. */
export const LISTENER_SESSIONS = 0;

/** Most sessions, or connections in mode l7, of one client address: no limit (0). Behind one address of a NAT router there may be a whole company. */
export const SESSIONS_PER_CLIENT = 0;

// --- routes ----------------------------------------------------------------------------------------------------------

/** Host of a route that names none: all. */
export const ROUTE_HOST = '*';

/** Server name of an l4 route that names none: any, also none at all. */
export const ROUTE_SNI = '*';

/** Path of a route that names none: all. */
export const ROUTE_PATH = '/';

/**
 * Deadline over all attempts of an exchange: 0, none. Downloads and event streams are as long as they are; silence is caught
 * by the upstream's `firstByte` and `idle`. (Envoy's 15 s for the whole response cuts downloads.)
 */
export const EXCHANGE_TIMEOUT_MS = 0;

/** Share of a target of a split that has none. */
export const TARGET_WEIGHT = 1;

/** Answers do not tell why their endpoint was picked: names of endpoints are nobody's business outside. */
export const EXPLAIN = 'off' as const;

// --- upstreams -------------------------------------------------------------------------------------------------------

/** Name of the upstream that the command line builds. */
export const UPSTREAM_NAME = 'default';

/** Balancer of an upstream that names none: needs no history and surprises nobody; also the default of nginx and APISIX. */
export const BALANCER = 'round-robin';

/** Share of an endpoint that has none. */
export const ENDPOINT_WEIGHT = 1;

/** An endpoint has no cap on requests in flight and sessions unless it says so: 0. A guess would refuse good traffic. */
export const ENDPOINT_MAX_CONNS = 0;

/**
 * Bounded load is off (0): it moves keys, which caches want to be asked for. HAProxy (`hash-balance-factor`) and Envoy leave it off, too;
 * between 1.25 and 2 is what both advise.
 */
export const LOAD_FACTOR = 0;

/** Up to the first byte: what an endpoint can do something about. The last byte depends on how fast the client takes it. nginx asks. */
export const LATENCY_OF = 'first-byte' as const;

/** What the name of the cookie of affinity begins with; the upstream's name follows, since two upstreams of one site must not overwrite each other. */
export const AFFINITY_COOKIE_PREFIX = 'sluice-';

/** Path of the cookie of affinity: the whole site, as one route may have several paths. */
export const AFFINITY_COOKIE_PATH = '/';

/** Slow start is linear, as in HAProxy and AWS ALB; Envoy's default, too (semantics.md 5). */
export const SLOW_START_AGGRESSION = 1;

/** Share of its weight that an endpoint begins with: Envoy's 10 % (semantics.md 5). With less, hardly a request warms it up. */
export const SLOW_START_LEAST_WEIGHT = 0.1;

/** Below half of the endpoints being healthy, health is ignored: Envoy's 50 % (semantics.md 6). */
export const PANIC_THRESHOLD = 0.5;

/** Zones mean nothing unless told: own ones first can overrun a small zone. */
export const PREFER_OWN_ZONE = false;

/** Priority of an endpoint that names none: the first. */
export const ENDPOINT_PRIORITY = 0;

/** Time between two questions to an agent: HAProxy's `agent-inter` follows its checks, 2 s. */
export const AGENT_INTERVAL_MS = 2_000;

/** Time for an agent's answer; as for health checks. */
export const AGENT_TIMEOUT_MS = 1_000;

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
 * Most idle connections kept for one endpoint in one worker. Answers come in bursts: with 640 streams of HTTP/2 at a time, 256 meant
 * that one request in seven had to connect, at a third of the processor's time. The idle timeout trims what a quiet moment leaves.
 * (HAProxy and Envoy keep them without a limit, nginx 32 for each worker, undici 128.)
 */
export const POOL_MAX_IDLE = 1024;

/** Most connections to one endpoint from one worker: no limit (0). A cap on load belongs to the endpoint's `maxConns`, which is exact over all workers. */
export const POOL_MAX_CONNECTIONS = 0;

/** Largest head of a response. Applications set many cookies; Envoy allows 60 KiB, Node 16 KiB. */
export const RESPONSE_HEAD_BYTES = 32 * 1024;

/** Most header lines of a response; the same as for requests. */
export const RESPONSE_HEADERS = 100;

/** Attempts of one exchange over all endpoints: one retry, as Envoy's `num_retries`. More multiply the load when endpoints are in trouble. */
export const RETRY_ATTEMPTS = 2;

/**
 * Endpoints that a session tries to connect to: two more than the first. A refused connect costs a round trip and the client has
 * seen nothing, so trying again is always safe; HAProxy tries 3 times again (`retries`), nginx every endpoint, Envoy once only. With
 * three, a client waits at most three connect timeouts.
 */
export const CONNECT_ATTEMPTS = 3;

/**
 * What of a failed attempt is tried again: everything that went wrong before a byte of the answer. Which request may be sent again is decided
 * beside it, by its method and by what an endpoint has seen of it. nginx has `error timeout` and asks for `invalid_header`.
 */
export const RETRY_ON = ['connect', 'reset', 'timeout', 'bad-response'] as const;

/** Statuses that are tried again: none unless told. Only the operator knows what a 503 of an application means. As nginx and Envoy. */
export const RETRY_STATUSES: readonly number[] = [];

/** Requests that were sent are tried again only where twice does no harm: RFC 9110 9.2.2. */
export const RETRY_NON_IDEMPOTENT = false;

/** Bodies up to this are held to be sent again; a socket's buffer holds about as much. HAProxy has one buffer of 16 KiB, Traefik 2 MiB. */
export const RETRY_BODY_BYTES = 64 * 1024;

/** Pause before retry N: full jitter in 0 .. (2^N - 1) x this, up to the next. Envoy's 25 ms and 250 ms (semantics.md 7). */
export const RETRY_BACKOFF_MS = 25;
export const RETRY_BACKOFF_MOST_MS = 250;

/** A Retry-After up to this is waited for; a client that has to wait longer is better told so. */
export const RETRY_MOST_RETRY_AFTER_MS = 1_000;

/** Retries and hedges over all workers: a fifth of the requests of the last 10 s, and 10 a second. Finagle's RetryBudget (semantics.md 7). */
export const RETRY_BUDGET_SHARE = 0.2;
export const RETRY_BUDGET_PER_SECOND = 10;

/** Least time before a hedge by quantile: below it the second request is mostly in vain. */
export const HEDGE_LEAST_MS = 5;

/** Most that wait for a place at an upstream. Envoy's pending requests: 1024 (semantics.md 6). */
export const QUEUE_LENGTH = 1_024;

/** Waiting in the queue: HAProxy's `timeout queue` is its connect timeout unless told. */
export const QUEUE_TIMEOUT_MS = 5_000;

/** Time of one attempt: none. The first byte has its own time, and exchange is over all attempts. */
export const ATTEMPT_TIMEOUT_MS = 0;

/** Priority of a route's requests where they have to wait: the middle, so that there is room on both sides. */
export const ROUTE_PRIORITY = 4;

/** Gradient2's limits: 20 to 200, beginning with 20 (semantics.md 8). */
export const CONCURRENCY_LEAST = 20;
export const CONCURRENCY_MOST = 200;

/**
 * Failures in a row until an endpoint is ejected: Envoy's 5, of failed connections, timeouts and 502 to 504 only. That an application
 * answers 500 may be the request's fault. nginx ejects for 10 s after one failure.
 */
export const OUTLIER_GATEWAY_FAILURES = 5;
/** Off: see above. */
export const OUTLIER_FAILURES = 0;

/** Share of failed attempts: Envoy's 85 % of at least 50. */
export const OUTLIER_FAILURE_RATIO = 0.85;
export const OUTLIER_FAILURE_RATIO_REQUESTS = 50;
/** Success rate: Envoy's 1.9 standard deviations, at least 5 endpoints with 100 requests each. */
export const OUTLIER_DEVIATIONS = 1.9;
export const OUTLIER_SUCCESS_RATE_REQUESTS = 100;
export const OUTLIER_SUCCESS_RATE_ENDPOINTS = 5;
/** Latency: 3 times the median of the endpoints; no peer has it. Three endpoints are the least that have a majority. */
export const OUTLIER_LATENCY_FACTOR = 3;
export const OUTLIER_LATENCY_REQUESTS = 50;
export const OUTLIER_LATENCY_ENDPOINTS = 3;
/** Envoy's 10 s. */
export const OUTLIER_INTERVAL_MS = 10_000;
/**
 * First ejection: 10 s, nginx's `fail_timeout`; Envoy has 30 s. An endpoint returns on trial, with one request at a time, so returning too
 * early costs a retry.
 */
export const OUTLIER_EJECTION_MS = 10_000;
/** Envoy's 300 s. */
export const OUTLIER_MOST_EJECTION_MS = 300_000;
/** Half of the endpoints, at least one, never all: beyond that the panic threshold would put them back. Envoy has 10 %. */
export const OUTLIER_MOST_EJECTED = 0.5;
/** Requests at a time on a returning endpoint: Finagle's one probe. */
export const OUTLIER_TRIALS = 1;

/** Breaker: half of at least 20 requests in 10 s failed (the guides on API load balancing; Traefik and Linkerd look at 10 s, too). */
export const BREAKER_ERROR_RATIO = 0.5;
export const BREAKER_REQUESTS = 20;
export const BREAKER_WINDOW_MS = 10_000;
/** Off: the ratio says more. */
export const BREAKER_FAILURES = 0;
/** Open for 10 s at first (Traefik), twice as long each time, up to 5 min (APISIX). */
export const BREAKER_OPEN_MS = 10_000;
export const BREAKER_MOST_OPEN_MS = 300_000;
/** Single probes. */
export const BREAKER_PROBES = 1;

/** Endpoints get no PROXY header unless told: one that does not expect it takes it for the start of the protocol and fails. */
export const ENDPOINT_PROXY_PROTOCOL = 'off';

/** Time between two probes of an endpoint; nginx Plus has 5 s, HAProxy 2 s. */
export const HEALTH_INTERVAL_MS = 5_000;

/** A probe must be answered in this time; APISIX has 1 s. */
export const HEALTH_TIMEOUT_MS = 1_000;

/** Each pause between probes differs from the interval by up to this part, so that probes of many endpoints and proxies spread out. */
export const HEALTH_JITTER = 0.1;

/** The method of an HTTP probe. */
export const HEALTH_METHOD = 'GET' as const;

/** Good statuses: 2xx and 3xx, as nginx Plus and Traefik. */
export const HEALTH_STATUSES = '200-399';

/** Endpoints count as healthy until their first probe, as in nginx and Envoy's default: traffic must not wait. */
export const HEALTH_INITIAL = 'healthy' as const;

/** Good probes in a row until an unhealthy endpoint is healthy again; HAProxy's `rise 2`. */
export const HEALTHY_AFTER = 2;

/** Bad probes in a row until an endpoint is unhealthy; HAProxy's `fall 3`: one lost packet is no verdict. */
export const UNHEALTHY_AFTER = 3;

// --- TCP keep-alive, of client connections and of those to endpoints -------------------------------------------------

/**
 * Silence before the first keep-alive probe of the kernel. Keep-alive is on, because a session has no protocol of its own that
 * would notice a vanished peer: 60 s + 6 probes finds one after 2 min, and keeps the entry of NAT routers in between (AWS forgets
 * after 350 s, Azure after 4 min). nginx, HAProxy and Envoy leave it off until told; the kernel's 2 h outlast every router.
 */
export const TCP_KEEP_ALIVE_IDLE_MS = 60_000;

/** Time between two keep-alive probes: longer than a lost packet's second and third sending. The kernel has 75 s, Go 15 s. */
export const TCP_KEEP_ALIVE_INTERVAL_MS = 10_000;

/** Keep-alive probes without an answer until a connection is dead: one minute, which forgives a router's restart. The kernel has 9. */
export const TCP_KEEP_ALIVE_PROBES = 6;

// --- the process -----------------------------------------------------------------------------------------------------

/** How many workers: as many as processors this process may use. More only take turns; fewer leave processors idle. */
export const WORKERS = 'auto';

/** Time that exchanges in flight and sessions have to finish after SIGTERM. 30 s is what Kubernetes waits before it kills. */
export const SHUTDOWN_TIMEOUT_MS = 30_000;

/** Address of the admin API: loopback, because it has no token unless told. */
export const ADMIN_ADDRESS = '127.0.0.1:9900';

/** Least important messages that are logged: one line for each event of a life cycle, none for a request. */
export const LOG_LEVEL = 'info';

/** Changes of the file take effect by themselves, as in Traefik and Caddy's --watch; an invalid file changes nothing. nginx, HAProxy and Envoy wait for a signal. */
export const WATCH = true;
