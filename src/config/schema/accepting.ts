/** Schema of how a listener accepts, which l4 listeners and the native front end share: its socket, the PROXY header, limits of clients. */
import { z } from 'zod';
import {
  DEFER_ACCEPT_MS,
  LISTENER_SESSIONS,
  PREFACE_TIMEOUT_MS,
  PROXY_PROTOCOL,
  SESSIONS_PER_CLIENT,
  SOCKET_MODE,
} from '../defaults.js';
import { LISTENER_ACCESS_LOG } from '../observing-defaults.js';
import { duration, fact, fileMode, section, wholeNumber } from './field.js';

const UNLIMITED = { text: 'unlimited', value: 0 } as const;

/** Permissions of a UNIX socket's file. */
export function socketMode() {
  return fileMode({
    description: 'Permissions of the file of a UNIX socket; to connect takes the permission to write.',
  }).default(SOCKET_MODE);
}

/** TCP_DEFER_ACCEPT. @param caution whom it is not for; begins with a blank, or is empty */
export function deferAccept(caution: string) {
  return duration({
    minMs: 1_000,
    maxMs: 60_000,
    off: true,
    isWholeSeconds: true,
    description: `A connection is accepted when the client has sent something, at the latest after this (TCP_DEFER_ACCEPT).${caution}`,
  }).default(DEFER_ACCEPT_MS);
}

/** Whether connections begin with a PROXY header. */
export function proxyProtocol() {
  return fact({
    description:
      "Every connection begins with a PROXY header, version 1 or 2; one without is closed. The client's address in it is believed where the peer is in `trustedProxies`, or came over a UNIX socket.",
  }).default(PROXY_PROTOCOL);
}

/** Whether what comes in there stands in the access log. */
export function listenerAccessLog() {
  return fact({
    description: 'What comes in here stands in the access log, where there is one.',
  }).default(LISTENER_ACCESS_LOG);
}

/** Deadline of what stands before a connection's own protocol. @param description what that is */
export function prefaceTimeout(description: string) {
  return duration({ minMs: 100, maxMs: 60_000, description }).default(PREFACE_TIMEOUT_MS);
}

/** The limits of clients. @param things what is counted: 'sessions', 'connections' */
export function clientLimits(things: string) {
  return {
    most: wholeNumber({
      min: 1,
      max: 10_000_000,
      word: UNLIMITED,
      description: `Most ${things} of this listener at the same time.`,
    }).default(LISTENER_SESSIONS),
    perClient: wholeNumber({
      min: 1,
      max: 1_000_000,
      word: UNLIMITED,
      description: `Most ${things} of one client address at the same time.`,
    }).default(SESSIONS_PER_CLIENT),
    newPerClient: z
      .union([
        z.literal(UNLIMITED.text),
        z.codec(rateSchema(things), z.custom<{ perSecond: number; burst: number }>(), {
          decode: ({ perSecond, burst }) => ({ perSecond, burst: burst ?? perSecond }),
          encode: (rate) => rate,
        }),
      ])
      .default(UNLIMITED.text)
      .meta({ description: `Most new ${things} of one client address in a time.` }),
  };
}

function rateSchema(things: string) {
  return section(
    {
      perSecond: wholeNumber({ min: 1, max: 100_000, description: `New ${things} a second, in the long run.` }),
      burst: wholeNumber({
        min: 1,
        max: 1_000_000,
        description: `New ${things} at once, after a quiet time. Without it: as many as \`perSecond\`.`,
      }).optional(),
    },
    `New ${things} of one client address.`,
  );
}
