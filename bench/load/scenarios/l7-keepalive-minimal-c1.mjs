/** Scenario: what the proxy adds to the waiting time of a single client. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-keepalive-minimal-c1',
  summary: '43-byte answers over one kept connection: what a single client waits for',
  connections: 1,
});
