/** Every event of the log, by its stable name: what people may filter and alert on. docs/operations.md explains them. */

/** What each event means. Names are part of the interface: they are not changed, only added. */
export const LOG_EVENTS = {
  // --- the process ---
  'config-warning': 'the configuration is accepted, but something in it may not do what its author expects',
  'node-lacks': 'this Node does not export what TLS or HTTP/2 needs; a configuration that has it is refused',
  'file-limit-low': 'the limit of open files is below what the configuration may need',
  'start-failed': 'sluice could not start, or could not go on; `code` says why; the process exits',
  listening:
    'a listener accepts on `host` and `port`, or `path`; one for each listener, once all workers accept, and again when a reload brings it or moves it',
  'admin-listening': 'the admin API answers on `host` and `port`',
  ready: 'all workers accept',
  signal: 'a signal to stop has come',
  'reload-begun': 'the configuration is read again, `by` file, signal or api',
  reloaded:
    'the configuration of `epoch` counts now; so many listeners, upstreams and endpoints are new, changed or gone; `needsRestart` names settings that take effect with the next start only',
  'reload-unchanged': 'the configuration was read again and says what it said before',
  'reload-failed': 'the configuration was read again and cannot be used, for `problems`; everything goes on as it was',
  'plan-late': 'some workers have not answered yet that they go by the configuration of `epoch`; they follow',
  'plan-incomplete': 'a worker cannot do all that the new configuration says, for `code`; the rest counts',
  'file-reopened': 'a log file has been opened anew, by SIGUSR1',
  'access-log-failed': 'the access log cannot be written, for `reason`; said once until it can',
  'access-log-dropped':
    'that many `lines` of the access log are missing, because they came faster than they could be written; at most once in 10 s',
  'tracing-failed': 'spans cannot be exported, for `reason`; so many are `lost`; at most once in a minute',
  'shutdown-timeout': 'the shutdown timeout is over; so many `exchanges` and `sessions` were cut',
  ended: 'the last line of the log, with the exit code',
  'log-lines-dropped': 'the reader of the log is too slow; that many `lines` are missing',
  'primary-crashed': 'a bug in the primary, with its stack; the process exits',
  'primary-blocked': "the primary's event loop stood still for `blockedMs`; traffic went on",
  // --- TLS ---
  'certificates-loaded':
    'new handshakes of a listener use other certificates now; `names` and the first `endsAt` of them',
  'certificates-failed': 'changed certificates cannot be used, for `reason`; the former ones stay',
  'certificate-expiring': 'a certificate ends at `endsAt`, in so many `days`; said once a day from 30 days before on',
  'certificate-expired': 'a certificate has ended at `endsAt`; clients refuse it',
  'ticket-keys-failed': 'the file of ticket keys cannot be used, for `reason`; the former keys stay',
  'acme-ordered': 'a certificate for `names` is asked for at `directory`, by ACME',
  'acme-obtained': 'a certificate for `names` has come by ACME; it ends at `endsAt`',
  'acme-failed': 'no certificate came by ACME, for `reason`; tried again after `pauseMs`',
  'tls-handshake-failed': 'a handshake with a client failed, for `reason`; seen at level `debug`',
  // --- workers ---
  'worker-error': 'a worker had an uncaught error, with its stack, or could not start again',
  'worker-exited': 'the thread of a worker has ended unasked; it is restarted after `pauseMs`',
  'worker-restarting': 'a worker is being started again',
  'worker-serving': 'a worker that was started again accepts',
  'worker-crash-loop': 'a worker crashes again and again right after its start; the others serve on',
  'worker-stuck':
    'the event loop of a worker has not turned for `silentMs`; said after 5 s, and when the worker is ended for it',
  'worker-unstuck': 'it turns again',
  // --- endpoints ---
  'hash-table-built': 'keys of an upstream are looked up in a new table; seen at level `debug`',
  'hash-table-failed':
    'the table of an upstream that hashes could not be built, for `reason`; what was there serves on; tried again after `pauseMs`',
  'endpoint-healthy': 'an endpoint passes its health check again, or its first one',
  'endpoint-unhealthy': 'an endpoint fails its health check, for `reason`',
  panic:
    'too few endpoints of an upstream, or of its `subset`, are healthy to carry everything: unhealthy ones are picked as well',
  'panic-over': 'enough are healthy again, or a backup is: only healthy ones are picked',
  'endpoint-ejected':
    'an endpoint is left alone for `ejectionMs` for what it did to traffic, by `reason`; its `ejections` so far lengthen that',
  'ejection-suppressed':
    'an endpoint should be ejected, by `reason`, but as many are as may be, or it is the only one left; at most once in 10 s for each',
  'endpoint-on-trial':
    'the time of an ejection is over: so many requests at a time find out whether the endpoint works',
  'endpoint-returned': 'a trial succeeded: the endpoint takes its share again',
  'breaker-opened': 'the circuit of an endpoint or a route is open for `openMs`, by `reason`: nothing is sent there',
  'breaker-half-open': 'the time is over: probes are sent',
  'breaker-closed': 'the probes succeeded: everything is sent again',
  'concurrency-limited':
    'the adaptive cap of an endpoint is `cap` now; at most once in 10 s for each upstream; seen at level `debug`',
  'endpoint-draining': 'an endpoint gets no new work; so much of it is `inFlight`',
  'endpoint-drained': 'nothing is in flight on it any more',
  'drain-timeout': 'its time to finish is over; what is still `inFlight` is cut',
  'endpoint-enabled': 'an endpoint takes work again, by the operator',
  'endpoint-disabled': 'an endpoint takes none, by the operator',
  'endpoint-weight': 'an endpoint has another `weight`, by the operator',
  'retry-budget-spent':
    'retries and hedges of an upstream have used up their budget; failures are passed on; at most once in 10 s',
  'name-unresolved': 'a host name of endpoints cannot be resolved, for `reason`; said once until it can',
  'name-resolved': 'it can be resolved',
  'addresses-changed': 'the host name of an endpoint has other addresses than before',
  'slow-start-begun': 'an endpoint joins or takes work again; its weight and cap grow over `windowMs`',
  'slow-start-ended': 'its weight and cap count in full again',
  'weights-moved':
    'weights move by the rule `by`; `weights` are those that count now; at most once in 10 s for each upstream',
  'agent-said': 'the agent of an endpoint takes it out or brings it back, by its `words`',
  'agent-silent': 'the agent of an endpoint does not answer, for `reason`; said once until it does',
  'agent-not-understood':
    'the agent of an endpoint gives an answer that is not understood, for `reason`; said once until it is',
  'agent-answers': 'the agent of an endpoint answers again',
  // --- traffic ---
  'attempt-failed':
    'one attempt on an endpoint failed, for `code`; the exchange or session may have gone on with another one',
  'exchange-failed': 'an exchange ended with the error `code`',
  'session-failed': 'a session ended with the error `code`',
  'connection-failed': 'a client connection of an l7 listener was closed before its first request, for `code`',
  'accepting-paused': 'file descriptors or memory have run out: new connections wait for now',
  'accepting-resumed': 'new connections are accepted again',
} as const;

/** Name of an event. */
export type LogEvent = keyof typeof LOG_EVENTS;
