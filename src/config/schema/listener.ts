/** Schema of a listener of either mode; its `mode` says which of the two reads it. */
import { z } from 'zod';
import { l4ListenerSchema, l4RoutesOf } from './l4-listener.js';
import { l7ListenerSchema } from './l7-listener.js';

/** A bound address with its settings. */
export const listenerSchema = z.union([l7ListenerSchema, l4ListenerSchema]);

export type Listener = z.output<typeof listenerSchema>;

/** The routes of a listener of either mode. Pure. */
export function routesOf(listener: Listener): readonly { readonly upstream: string }[] {
  return listener.mode === 'l4' ? l4RoutesOf(listener) : listener.routes;
}
