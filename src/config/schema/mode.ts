/** Modes of listeners: which schema reads a listener. */

/** All modes; the first is the default. */
export const MODES = ['l7', 'l4'] as const;
export type Mode = (typeof MODES)[number];
