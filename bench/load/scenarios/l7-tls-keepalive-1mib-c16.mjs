/** Scenario: large bodies that have to be encrypted. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-tls-keepalive-1mib-c16',
  sets: ['tls'],
  tls: 'ecdsa',
  summary: '1 MiB answers over 16 kept connections of TLS 1.3',
  connections: 16,
  request: { paths: ['/1m'] },
});
