/** What a configuration needs to know of the machine it runs on: processors, and what needs a privilege that is not there. */
import { availableParallelism } from 'node:os';

/** Facts of the machine; a parameter wherever they matter, so that tests choose them. */
export interface Machine {
  /** Processors this process may use: CPU affinity and the cgroup's quota counted; at least 1. */
  readonly processors: number;
  /** Ports below this need a privilege that this process may not have; 0 when it may use all. */
  readonly firstOpenPort: number;
}

/** Reads a small text file; throws as `readFileSync` does. */
export type ReadText = (path: string) => string;

/** Where the kernel says which ports are open to all; Linux 4.11 and later. */
const OPEN_PORT_FILE = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
const OPEN_PORT_DEFAULT = 1024;
/** Bit of the capability masks of /proc/self/status (linux/capability.h). */
const NET_BIND_SERVICE = 10n;

/**
 * Reads the facts of this machine. Never throws: what cannot be read counts as unlimited. Thread: primary.
 *
 * @param readText  reads a file, e.g. `(path) => readFileSync(path, 'utf8')`
 * @param parallelism processors by affinity; os.availableParallelism() unless a test says otherwise
 */
export function readMachine(readText: ReadText, parallelism: number = availableParallelism()): Machine {
  const read = (path: string): string | null => {
    try {
      return readText(path);
    } catch {
      return null; // absent in this kernel or container: the fact is unknown, which is an answer
    }
  };
  const processors = Math.max(1, Math.min(parallelism, Math.ceil(cgroupProcessors(read))));
  const status = read('/proc/self/status') ?? '';
  const has = (bit: bigint): boolean => hasCapability(status, bit);
  return {
    processors,
    firstOpenPort: has(NET_BIND_SERVICE) ? 0 : Number(read(OPEN_PORT_FILE) ?? OPEN_PORT_DEFAULT),
  };
}

/** Processors that the cgroup's CPU quota amounts to; Infinity without one. cgroup v2 `cpu.max`, v1 `cpu.cfs_*`. */
function cgroupProcessors(read: (path: string) => string | null): number {
  const ownGroup = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  const quotas = groupsAbove(ownGroup).map((group) => quotaOf(read(`/sys/fs/cgroup${group}/cpu.max`) ?? 'max'));
  const v1 = `${read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? 'max'} ${read('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? ''}`;
  return Math.min(...quotas, quotaOf(v1));
}

/** "/a/b" -> "/a/b", "/a", "": a quota of any group above limits those below. */
function groupsAbove(group: string): string[] {
  const parts = group.split('/').filter((part) => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, index) =>
    parts
      .slice(0, index)
      .map((part) => `/${part}`)
      .join(''),
  );
}

/** "200000 100000" is 2 processors; "max 100000" and "-1 100000" are no limit. */
function quotaOf(line: string): number {
  const [quota, period] = line.trim().split(/\s+/).map(Number);
  const isLimit = quota !== undefined && period !== undefined && quota > 0 && period > 0;
  return isLimit ? quota / period : Number.POSITIVE_INFINITY;
}

function hasCapability(status: string, bit: bigint): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/im.exec(status)?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> bit) & 1n) === 1n;
}
