/** Scenario: bodies from client to endpoint. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-upload-64kib-c16',
  summary: 'uploads of 64 KiB over 16 kept connections',
  connections: 16,
  request: { method: 'POST', paths: ['/upload'], bodyBytes: 64 * 1024 },
});
