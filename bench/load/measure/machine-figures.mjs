/** What the machine's processors have done, kernel threads and interrupts included, and which of them may be used. */
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

const US_PER_TICK = 10_000;

/**
 * Busy time of each processor since boot in µs: everything but idle and waiting for disks. In steps of 10 ms, so rounds of a
 * second and more are needed.
 *
 * @returns {Map<number, number>} processor → µs
 */
export function busyUs() {
  const busy = new Map();
  for (const line of readFileSync('/proc/stat', 'utf8').split('\n')) {
    const match = /^cpu(\d+) (.*)$/.exec(line);
    if (match === null) continue;
    const [user, nice, system, , , irq, softirq, steal] = match[2].split(' ').map(Number);
    busy.set(Number(match[1]), (user + nice + system + irq + softirq + steal) * US_PER_TICK);
  }
  return busy;
}

/** Processors this process may run on, ascending. @returns {number[]} */
export function allowedProcessors() {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** What a reader needs to know of the machine. */
export function machineFacts() {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    processors: allowedProcessors().length,
    kernel: release(),
    node: process.version,
  };
}
