/** How evenly work is spread over the endpoints of an upstream: the coefficient of variation of their attempts per weight. Pure. */

/** One endpoint, as far as its share of the work goes. */
export interface WorkShare {
  /** May it be picked for what comes now? */
  readonly takesWork: boolean;
  /** 0 is picked from first; backups: infinity. */
  readonly level: number;
  /** As it counts now, > 0 or it takes no work. */
  readonly weight: number;
  /** In the window. */
  readonly attempts: number;
}

/**
 * Standard deviation over mean of attempts per weight. 0: each has exactly its share; 1: one of two has everything. Over the endpoints of the first
 * level that takes work, since those after it are there to be idle.
 *
 * @returns null: fewer than two take work, or there was no attempt on them
 */
export function coefficientOfVariation(shares: readonly WorkShare[]): number | null {
  const working = shares.filter(({ takesWork, weight }) => takesWork && weight > 0);
  const firstLevel = Math.min(...working.map(({ level }) => level));
  const loads = working.filter(({ level }) => level === firstLevel).map(({ attempts, weight }) => attempts / weight);
  if (loads.length < 2) return null;
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  if (mean === 0) return null;
  const variance = loads.reduce((sum, load) => sum + (load - mean) ** 2, 0) / loads.length;
  return Math.sqrt(variance) / mean;
}
