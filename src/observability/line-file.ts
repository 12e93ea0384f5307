/** Appends whole lines to a file or a stream that others write to as well, in the background, and tries again for as long as that fails. */
import { type BigIntStats, close, constants, fstatSync, open, openSync, type Stats, write, writeSync } from 'node:fs';
import type { Timers } from '../core/timers.js';

/** As a path: standard output. */
export const STANDARD_OUTPUT = '-';
const STDOUT = 1;
/** Opens the file behind standard output anew, with flags of its own: what others have of it must not become non-blocking. */
const STDOUT_PATH = '/proc/self/fd/1';

/** Logs tell who did what: the owner may read and write, the group may read. */
export const LOG_FILE_MODE = 0o640;
/** A FIFO that nobody reads fails at once instead of blocking; for a file it means nothing. */
export const LOG_FILE_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** What the kernel writes to a pipe as a whole or not at all (POSIX: PIPE_BUF; pipe(7)): lines of several workers do not mix. */
export const STREAM_CHUNK_BYTES = 4_096;
/** A pipe that was full is tried again after the first, then after twice as long each time up to the last. */
const FIRST_PIPE_RETRY_MS = 2;
const LAST_PIPE_RETRY_MS = 50;
/** What cannot be written for another reason is tried again after this. */
const RETRY_MS = 1_000;

const LINE_END = 0x0a;
const NEWLINE = Uint8Array.of(LINE_END);

/** What it is made of. */
export interface LineFileParts {
  /** STANDARD_OUTPUT or a path. */
  readonly path: string;
  readonly timers: Timers;
  /** It cannot be written, e.g. ENOSPC; told with each try. */
  readonly onFailed: (reason: string) => void;
  /** It has been written after all. */
  readonly onWritten: () => void;
  /** `reopen` has opened it anew. */
  readonly onReopened: () => void;
}

/** file: written by a thread of the pool, for a disk may be slow. stream: a pipe or a terminal, which never blocks. shared: a socket. */
type Kind = 'file' | 'stream' | 'shared';

/** Thread: worker. */
export class LineFile {
  readonly #parts: LineFileParts;
  #fd = -1;
  #kind: Kind = 'file';
  #isOpening = false;
  #isReopening = false;
  #isWriting = false;
  #isClosed = false;
  #bytes: Uint8Array | null = null;
  #at = 0;
  #done: () => void = () => {};
  /** A line has gone out in part: it is ended and written once more. */
  #isTorn = false;
  #pipeRetryMs = FIRST_PIPE_RETRY_MS;
  #cancelRetry: (() => void) | null = null;

  constructor(parts: LineFileParts) {
    this.#parts = parts;
  }

