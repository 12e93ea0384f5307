/** Scenario: answers of very different size on the same connections, as sites have them. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-mixed-sizes-c64',
  summary: 'answers of 43 bytes, 1 KiB, 16 KiB and 1 MiB in turn over 64 kept connections',
  request: { paths: ['/', '/1k', '/', '/16k', '/', '/1k', '/', '/', '/1k', '/1m'] },
});
