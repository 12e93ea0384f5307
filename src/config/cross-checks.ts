/** Checks what no single value shows: names and addresses that are taken twice, references to nothing, upstreams that cannot serve. */
import { endpointIdentity, isLoopback, parseEndpointAddress } from './address.js';
import { checkCertificateKeys } from './certificate-key-checks.js';
import { Findings, listOf } from './findings.js';
import { isSection } from './flags.js';
import { checkHealthCheck } from './health-check-checks.js';
import { adminBind, bindAddressOf, checkListeners } from './listener-checks.js';
import type { Locator } from './locator.js';
import { checkPicking } from './picking-checks.js';
import { type Path, type Problem, valueText } from './problem.js';
import { checkQueues, checkResilience } from './resilience-checks.js';
import { NAME_FORM } from './schema/name.js';
import { valueAt } from './schema/walk.js';
import { checkUpstreamTls } from './tls-checks.js';

/**
 * Most endpoints of one configuration: the board's tables have a fixed number of slots, and endpoints that left keep theirs
 * until their last exchange has ended.
 */
export const ENDPOINTS_MAX = 1024;

/** Most listeners of one configuration: each has a record on the board and a socket in every worker. */
export const LISTENERS_MAX = 1024;

/**
 * Checks the merged plain values, whether or not the schema accepts them: values that it refuses are skipped here, so that
 * each problem is reported once and all of them together. Never throws. Pure.
 */
export function crossCheck(values: unknown, locator: Locator): Problem[] {
  if (!isSection(values)) return [];
  const findings = new Findings(locator);
  const upstreams = isSection(values.upstreams) ? values.upstreams : null;
  const listeners = listOf(values.listeners);
  if (listeners.length > LISTENERS_MAX) {
    const sentence = `holds ${listeners.length} listeners, but this version takes at most ${LISTENERS_MAX}`;
    findings.report(['listeners'], listeners, sentence, null);
  }
  checkListeners(listeners, values.admin, upstreams, findings);
  checkCertificateKeys(listeners, upstreams, findings);
  checkAdmin(values.admin, findings);
  if (upstreams !== null) checkUpstreams(upstreams, values.zone, findings);
  return findings.problems;
}

function checkAdmin(admin: unknown, findings: Findings): void {
  const address = admin === 'off' ? null : bindAddressOf(adminBind(admin));
  if (address === null || isLoopback(address.host) || valueAt(admin, ['token']) !== undefined) return;
  findings.report(
    ['admin', 'bind'],
    adminBind(admin),
    `is ${valueText(adminBind(admin))}, where strangers may reach it, but there is no admin.token`,
    `add a token (openssl rand -hex 32), or listen on 127.0.0.1:${address.port}`,
  );
}

function checkUpstreams(upstreams: Readonly<Record<string, unknown>>, zone: unknown, findings: Findings): void {
  const names = Object.keys(upstreams);
  if (names.length === 0 && findings.hasFile) {
    findings.report(
      ['upstreams'],
      upstreams,
      'is empty, but must hold at least one upstream',
      'e.g. api: { endpoints: [ { address: "127.0.0.1:9001" } ] }',
    );
  }
  let total = 0;
  for (const [name, upstream] of Object.entries(upstreams)) {
    const path = ['upstreams', name];
    // zod passes this one key over; every other malformed name is its finding.
    if (name === '__proto__') findings.report(path, null, `is not a possible name: it must be ${NAME_FORM}`, null);
    if (!isSection(upstream)) continue;
    const endpoints = listOf(upstream.endpoints);
    total += endpoints.length;
    checkEndpoints(endpoints, [...path, 'endpoints'], findings);
    checkPicking(upstream, zone, path, findings);
    checkResilience(upstream, path, findings);
    checkUpstreamTls(upstream.tls, [...path, 'tls'], findings);
    if (isSection(upstream.healthCheck)) checkHealthCheck(upstream.healthCheck, [...path, 'healthCheck'], findings);
  }
  checkQueues(upstreams, findings);
  if (total > ENDPOINTS_MAX) {
    findings.report(
      ['upstreams'],
      upstreams,
      `holds ${total} endpoints over all upstreams, but this version takes at most ${ENDPOINTS_MAX}`,
      null,
    );
  }
}

function checkEndpoints(endpoints: readonly unknown[], path: Path, findings: Findings): void {
  const identities = new Map<string, Path>();
  for (const [index, endpoint] of endpoints.entries()) {
    const address =
      isSection(endpoint) && typeof endpoint.address === 'string' ? parseEndpointAddress(endpoint.address) : null;
    if (address?.ok !== true) continue;
    findings.claim(
      identities,
      endpointIdentity(address.value),
      [...path, index, 'address'],
      'is the address of another endpoint of this upstream',
      'give an endpoint more traffic with weight, not by naming it twice',
    );
  }
  const sections = endpoints.filter(isSection);
  if (sections.length === 0 || sections.length < endpoints.length) return;
  if (sections.every((endpoint) => endpoint.backup === true)) {
    findings.report(
      path,
      endpoints,
      'holds backups only',
      'a backup stands in for endpoints that are not: take backup from at least one',
    );
  } else if (
    sections.every((endpoint) => endpoint.weight === 0 || endpoint.backup === true) &&
    sections.some((endpoint) => endpoint.weight === 0)
  ) {
    findings.report(
      path,
      endpoints,
      'holds no endpoint with a weight above 0, backups aside',
      'an endpoint of weight 0 is never picked: give at least one a weight',
    );
  }
}
