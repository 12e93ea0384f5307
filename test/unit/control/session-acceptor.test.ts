/** The hand-off of sessions, with a double of the native acceptor. */
import { describe, expect, it } from 'vitest';
import { SessionAcceptor } from '../../../src/control/session-acceptor.js';
import type { Acceptor, AcceptorOptions } from '../../../src/engine/session-engine.js';
import type { HandOffPlace } from '../../../src/worker/data-plane.js';
import { FakeTime } from './fake-time.js';
import { captureLog } from './log-capture.js';

const mailbox = (number: number, mode: 'l4' | 'l7' = 'l4'): HandOffPlace => ({
  kind: 'mailbox',
  mode,
  mailbox: number,
});
const app: HandOffPlace = { kind: 'app', listener: 'web', descriptor: 5 };

function acceptorUnderTest(mode: 'l4' | 'l7' = 'l4') {
  const calls: string[] = [];
  let given: AcceptorOptions | undefined;
  class AcceptorDouble implements Acceptor {
    constructor(options: AcceptorOptions) {
      given = options;
    }
    listen = (listener: number, descriptor: number) => void calls.push(`listen ${listener} ${descriptor}`);
    closeListener = (listener: number) => void calls.push(`close ${listener}`);
    addWorker = (number: number) => void calls.push(`add ${number}`);
    removeWorker = (number: number) => void calls.push(`remove ${number}`);
    stats = () => ({ accepted: 0, open: [] });
    close = () => void calls.push('close');
  }
  const time = new FakeTime();
  const log = captureLog();
  const acceptor = new SessionAcceptor({
    addon: { Acceptor: AcceptorDouble },
    mode,
    maxOpen: 100,
    logger: log.logger,
    nowMs: () => time.nowMs(),
  });
  acceptor.listenAt(
    new Map([
      [0, 70],
      [2, 71],
    ]),
  );
  return { acceptor, calls, time, log, options: () => given };
}

describe('session acceptor', () => {
  it('accepts on every socket, and no more than descriptors allow', () => {
    const { calls, options } = acceptorUnderTest();
    expect(calls).toEqual(['listen 0 70', 'listen 2 71']);
    expect(options()?.maxOpen).toBe(100);
  });

  it('hands connections to the mailboxes of workers, each until it is taken out', () => {
    const { acceptor, calls } = acceptorUnderTest();
    acceptor.add(0, [app, mailbox(11)]);
    acceptor.add(1, [mailbox(12)]);
    acceptor.remove(0);
    acceptor.remove(0);
    acceptor.add(0, [mailbox(13)]);
    acceptor.remove(2);
    acceptor.stop();
    expect(calls.slice(2)).toEqual(['add 11', 'add 12', 'remove 11', 'add 13', 'close']);
  });

  it('leaves the sockets that are gone or others now, and goes on at those that stay', () => {
    const { acceptor, calls } = acceptorUnderTest();
    acceptor.listenAt(
      new Map([
        [2, 71],
        [0, 75],
        [3, 76],
      ]),
    );
    acceptor.leave([3, 9]);
    expect(calls.slice(2)).toEqual(['listen 0 75', 'listen 3 76', 'close 3']);
  });

  it('takes the places of a worker as they are now, told once or twice', () => {
    const { acceptor, calls } = acceptorUnderTest();
    acceptor.add(0, [mailbox(11)]);
    acceptor.add(0, [mailbox(11), app]);
    acceptor.add(0, [mailbox(12)]);
    expect(calls.slice(2)).toEqual(['add 11', 'remove 11', 'add 12']);
  });

  it('keeps the mailbox of a worker that has no listener of the mode for now', () => {
    const { acceptor, calls } = acceptorUnderTest();
    acceptor.add(0, [mailbox(11)]);
    acceptor.add(0, [app]);
    acceptor.add(0, [mailbox(11)]);
    acceptor.remove(0);
    expect(calls.slice(2)).toEqual(['add 11', 'remove 11']);
  });

  it.each([
    ['l4', 'add 11'],
    ['l7', 'add 12'],
  ] as const)('takes the mailboxes of its own mode: %s', (mode, call) => {
    const { acceptor, calls } = acceptorUnderTest(mode);
    acceptor.add(0, [mailbox(11, 'l4'), mailbox(12, 'l7')]);
    expect(calls.slice(2)).toEqual([call]);
  });

  it('tells of a shortage once a minute, and of its end where it told of it', async () => {
    const { log, time, options } = acceptorUnderTest();
    options()?.onShortage(24);
    options()?.onShortage(0);
    options()?.onShortage(24);
    options()?.onShortage(0);
    expect(log.events()).toEqual(['accepting-paused', 'accepting-resumed']);
    await time.pass(60_000);
    options()?.onShortage(23);
    expect(log.events()).toEqual(['accepting-paused', 'accepting-resumed', 'accepting-paused']);
  });
});
