/** Schema of TCP keep-alive: probes of the kernel on a silent connection, for client connections and for those to endpoints. */
import { z } from 'zod';
import { TCP_KEEP_ALIVE_IDLE_MS, TCP_KEEP_ALIVE_INTERVAL_MS, TCP_KEEP_ALIVE_PROBES } from '../defaults.js';
import { duration, section, wholeNumber } from './field.js';

/** Largest TCP_KEEPIDLE and TCP_KEEPINTVL, in seconds, and largest TCP_KEEPCNT (Linux, include/net/tcp.h). */
const KEEP_ALIVE_MAX_MS = 32_767_000;
const PROBES_MAX = 127;

const keepAliveSection = section(
  {
    idle: duration({
      minMs: 1_000,
      maxMs: KEEP_ALIVE_MAX_MS,
      isWholeSeconds: true,
      description: 'Silence before the first probe.',
    }).default(TCP_KEEP_ALIVE_IDLE_MS),
    interval: duration({
      minMs: 1_000,
      maxMs: KEEP_ALIVE_MAX_MS,
      isWholeSeconds: true,
      description: 'Time between two probes.',
    }).default(TCP_KEEP_ALIVE_INTERVAL_MS),
    probes: wholeNumber({
      min: 1,
      max: PROBES_MAX,
      description: 'Probes without an answer after which the connection counts as dead, which ends what it carries.',
    }).default(TCP_KEEP_ALIVE_PROBES),
  },
  'TCP keep-alive: how a connection whose other side vanished is found.',
);

/** `off`, or when the kernel probes. Times in whole seconds, because the kernel takes no finer ones. */
export function keepAlive(rules: { description: string }) {
  return z
    .union([z.literal('off'), keepAliveSection])
    .prefault({})
    .meta(rules);
}

export type KeepAlive = z.output<ReturnType<typeof keepAlive>>;

/** Is it what a section without keys reads as? */
export function isDefaultKeepAlive(keepAlive: KeepAlive): boolean {
  return (
    keepAlive !== 'off' &&
    keepAlive.idle === TCP_KEEP_ALIVE_IDLE_MS &&
    keepAlive.interval === TCP_KEEP_ALIVE_INTERVAL_MS &&
    keepAlive.probes === TCP_KEEP_ALIVE_PROBES
  );
}
