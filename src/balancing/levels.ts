/** Which level of an upstream gets how much, and when health is ignored: Envoy's arithmetic of priorities. Pure. */

/** A level whose healthy endpoints, times this, are at least all of its endpoints carries its whole load. Source: semantics.md 6. */
export const OVER_PROVISIONING = 1.4;

/** Loads and health of levels are in percent. */
export const WHOLE = 100;

/** Shares that add up to a whole may miss it by what float64 rounds away. */
const ROUNDED_AWAY = 1e-9;

/**
 * The endpoints of one level, or the backups, as heads, whatever their weights: so Envoy counts by default, and so slow start,
 * which moves weights, moves no load between levels.
 */
export interface LevelCount {
  /** Endpoints that take work, or would if they were healthy, with a weight above 0. */
  readonly total: number;
  /** Those of them that are healthy. */
  readonly healthy: number;
}

/** @returns how much of its load a level can carry, in percent: 0 .. 100; 0 for a level without endpoints */
export function healthOf({ total, healthy }: LevelCount): number {
  return total === 0 ? 0 : Math.min(WHOLE, (WHOLE * OVER_PROVISIONING * healthy) / total);
}

/** @returns how much the levels can carry together, in percent: 0 .. 100; below 100 there are too few healthy endpoints */
export function capacityOf(levels: readonly LevelCount[]): number {
  const sum = levels.reduce((before, level) => before + healthOf(level), 0);
  return sum > WHOLE - ROUNDED_AWAY ? WHOLE : sum;
}

/**
 * The share of picks that begin at each level. Each level takes as much as its health allows, the rest goes on to the next; when
 * all together cannot carry everything, each gets in proportion to its health. When none has a healthy endpoint, the first
 * that has endpoints gets all: with panic they are picked, without it the pick goes on.
 *
 * @param levels the best first
 * @returns whole percents, their sum 100; all 0 when no level has endpoints
 */
export function loadsOf(levels: readonly LevelCount[]): number[] {
  const capacity = capacityOf(levels);
  if (capacity === 0) {
    const first = levels.findIndex(({ total }) => total > 0);
    return levels.map((_, level) => (level === first ? WHOLE : 0));
  }
  let left = WHOLE;
  const loads = levels.map((level) => {
    const load = Math.min(left, Math.round((WHOLE * healthOf(level)) / capacity));
    left -= load;
    return load;
  });
  // What rounding down has left belongs to the last level that has healthy endpoints.
  const last = levels.findLastIndex(({ healthy }) => healthy > 0);
  loads[last] = (loads[last] ?? 0) + left;
  return loads;
}

/** Where health is ignored. */
export interface Panic {
  /** One for each level. */
  readonly levels: readonly boolean[];
  readonly backups: boolean;
}

/**
 * Where health is ignored, because too few healthy endpoints are left: all of the load would break those, too, and a sick endpoint
 * that answers some requests is better than none. As in Envoy it is decided for each level: one whose healthy endpoints are less
 * than the panic share, while all levels together cannot carry everything.
 *
 * A healthy backup comes first, as users of nginx and HAProxy expect of a backup: while there is one, no level panics. Healthy
 * endpoints of the levels then get all they have room for, the backups the rest, or everything when none is healthy. Backups
 * panic by themselves where they have to carry everything and too few of them are healthy; and when every level panics, unhealthy
 * backups are what is asked last.
 *
 * @param levels     the best first
 * @param panicShare PickingPlan.panicShare; 0: never
 */
export function panicOf(levels: readonly LevelCount[], backups: LevelCount, panicShare: number): Panic {
  const isShort = capacityOf(levels) < WHOLE;
  const panicking = levels.map((level) => isShort && backups.healthy === 0 && isBelow(level, panicShare));
  const carriesAll =
    backups.healthy > 0
      ? levels.every(({ healthy }) => healthy === 0)
      : levels.every(({ total }, level) => total === 0 || panicking[level] === true);
  return { levels: panicking, backups: carriesAll && isBelow(backups, panicShare) };
}

function isBelow({ total, healthy }: LevelCount, share: number): boolean {
  return healthy < share * total;
}
