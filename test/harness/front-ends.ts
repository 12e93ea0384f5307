/** The front ends of mode l7 that tests on the wire run against. */
import type { FrontEndName } from '../../src/config/plan.js';

/** Each of them. */
export const FRONT_ENDS = ['uws', 'native'] as const satisfies readonly FrontEndName[];
