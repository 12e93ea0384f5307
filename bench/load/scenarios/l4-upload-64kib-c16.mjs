/** Scenario: relaying bulk from client to endpoint. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l4-upload-64kib-c16',
  summary: 'uploads of 64 KiB over 16 kept sessions',
  layer: 'l4',
  sets: ['l4'],
  connections: 16,
  request: { method: 'POST', paths: ['/upload'], bodyBytes: 64 * 1024 },
});
