/** Reads what processes and the machine have used so far, and sums figures up. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ is 100 on every Linux that Node runs on. */
const US_PER_TICK = 10_000;

/**
 * CPU time of a process and its descendants, all threads, user and system, in microseconds. schedstat has the nanoseconds of which
 * utime and stime of /proc/PID/stat are the rounded parts; those are too coarse for short rounds.
 */
export function cpuUs(pid) {
  const parents = new Map();
  const times = new Map();
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(id), Number(fields[1]));
      let ns = 0;
      for (const task of readdirSync(`/proc/${id}/task`)) {
        ns += Number(readFileSync(`/proc/${id}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      }
      times.set(Number(id), ns / 1000);
    } catch {
      // ended between the listing and the reading
    }
  }
  const own = (id) =>
    (times.get(id) ?? 0) +
    [...parents].filter(([, parent]) => parent === id).reduce((sum, [child]) => sum + own(child), 0);
  return own(pid);
}

/** Time that all processors together were busy, kernel threads and interrupts included, in microseconds. */
export function machineBusyUs() {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .replace(/^cpu\s+/, '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq) * US_PER_TICK;
}

/** The upper one of the two in the middle where the count is even. */
export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

/** How far the largest is above the smallest, as a part of the smallest. */
export function spread(numbers) {
  return Math.max(...numbers) / Math.min(...numbers) - 1;
}
