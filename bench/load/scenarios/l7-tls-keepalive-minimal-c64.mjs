/** Scenario: what a record around each message adds to the least request. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-tls-keepalive-minimal-c64',
  sets: ['tls'],
  tls: 'ecdsa',
  summary: '43-byte answers to minimal heads over 64 kept connections of TLS 1.3',
});
