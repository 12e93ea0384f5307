/** The gate between the file limit and new connections. */
import { describe, expect, it } from 'vitest';
import { type AcceptControl, AcceptGate } from '../../../src/l7/accept-gate.js';
import type { Logger } from '../../../src/observability/logger.js';

function gateWith() {
  const calls: boolean[] = [];
  const lines: string[] = [];
  const machine = { freeFiles: 1000, nowMs: 0 };
  const addon = {
    raiseFileLimit: () => ({ soft: 1024, hard: 1024 }),
    freeFiles: () => machine.freeFiles,
    pauseAccepting: (isPaused: boolean) => calls.push(isPaused),
  } as unknown as AcceptControl;
  const logger = { warn: () => lines.push('warn'), info: () => lines.push('info') } as unknown as Logger;
  const gate = new AcceptGate(addon, logger, () => machine.nowMs);
  const lookAt = (freeFiles: number, nowMs = machine.nowMs) => {
    Object.assign(machine, { freeFiles, nowMs });
    gate.look();
  };
  return { calls, lines, lookAt };
}

describe('accept gate', () => {
  it('closes when descriptors run out and opens again when there are enough', () => {
    const { calls, lookAt } = gateWith();
    for (const free of [1000, 64, 63, 0, 100, 127, 128, 500]) lookAt(free);
    expect(calls).toEqual([true, false]);
  });

  it('warns once, and again only when a minute has passed', () => {
    const { lines, lookAt } = gateWith();
    for (const nowMs of [0, 1000, 59_999]) {
      lookAt(0, nowMs);
      lookAt(1000, nowMs);
    }
    expect(lines.filter((line) => line === 'warn')).toHaveLength(1);
    lookAt(0, 60_000);
    expect(lines.filter((line) => line === 'warn')).toHaveLength(2);
  });
});