  /**
   * Writes whole lines, however long that takes. One call at a time.
   *
   * @param bytes unchanged until `done`
   */
  write(bytes: Uint8Array, done: () => void): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.#done = done;
    this.#step();
  }

  /** Opens the file under its path anew, before what is written next; what it has now stays open until then. Standard output stays. */
  reopen(): void {
    if (this.#parts.path === STANDARD_OUTPUT || this.#fd < 0) return;
    this.#isReopening = true;
    if (!this.#isWriting && this.#cancelRetry === null) this.#open();
  }

  /** Writes at once what is still to be written, as far as that is possible without waiting for a reader, and closes. Idempotent. */
  closeNow(rest: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelRetry?.();
    const begun = this.#isWriting || this.#bytes === null ? [] : [this.#bytes.subarray(this.#at)];
    try {
      if (this.#fd < 0) this.#opened(openSync(...placeOf(this.#parts.path)));
      for (const bytes of [...begun, ...rest]) this.#writeNow(bytes);
    } catch {
      // The thread ends: there is nobody to tell, and no time to wait.
    }
    this.#close();
  }

  /** Closes what has been written. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#close();
  }

  #close(): void {
    if (this.#fd > STDOUT) close(this.#fd, () => {});
    this.#fd = -1;
  }

  #writeNow(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const end = this.#kind === 'file' ? bytes.length : chunkEnd(bytes, at);
      at += writeSync(this.#fd, bytes, at, end - at);
    }
  }

  #step(): void {
    if (this.#isClosed) return;
    if (this.#fd < 0 || this.#isReopening) return this.#open();
    if (this.#kind === 'stream') this.#stream();
    else this.#writeInPool();
  }

  // --- opening ------------------------------------------------------------------------------------------------------------

  #open(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    if (this.#parts.path === STANDARD_OUTPUT && isSocket(STDOUT)) return this.#settleOpen(STDOUT);
    const [path, flags, mode] = placeOf(this.#parts.path);
    open(path, flags, mode, (error, fd) => {
      if (error === null) this.#settleOpen(fd);
      // A standard output that cannot be opened anew, e.g. for want of rights, is written as it is.
      else if (this.#parts.path === STANDARD_OUTPUT && error.code !== 'ENXIO') this.#settleOpen(STDOUT);
      else {
        this.#isOpening = false;
        this.#failed(error);
      }
    });
  }

  #settleOpen(fd: number): void {
    this.#isOpening = false;
    if (this.#isClosed) {
      if (fd > STDOUT) close(fd, () => {});
      return;
    }
    const former = this.#fd;
    this.#opened(fd);
    if (former > STDOUT) close(former, () => {});
    if (this.#isReopening) this.#parts.onReopened();
    this.#isReopening = false;
    if (this.#bytes !== null) this.#step();
  }

  #opened(fd: number): void {
    this.#fd = fd;
    const kind = fstatSync(fd);
    this.#kind = kind.isFile() ? 'file' : fd === STDOUT ? 'shared' : 'stream';
  }

  // --- writing ------------------------------------------------------------------------------------------------------------

  /** Never blocks: what a pipe has no room for is tried again. */
  #stream(): void {
    const bytes = this.#bytes;
    if (bytes === null) return;
    try {
      if (this.#isTorn) writeSync(this.#fd, NEWLINE);
      this.#isTorn = false;
      while (this.#at < bytes.length)
        this.#wrote(writeSync(this.#fd, bytes, this.#at, chunkEnd(bytes, this.#at) - this.#at));
    } catch (error) {
      return this.#failed(error as NodeJS.ErrnoException);
    }
    this.#finish();
  }

  #writeInPool(): void {
    const bytes = this.#bytes;
    if (bytes === null) return;
    const end = this.#kind === 'file' ? bytes.length : chunkEnd(bytes, this.#at);
    const isEnding = this.#isTorn;
    const [from, at, size] = isEnding ? ([NEWLINE, 0, 1] as const) : ([bytes, this.#at, end - this.#at] as const);
    this.#isWriting = true;
    write(this.#fd, from, at, size, null, (error, written) => {
      this.#isWriting = false;
      if (this.#isClosed) return;
      if (error !== null) return this.#failed(error);
      if (isEnding) this.#isTorn = false;
      else this.#wrote(written);
      if (this.#at === bytes.length) this.#finish();
      else this.#step();
    });
  }

  #wrote(bytes: number): void {
    this.#at += bytes;
    this.#pipeRetryMs = FIRST_PIPE_RETRY_MS;
  }

  #finish(): void {
    this.#bytes = null;
    this.#parts.onWritten();
    this.#done();
    if (this.#isReopening && this.#bytes === null) this.#open();
  }

  /** Tries again later. */
  #failed(error: NodeJS.ErrnoException): void {
    this.#endTornLine();
    if (error.code === 'EAGAIN') {
      this.#later(this.#pipeRetryMs);
      this.#pipeRetryMs = Math.min(2 * this.#pipeRetryMs, LAST_PIPE_RETRY_MS);
      return;
    }
    this.#parts.onFailed(error.code ?? error.message);
    // A stream whose reader has left may have another one under the same name.
    if (this.#kind === 'stream' && this.#fd > STDOUT) this.#close();
    this.#later(RETRY_MS);
  }

  #endTornLine(): void {
    const bytes = this.#bytes;
    if (bytes === null || this.#at === 0 || bytes[this.#at - 1] === LINE_END) return;
    this.#isTorn = true;
    this.#at = bytes.lastIndexOf(LINE_END, this.#at - 1) + 1;
  }

  #later(ms: number): void {
    this.#cancelRetry ??= this.#parts.timers.after(ms, () => {
      this.#cancelRetry = null;
      this.#step();
    });
  }
}

/** What `open` takes for a path of the configuration. */
export function placeOf(path: string): readonly [path: string, flags: number, mode: number] {
  return [path === STANDARD_OUTPUT ? STDOUT_PATH : path, LOG_FILE_FLAGS, LOG_FILE_MODE];
}

function isSocket(fd: number): boolean {
  const kind: Stats | BigIntStats = fstatSync(fd);
  return kind.isSocket();
}

/** Where the last line ends that begins behind `at` and fits into a chunk; a longer line is written as far as it fits. */
function chunkEnd(bytes: Uint8Array, at: number): number {
  const most = at + STREAM_CHUNK_BYTES;
  if (most >= bytes.length) return bytes.length;
  const end = bytes.lastIndexOf(LINE_END, most - 1) + 1;
  return end > at ? end : most;
}
