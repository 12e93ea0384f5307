/** Modes of listeners: which schema reads a listener. */
import { MODE } from '../defaults.js';
import { valueAt } from './walk.js';

/** All modes; the first is the default. */
export const MODES = ['l7', 'l4'] as const;
export type Mode = (typeof MODES)[number];

/** How other proxies call the modes. */
export const FOREIGN_MODES: Readonly<Record<string, Mode>> = { http: 'l7', tcp: 'l4', stream: 'l4' };

/** The mode of a listener of the file, written or by default; null where it is none that is known, or where there is no section. */
export function modeOf(listener: unknown): Mode | null {
  if (typeof listener !== 'object' || listener === null || Array.isArray(listener)) return null;
  const written = valueAt(listener, ['mode']);
  return written === undefined ? MODE : (MODES.find((mode) => mode === written) ?? null);
}
