/** Scenario: many busy connections, which is where waiting for events pays off or does not. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-keepalive-minimal-c512',
  summary: '43-byte answers over 512 kept connections',
  connections: 512,
});
