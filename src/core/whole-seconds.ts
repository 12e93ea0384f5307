/** Milliseconds of the configuration as the whole seconds that socket options of the kernel have. */

/** Rounded up, so that a short time never becomes 0, which the kernel takes for "off". @param ms >= 0; 0 stays 0 */
export function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
