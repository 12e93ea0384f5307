/** Catalogue of metrics: workers, the process, its configuration and its logs. */
import type { MetricSections } from './metric-shape.js';

/** Of listeners of the native front end. */
const MAY_HAVE_HTTP2 = 'clients of the listener may speak HTTP/2';

/** As METRIC_SECTIONS. */
export const PROCESS_METRICS = {
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
  Certificates: {
    sluice_certificate_expiry_seconds: {
      type: 'gauge',
      unit: 'seconds',
      labels: ['listener', 'upstream', 'name', 'serial'],
      help: 'When a certificate ends, in seconds since 1970, by the first of its names and its serial number; of more than 500, those that end first',
      when: 'a listener or an upstream has a certificate',
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
  'HTTP/2 with clients': {
    sluice_http2_connections: { type: 'gauge', labels: [], help: 'Client connections that speak HTTP/2' },
    sluice_http2_streams_total: {
      type: 'counter',
      labels: ['listener'],
      help: 'Requests that came over HTTP/2',
      when: MAY_HAVE_HTTP2,
    },
    sluice_http2_refused_streams_total: {
      type: 'counter',
      labels: ['listener'],
      help: 'Streams that were refused (REFUSED_STREAM), most of them for being more than `http2.streams` at the same time',
      when: MAY_HAVE_HTTP2,
    },
    sluice_http2_errors_total: {
      type: 'counter',
      labels: ['listener'],
      help: 'Client connections that were ended because the client broke a rule of HTTP/2, or did not acknowledge SETTINGS in time',
      when: MAY_HAVE_HTTP2,
    },
    sluice_http2_floods_total: {
      type: 'counter',
      labels: ['listener', 'kind'],
      help: 'Client connections that were ended for too much of one kind: resets, continuations, settings, pings, priorities, window-updates, empty-data, or headers (blocks that unpack to far more than a head may have)',
      when: MAY_HAVE_HTTP2,
    },
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
} as const satisfies MetricSections;
