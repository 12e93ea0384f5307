/** Scenario: what relaying one small message each way costs. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l4-keepalive-minimal-c64',
  summary: 'small requests and answers over 64 kept sessions',
  layer: 'l4',
  sets: ['quick', 'l4'],
});
