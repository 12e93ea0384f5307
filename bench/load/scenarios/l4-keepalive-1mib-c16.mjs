/** Scenario: relaying bulk in one direction, in parts that fit the caches of a processor. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l4-keepalive-1mib-c16',
  summary: '1 MiB answers over 16 kept sessions',
  layer: 'l4',
  sets: ['l4'],
  connections: 16,
  request: { paths: ['/1m'] },
});
