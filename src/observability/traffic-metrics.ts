/** Catalogue of metrics: traffic, and the upstreams and endpoints that it goes to. */
import type { MetricSections } from './metric-shape.js';

const ROUTE = ['listener', 'route', 'upstream'] as const;
const ENDPOINT = ['upstream', 'endpoint'] as const;

/** Window of the gauges that are rates or latencies; WINDOW_MS. */
const WINDOW = 'over the last 10 s';

/** As METRIC_SECTIONS. */
export const TRAFFIC_METRICS = {
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
      help: 'Bytes of requests and sessions that came from clients, counted at the end; with front end uws of bodies only',
    },
    sluice_to_clients_bytes_total: {
      type: 'counter',
      unit: 'bytes',
      labels: ['listener'],
      help: 'Bytes of answers and sessions that went to clients, counted at the end; with front end uws of bodies only',
    },
    sluice_tls_handshakes_total: {
      type: 'counter',
      labels: ['listener', 'version', 'resumed'],
      help: 'TLS handshakes with clients that succeeded, by version (TLSv1.2, TLSv1.3) and whether they took a session up again (yes, no); not of front end uws',
      when: 'the listener has TLS and is not of front end uws',
    },
    sluice_tls_handshake_failures_total: {
      type: 'counter',
      labels: ['listener', 'reason'],
      help: 'TLS handshakes with clients that failed, by what went wrong (peer-left, not-tls, version, cipher, no-certificate, bad-certificate, alert, alpn, other, timeout, limit); not of front end uws',
      when: 'the listener has TLS and is not of front end uws',
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
    sluice_grpc_responses_total: {
      type: 'counter',
      labels: [...ENDPOINT, 'status'],
      help: 'Answers of gRPC to requests with `te: trailers`, by their grpc-status (other: none, or an unknown one), with the native front end',
      when: 'a call has ended so',
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
} as const satisfies MetricSections;
