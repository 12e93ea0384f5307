/** What the system says of a running process: memory, descriptors, processor time. Linux only, as the product. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';

const KIB = 1024;
/** Of /proc/PID/stat: USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Largest resident size since the start or since `forgetPeak`, in bytes. */
export function peakMemoryBytes(pid: number): number {
  return statusKib(pid, 'VmHWM') * KIB;
}

export function memoryBytes(pid: number): number {
  return statusKib(pid, 'VmRSS') * KIB;
}

/** Starts the peak anew from what is resident now. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Open file descriptors. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Open sockets of any kind. */
export function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => targetOf(`/proc/${pid}/fd/${fd}`).startsWith('socket:')).length;
}

/** Processor time of all threads, user and system, in ms. */
export function processorTimeMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // closed since it was listed
  }
}

function statusKib(pid: number, name: string): number {
  const line = readFileSync(`/proc/${pid}/status`, 'latin1')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
  return Number(line.replace(/\D+/g, ''));
}
