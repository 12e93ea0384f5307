/**
 * Every metric of GET /metrics: name, type, unit, labels and what it means. docs/metrics.md is made from this, and tests hold the
 * exposition, the dashboard and the alert rules to it.
 */

/** Seconds and bytes only; `ratio` is 0 to 1, or above where more is possible. */
export type MetricUnit = 'seconds' | 'bytes' | 'ratio';

/** How a metric is described. */
export interface MetricShape {
  /** `info`: a gauge that is 1 and whose labels are the news. */
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  /** Absent: a plain count. Then the name does not end with it. */
  readonly unit?: MetricUnit;
  readonly labels: readonly string[];
  /** One sentence without a full stop, as HELP and docs/metrics.md have it. */
  readonly help: string;
  /** When it is absent, where that is not plain. */
  readonly when?: string;
}

const ROUTE = ['listener', 'route', 'upstream'] as const;
const ENDPOINT = ['upstream', 'endpoint'] as const;

/** Window of the gauges that are rates or latencies; WINDOW_MS. */
const WINDOW = 'over the last 10 s';

/** By section of docs/metrics.md, in the order of the exposition. Names of counters have the `_total` of their samples. */
export const METRIC_SECTIONS = {
  'Requests and sessions': {
    sluice_requests_total: {
      type: 'counter',
      labels: ['listener', 'class'],
      help: 'Requests that have ended, by the class of the status that went to the client (none: it left before), those that met no route included',
    },
    sluice_request_duration_seconds: {
      type: 'histogram',
      unit: 'seconds',
      labels: ['listener'],
      help: 'Time of answered requests, from the head of the request until the client had everything; without tunnels',
    },
    sluice_request_first_byte_seconds: {
      type: 'histogram',
      unit: 'seconds',
      labels: ['listener'],
      help: 'Time from the head of the request to the head of the answer of an endpoint',
    },
    sluice_sessions_total: {
      type: 'counter',
      labels: ['listener'],
      help: 'Sessions that have ended',
    },
    sluice_session_duration_seconds: {
      type: 'histogram',
      unit: 'seconds',
      labels: ['listener'],
      help: 'How long sessions lasted that have ended',
    },
    sluice_errors_total: {
      type: 'counter',
      labels: ['listener', 'code'],
      help: 'Requests and sessions that ended with an error, by its code (docs/errors.md); those that clients broke off included',
    },
    sluice_from_clients_bytes_total: {
      type: 'counter',
      unit: 'bytes',
      labels: ['listener'],
      help: 'Bytes of request bodies and sessions that came from clients, counted at the end',
    },
    sluice_to_clients_bytes_total: {
      type: 'counter',
      unit: 'bytes',
      labels: ['listener'],
      help: 'Bytes of response bodies and sessions that went to clients, counted at the end',
    },
    sluice_open_connections: {
      type: 'gauge',
      labels: ['worker'],
      help: 'Client connections of l7 listeners that are open',
    },
    sluice_open_requests: { type: 'gauge', labels: ['worker'], help: 'Requests that are under way' },
    sluice_open_sessions: { type: 'gauge', labels: ['worker'], help: 'Sessions that are open' },
  },
  Routes: {
    sluice_route_requests_total: {
      type: 'counter',
      labels: [...ROUTE, 'class'],
      help: 'Requests of a route that have ended, by the class of the status that went to the client (none: it left before)',
    },
    sluice_route_request_duration_seconds: {
      type: 'histogram',
      unit: 'seconds',
      labels: ROUTE,
      help: 'As sluice_request_duration_seconds, of one route',
    },
    sluice_route_request_first_byte_seconds: {
      type: 'histogram',
      unit: 'seconds',
      labels: ROUTE,
      help: 'As sluice_request_first_byte_seconds, of one route',
    },
    sluice_route_errors_total: {
      type: 'counter',
      labels: [...ROUTE, 'code'],
      help: 'As sluice_errors_total, of one route',
    },
  },
  Upstreams: {
    sluice_upstream_info: {
      type: 'info',
      labels: ['upstream', 'balance'],
      help: 'How an upstream picks its endpoints',
    },
    sluice_upstream_requests_total: {
      type: 'counter',
      labels: ['upstream', 'class'],
      help: 'Requests that went to an upstream and have ended, by the class of the status that went to the client (none: it left before)',
    },
    sluice_upstream_sessions_total: {
      type: 'counter',
      labels: ['upstream'],
      help: 'Sessions that went to an upstream and have ended',
    },
    sluice_upstream_errors_total: {
      type: 'counter',
      labels: ['upstream', 'code'],
      help: 'As sluice_errors_total, of what went to one upstream',
    },
    sluice_upstream_retries_total: {
      type: 'counter',
      labels: ['upstream'],
      help: 'Attempts after the first one of their request or session, hedges included',
    },
    sluice_upstream_hedges_total: {
      type: 'counter',
      labels: ['upstream'],
      help: 'Requests with a second attempt beside the first',
    },
    sluice_retries_refused_total: {
      type: 'counter',
      labels: [],
      help: 'Retries and hedges that the budget of an upstream did not allow',
    },
    sluice_upstream_endpoints: {
      type: 'gauge',
      labels: ['upstream', 'condition'],
      help: 'Endpoints of an upstream in each condition that one of them is in',
    },
    sluice_upstream_up_endpoints: {
      type: 'gauge',
      labels: ['upstream'],
      help: 'Endpoints of an upstream that take work: enabled, healthy, resolved, not draining, neither ejected nor broken',
    },
    sluice_upstream_panicking: {
      type: 'gauge',
      labels: ['upstream'],
      help: '1 while too few endpoints are healthy and health is ignored for it, else 0',
    },
    sluice_upstream_panics_total: {
      type: 'counter',
      labels: ['upstream'],
      help: 'How often it came to that',
    },
    sluice_upstream_waiting: {
      type: 'gauge',
      labels: ['upstream'],
      help: 'Requests and sessions that wait for a place at an endpoint',
      when: 'the upstream has a queue',
    },
    sluice_upstream_queue_length: {
      type: 'gauge',
      labels: ['upstream'],
      help: 'Most that may wait',
      when: 'the upstream has a queue',
    },
    sluice_upstream_queue_wait_seconds: {
      type: 'histogram',
      unit: 'seconds',
      labels: ['upstream'],
      help: 'How long those waited that waited in a queue or before a retry, served or not',
    },
    sluice_upstream_coefficient_of_variation: {
      type: 'gauge',
      labels: ['upstream'],
      help: `How unevenly attempts are spread over the endpoints that take work: standard deviation over mean of attempts per weight, ${WINDOW}`,
      when: 'two endpoints take work and there was an attempt',
    },
  },
  Endpoints: {
    sluice_endpoint_attempts_total: {
      type: 'counter',
      labels: ENDPOINT,
      help: 'Attempts of requests and sessions',
    },
    sluice_endpoint_failures_total: {
      type: 'counter',
      labels: [...ENDPOINT, 'code'],
      help: 'Attempts that failed, by the code of their error; most were tried again elsewhere',
    },
    sluice_endpoint_retries_total: {
      type: 'counter',
      labels: ENDPOINT,
      help: 'Attempts that were not the first one of their request or session',
    },
    sluice_endpoint_responses_total: {
      type: 'counter',
      labels: [...ENDPOINT, 'class'],
      help: 'Answers to attempts, by the class of their status, those that were tried again included',
    },
    sluice_endpoint_connects_total: {
      type: 'counter',
      labels: ENDPOINT,
      help: 'Connections that were opened for requests and sessions',
    },
    sluice_endpoint_reuses_total: {
      type: 'counter',
      labels: ENDPOINT,
      help: 'Answers over a connection that was there already',
    },
    sluice_endpoint_from_clients_bytes_total: {
      type: 'counter',
      unit: 'bytes',
      labels: ENDPOINT,
      help: 'Bytes from clients of what was served there, counted at the end',
    },
    sluice_endpoint_to_clients_bytes_total: {
      type: 'counter',
      unit: 'bytes',
      labels: ENDPOINT,
      help: 'Bytes to clients of what was served there, counted at the end',
    },
    sluice_endpoint_ejections_total: {
      type: 'counter',
      labels: ENDPOINT,
      help: 'How often it was left alone for what it did to traffic',
      when: 'the upstream has outlier detection',
    },
    sluice_endpoint_ejections_suppressed_total: {
      type: 'counter',
      labels: ENDPOINT,
      help: 'Ejections that were not made, because too many endpoints would have been out',
      when: 'the upstream has outlier detection',
    },
    sluice_endpoint_breaker_openings_total: {
      type: 'counter',
      labels: ENDPOINT,
      help: 'How often its breaker has opened',
      when: 'the upstream has a breaker',
    },
    sluice_endpoint_first_byte_seconds: {
      type: 'histogram',
      unit: 'seconds',
      labels: ENDPOINT,
      help: 'Time of attempts from their begin to the head of the answer',
      when: 'it is one of the first 1,000 endpoints',
    },
    sluice_endpoint_connect_seconds: {
      type: 'histogram',
      unit: 'seconds',
      labels: ENDPOINT,
      help: 'Time to open a connection',
      when: 'it is one of the first 1,000 endpoints',
    },
    sluice_endpoint_up: {
      type: 'gauge',
      labels: ENDPOINT,
      help: '1 while it takes work: enabled, healthy, resolved, not draining, neither ejected nor broken; else 0',
    },
    sluice_endpoint_healthy: {
      type: 'gauge',
      labels: ENDPOINT,
      help: '1 while health check and agent find it healthy, else 0',
    },
    sluice_endpoint_condition: {
      type: 'gauge',
      labels: [...ENDPOINT, 'condition'],
      help: '1 for the one condition that it is in: disabled, drained, draining, unresolved, unknown, unhealthy, ejected, broken, on-trial, warming-up or healthy',
    },
    sluice_endpoint_breaker_state: {
      type: 'gauge',
      labels: ENDPOINT,
      help: 'Its breaker: 0 closed, 1 half-open, 2 open',
      when: 'the upstream has a breaker',
    },
    sluice_endpoint_weight: {
      type: 'gauge',
      labels: ENDPOINT,
      help: 'Its weight as it counts now: slow start and moving weights are in it',
    },
    sluice_endpoint_in_flight: {
      type: 'gauge',
      labels: ENDPOINT,
      help: 'Requests and sessions that are open there, over all workers',
    },
    sluice_endpoint_cap: {
      type: 'gauge',
      labels: ENDPOINT,
      help: 'Most that may be in flight, as it counts now',
      when: 'it has a cap',
    },
    sluice_endpoint_pool_use_ratio: {
      type: 'gauge',
      unit: 'ratio',
      labels: ENDPOINT,
      help: 'In flight over cap',
      when: 'it has a cap',
    },
    sluice_endpoint_attempts_per_second: { type: 'gauge', labels: ENDPOINT, help: `Attempts a second ${WINDOW}` },
    sluice_endpoint_error_ratio: {
      type: 'gauge',
      unit: 'ratio',
      labels: ENDPOINT,
      help: `Share of its attempts that failed or were answered 5xx, ${WINDOW}`,
      when: 'there was an attempt',
    },
    sluice_endpoint_share_ratio: {
      type: 'gauge',
      unit: 'ratio',
      labels: ENDPOINT,
      help: `Its share of the attempts of its upstream, ${WINDOW}`,
      when: 'there was an attempt',
    },
    sluice_endpoint_latency_seconds: {
      type: 'gauge',
      unit: 'seconds',
      labels: [...ENDPOINT, 'percentile'],
      help: `Time to the first byte of its answers that so many percent (50, 95, 99) did not exceed, ${WINDOW}; within 2 %`,
      when: 'it is one of the first 1,000 endpoints, and there was an answer',
    },
    sluice_endpoints_without_histograms: {
      type: 'gauge',
      labels: [],
      help: 'Endpoints beyond the first 1,000 of the configuration, which have neither histograms nor latencies here',
    },
  },
  Workers: {
    sluice_worker_up: { type: 'gauge', labels: ['worker'], help: '1 while the worker serves, else 0' },
    sluice_worker_restarts_total: {
      type: 'counter',
      labels: ['worker'],
      help: 'Threads that were started in place of one that had ended unasked',
    },
    sluice_upstream_connections: {
      type: 'gauge',
      labels: ['worker'],
      help: 'Connections to endpoints that are open, idle ones included; without those of sessions',
    },
    sluice_thread_busy_ratio: {
      type: 'gauge',
      unit: 'ratio',
      labels: ['thread'],
      help: 'Share of its time that the event loop of a thread (primary, worker-0 and so on) was busy in the last second',
    },
    sluice_thread_heap_bytes: {
      type: 'gauge',
      unit: 'bytes',
      labels: ['thread'],
      help: 'JavaScript heap of a thread that is in use',
    },
  },
  Process: {
    sluice_build_info: {
      type: 'info',
      labels: ['version', 'node'],
      help: 'Versions of sluice and of Node.js',
    },
    sluice_ready: {
      type: 'gauge',
      labels: [],
      help: '1 while /readyz answers 200: workers serve and it does not drain; else 0',
    },
    sluice_readiness: {
      type: 'gauge',
      labels: ['readiness'],
      help: '1 for where the process is: starting, ready, degraded (some workers are being restarted) or draining',
    },
    process_start_time_seconds: {
      type: 'gauge',
      unit: 'seconds',
      labels: [],
      help: 'When the process started, in seconds since 1970',
    },
    process_cpu_seconds_total: {
      type: 'counter',
      unit: 'seconds',
      labels: [],
      help: 'Processor time of all threads, user and system',
    },
    process_resident_memory_bytes: { type: 'gauge', unit: 'bytes', labels: [], help: 'Resident memory' },
    process_open_fds: { type: 'gauge', labels: [], help: 'Open file descriptors' },
    process_max_fds: { type: 'gauge', labels: [], help: 'Most file descriptors that may be open' },
  },
  'Configuration, log and timeline': {
    sluice_config_epoch: { type: 'gauge', labels: [], help: 'Number of the plan that counts, from 1' },
    sluice_config_reloads_total: {
      type: 'counter',
      labels: ['result'],
      help: 'Reloads by result: reloaded, unchanged or failed',
    },
    sluice_config_last_reload_successful: {
      type: 'gauge',
      labels: [],
      help: '0 when the last reload failed, else 1; 1 before the first',
    },
    sluice_config_last_reload_success_timestamp_seconds: {
      type: 'gauge',
      unit: 'seconds',
      labels: [],
      help: 'When the configuration was last read with success, in seconds since 1970',
    },
    sluice_access_log_dropped_lines_total: {
      type: 'counter',
      labels: [],
      help: 'Lines of the access log that came faster than they could be written',
    },
    sluice_log_dropped_lines_total: {
      type: 'counter',
      labels: [],
      help: 'Lines of the log that its reader was too slow for',
    },
    sluice_events_total: {
      type: 'counter',
      labels: ['event'],
      help: 'Events of the timeline, by their name in the log (docs/operations.md)',
    },
    sluice_timeline_entries_total: {
      type: 'counter',
      labels: [],
      help: 'Entries of the timeline; events in a burst are one',
    },
    sluice_latencies_missed_total: {
      type: 'counter',
      labels: [],
      help: 'Latencies that are in no histogram, because the memory for them was full',
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, MetricShape>>>>;

type Sections = typeof METRIC_SECTIONS;
type NamesOf<Section> = Section extends unknown ? keyof Section : never;

/** Name of a metric; of a counter with its `_total`. */
export type MetricName = NamesOf<Sections[keyof Sections]> & string;

/** All metrics by name. */
export const METRICS = Object.assign({}, ...Object.values(METRIC_SECTIONS)) as Readonly<
  Record<MetricName, MetricShape>
>; // the same entries

/** Upper bounds in seconds of all histograms; those of LATENCY_BOUNDS_MS are among them. Sessions last longer: they have their own. */
export const DURATION_BOUNDS_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] as const;
export const SESSION_BOUNDS_S = [0.01, 0.1, 1, 10, 60, 600, 3_600] as const;
