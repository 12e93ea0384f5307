/** Scenario: small bodies, as an API answers. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-keepalive-1kib-c64',
  summary: '1 KiB answers over 64 kept connections',
  request: { paths: ['/1k'] },
});
