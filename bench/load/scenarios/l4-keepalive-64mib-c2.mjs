/** Scenario: relaying bulk in one direction, without an end in sight. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l4-keepalive-64mib-c2',
  summary: '64 MiB answers over 2 kept sessions',
  layer: 'l4',
  sets: ['l4'],
  connections: 2,
  request: { paths: ['/64m'] },
});
