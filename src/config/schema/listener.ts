/** Schema of a listener of either mode; its `mode` says which of the two reads it. */
import { z } from 'zod';
import { l4ListenerSchema, l4RoutesOf } from './l4-listener.js';
import { l7ListenerSchema } from './l7-listener.js';
import { type Mode, modeOf } from './mode.js';
import { sectionChoices } from './walk.js';

/** The schema of each mode. */
export const LISTENER_SCHEMAS = { l7: l7ListenerSchema, l4: l4ListenerSchema } as const satisfies Record<
  Mode,
  z.ZodObject
>;

/** A bound address with its settings. */
export const listenerSchema = z
  .union([LISTENER_SCHEMAS.l7, LISTENER_SCHEMAS.l4])
  .meta({ description: 'A listener: a bound address with its settings. `mode` says which ones it has.' });

sectionChoices.set(listenerSchema, (value) => {
  const mode = modeOf(value);
  return mode === null ? null : LISTENER_SCHEMAS[mode];
});

export type Listener = z.output<typeof listenerSchema>;

/** Names of the upstreams that the routes of a listener of either mode lead to. Pure. */
export function upstreamsOf(listener: Listener): readonly string[] {
  if (listener.mode === 'l4') return l4RoutesOf(listener).map(({ upstream }) => upstream);
  return (listener.routes ?? []).flatMap(({ upstream, split = [], fallback }) => [
    ...(upstream === undefined ? [] : [upstream]),
    ...split.map((target) => target.upstream),
    ...(fallback === 'off' || fallback.upstream === undefined ? [] : [fallback.upstream]),
  ]);
}
