/** Reads what a PUT to an endpoint asks for: JSON, checked strictly, with every problem told. */
import { z } from 'zod';
import { MOST_WEIGHT } from '../../board/endpoint-control.js';
import { parseDuration } from '../../config/duration.js';
import { nearestName } from '../../config/nearest-name.js';
import type { EndpointChange } from '../endpoint-operator.js';

/** Longest drain: who waits longer forgets what for. */
const MOST_DRAIN_MS = 24 * 3_600_000;

const KEYS = ['state', 'weight', 'drainTimeout'];
const STATES = ['enabled', 'draining', 'disabled'] as const;

const drainTimeout = z.string().transform((text, context): number => {
  const parsed = parseDuration(text);
  if (parsed.ok && parsed.value > 0 && parsed.value <= MOST_DRAIN_MS) return parsed.value;
  context.addIssue({ code: 'custom' });
  return z.NEVER;
});

/** The body of a PUT. */
export const changeSchema = z.strictObject({
  state: z.enum(STATES).optional(),
  weight: z.int().min(0).max(MOST_WEIGHT).optional(),
  drainTimeout: drainTimeout.nullable().optional(),
});

/** What each key has to be, for people. */
const EXPECTED: Readonly<Record<string, string>> = {
  state: 'state must be "enabled", "draining" or "disabled"',
  weight: `weight must be a whole number from 0 to ${MOST_WEIGHT}`,
  drainTimeout: 'drainTimeout must be a duration from "1ms" to "24h", such as "30s", or null to wait for ever',
};

/** What was asked for, or what is wrong with it. */
export type ReadChange =
  | { readonly ok: true; readonly change: EndpointChange }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads the body of a PUT. Pure. */
export function readEndpointChange(text: string): ReadChange {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { ok: false, problems: [`the body is not valid JSON; an example is ${EXAMPLE}`] };
  }
  const read = changeSchema.safeParse(body);
  if (!read.success) return { ok: false, problems: [...new Set(read.error.issues.flatMap(problemsOf))] };
  const { state, weight, drainTimeout: drainTimeoutMs } = read.data;
  if (state === undefined && weight === undefined && drainTimeoutMs === undefined) {
    return { ok: false, problems: [`the body asks for nothing; an example is ${EXAMPLE}`] };
  }
  if (state !== undefined && state !== 'draining' && drainTimeoutMs !== undefined) {
    return { ok: false, problems: [`drainTimeout needs "state": "draining", not "${state}"`] };
  }
  return {
    ok: true,
    change: {
      ...(state === undefined ? {} : { state }),
      ...(weight === undefined ? {} : { weight }),
      ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
    },
  };
}

/** An example of a body. */
export const CHANGE_EXAMPLE = { state: 'draining', drainTimeout: '30s' };
const EXAMPLE = JSON.stringify(CHANGE_EXAMPLE);

function problemsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map(unknownKey);
  const [key] = issue.path;
  return [EXPECTED[String(key)] ?? `the body must be an object, such as ${EXAMPLE}`];
}

function unknownKey(key: string): string {
  const meant = nearestName(key, KEYS);
  return `${JSON.stringify(key)} is not known: ${meant === null ? `the keys are ${KEYS.join(', ')}` : `did you mean "${meant}"?`}`;
}
