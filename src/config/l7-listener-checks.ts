/** Checks what the settings of one l7 listener mean together: whether its front end has them, and whether its limits fit. */
import { checkAccepting } from './accepting-checks.js';
import type { ListenAddress } from './address.js';
import { REQUEST_HEAD_BYTES, REQUEST_TARGET_BYTES } from './defaults.js';
import type { Findings } from './findings.js';
import { isSection } from './flags.js';
import { type Path, valueText } from './problem.js';
import { frontEndOf, NATIVE_SETTINGS } from './schema/front-end.js';
import { ROUTES_DESCRIPTION } from './schema/l7-listener.js';
import { valueAt } from './schema/walk.js';
import { formatSize, parseSize } from './size.js';

type Section = Readonly<Record<string, unknown>>;

/** Checks the plain values of one listener. Values that the schema refuses are passed over. @param address null: malformed */
export function checkL7Listener(
  listener: Section,
  address: ListenAddress | null,
  path: Path,
  findings: Findings,
): void {
  checkRoutesAreThere(listener, path, findings);
  switch (frontEndOf(listener)) {
    case 'native':
      checkTarget(listener.limits, [...path, 'limits'], findings);
      checkAccepting(listener, address, path, findings);
      return;
    case 'uws':
      checkUws(listener, address, path, findings);
      return;
    case null: // which settings are right cannot be known
      return;
  }
}

/** A listener that redirects every request needs none. */
function checkRoutesAreThere({ routes, redirectToHttps = 'off' }: Section, path: Path, findings: Findings): void {
  if (routes !== undefined || redirectToHttps !== 'off') return;
  findings.report([...path, 'routes'], undefined, 'is missing: it must be a list', ROUTES_DESCRIPTION);
}

function checkUws(listener: Section, address: ListenAddress | null, path: Path, findings: Findings): void {
  const native = findings.hasFile ? 'frontend: native' : '--frontend native';
  if (address?.kind === 'unix') {
    findings.report(
      [...path, 'bind'],
      listener.bind,
      `is ${valueText(listener.bind)}, but the uws front end listens on ports only`,
      `write ${native}, or an address such as 127.0.0.1:8080`,
    );
  }
  for (const [setting, why] of NATIVE_SETTINGS) {
    const value = valueAt(listener, setting);
    if (value === undefined) continue;
    const own = [...path, ...setting];
    findings.report(own, value, `needs the native front end: ${why}`, `write ${native}, or remove it`);
  }
}

/** A request line is part of the head. The default stands in every printed configuration and is cut to the head's size. */
function checkTarget(limits: unknown, path: Path, findings: Findings): void {
  if (!isSection(limits)) return;
  const targetBytes = sizeOf(limits.targetBytes, REQUEST_TARGET_BYTES);
  const headBytes = sizeOf(limits.headBytes, REQUEST_HEAD_BYTES);
  if (targetBytes === null || headBytes === null || targetBytes <= headBytes) return;
  if (targetBytes === REQUEST_TARGET_BYTES) return;
  findings.report(
    [...path, 'targetBytes'],
    limits.targetBytes,
    `is ${formatSize(targetBytes)}, but the whole head may have ${formatSize(headBytes)} (headBytes)`,
    'the request line is part of the head: raise headBytes, or lower this',
  );
}

/** @returns null for a malformed size, which the schema reports */
function sizeOf(value: unknown, defaultBytes: number): number | null {
  if (value === undefined) return defaultBytes;
  const parsed = typeof value === 'string' ? parseSize(value) : null;
  return parsed?.ok === true ? parsed.value : null;
}
