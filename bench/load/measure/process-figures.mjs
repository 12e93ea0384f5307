/** What a process with all its threads and children has used: CPU time and memory, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const NS_PER_US = 1000;
const KIB = 1024;

/** Parent of every process that exists now. @returns {Map<number, number>} pid → parent's pid */
function parents() {
  const found = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The command's name may hold spaces and brackets: the fields begin behind its last bracket.
      found.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // Ended between the listing and the reading.
    }
  }
  return found;
}

/** A process and all its descendants. @param {number} pid @returns {number[]} */
export function family(pid) {
  const byParent = new Map();
  for (const [child, parent] of parents()) byParent.set(parent, [...(byParent.get(parent) ?? []), child]);
  const members = [];
  const open = [pid];
  while (open.length > 0) {
    const member = open.pop();
    members.push(member);
    open.push(...(byParent.get(member) ?? []));
  }
  return members;
}

/**
 * CPU time of a process and its descendants, all threads, in µs since their start. From schedstat, which counts
 * nanoseconds: the ticks of `stat` are 10 ms, too coarse for short rounds.
 *
 * @param {number} pid @returns {number}
 */
export function cpuUs(pid) {
  let ns = 0;
  for (const member of family(pid)) {
    try {
      for (const thread of readdirSync(`/proc/${member}/task`))
        ns += Number(readFileSync(`/proc/${member}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // A thread that ended takes its time with it; proxies keep their threads for the length of a run.
    }
  }
  return ns / NS_PER_US;
}

/**
 * Memory of a process and its descendants in bytes: `anonymous` (its own, without files and shared memory that others hold,
 * too) and `resident`; `peak` is the highest `resident` since the start, per process, added up.
 *
 * @param {number} pid @returns {{ anonymous: number, resident: number, peak: number }}
 */
export function memory(pid) {
  const sum = { anonymous: 0, resident: 0, peak: 0 };
  for (const member of family(pid)) {
    try {
      const status = readFileSync(`/proc/${member}/status`, 'utf8');
      const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
      sum.anonymous += kib('RssAnon') * KIB;
      sum.resident += kib('VmRSS') * KIB;
      sum.peak += kib('VmHWM') * KIB;
    } catch {
      // Ended.
    }
  }
  return sum;
}
