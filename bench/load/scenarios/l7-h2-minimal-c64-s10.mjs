/** Scenario: many streams over few connections, turned into HTTP/1.1 for the endpoint. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-h2-minimal-c64-s10',
  sets: ['tls'],
  tls: 'ecdsa',
  protocol: 'h2',
  streams: 10,
  summary: '43-byte answers over 64 HTTP/2 connections (TLS 1.3) of 10 streams each',
});
