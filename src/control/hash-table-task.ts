/** The module that a thread which builds tables of hashes starts with. Thread: one of piscina's, not the primary. */
import type { BuiltTable, TableMembers } from '../engine/hashing.js';
import { MAGLEV_ENTRIES } from '../engine/hashing.js';
import { loadEngine } from '../engine/load-engine.js';

/** A table to be built. */
export interface TableOrder extends TableMembers {
  readonly kind: 'ketama' | 'maglev';
  /** ketama: room for points. */
  readonly mostPoints: number;
}

/** Builds one table; called by its name. @throws what the addon throws, and ProxyError SLUICE_ADDON_MISSING */
export function buildTable({ kind, names, slots, weights, mostPoints }: TableOrder): BuiltTable {
  const addon = loadEngine();
  return kind === 'ketama'
    ? addon.buildKetama(names, slots, weights, mostPoints)
    : addon.buildMaglev(names, slots, weights, MAGLEV_ENTRIES);
}
