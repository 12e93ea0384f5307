/** What signals lead to. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { handleSignals } from '../../../src/control/signals.js';
import { FakeTime } from './fake-time.js';

function listening() {
  const source = new EventEmitter();
  const time = new FakeTime();
  const told: string[] = [];
  const stop = handleSignals(source, time, {
    stop: (signal) => told.push(signal),
    reload: () => told.push('reload'),
    reopenFiles: () => told.push('reopen'),
  });
  return { source, time, told, stop };
}

describe('signals', () => {
  it('stop on SIGTERM and SIGINT, reload on SIGHUP, reopen files on SIGUSR1', () => {
    const { source, told } = listening();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGTERM']) source.emit(signal);
    expect(told).toEqual(['SIGTERM', 'SIGINT', 'reload', 'reopen', 'SIGTERM']);
  });

  it('takes two SIGINT of one keystroke for one', async () => {
    const { source, time, told } = listening();
    source.emit('SIGINT');
    await time.pass(20);
    source.emit('SIGINT');
    expect(told).toEqual(['SIGINT']);
    await time.pass(300);
    source.emit('SIGINT');
    expect(told).toEqual(['SIGINT', 'SIGINT']);
  });

  it('are let go when asked, also twice', () => {
    const { source, stop } = listening();
    stop();
    stop();
    expect(source.eventNames()).toEqual([]);
  });
});
