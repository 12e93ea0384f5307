/** Scenario: what the relay adds to the waiting time of a single client. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l4-keepalive-minimal-c1',
  summary: 'small requests and answers over one kept session: what a single client waits for',
  layer: 'l4',
  sets: ['l4'],
  connections: 1,
});
