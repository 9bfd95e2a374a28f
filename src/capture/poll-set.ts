import { Errno, lastErrno, libcFunction } from '../libc.js';
import { callFailed } from './packet-socket.js';

const POLLIN = 1;
/** A `struct pollfd`: descriptor, and two halves of a word for the events asked for and found. */
const ENTRY_WORDS = 2;

/** Waits for any of several descriptors (poll(2)). */
export class PollSet {
  private readonly entries: Int32Array;
  private readonly poll = libcFunction('int poll(void *fds, unsigned long count, int timeoutMs)');

  constructor(private readonly countMax: number) {
    this.entries = new Int32Array(countMax * ENTRY_WORDS);
  }

  /** The descriptor at `index` from now on, below `countMax`; null leaves its place empty. */
  set(index: number, fd: number | null): void {
    // poll(2) passes over negative descriptors.
    this.entries[index * ENTRY_WORDS] = fd ?? -1;
    this.entries[index * ENTRY_WORDS + 1] = POLLIN;
  }

  /** Blocks the thread until one of them can be read or has an error, at most `timeoutMs`. False when the time was over. */
  wait(timeoutMs: number): boolean {
    const ready = this.poll(this.entries, this.countMax, timeoutMs);
    if (ready < 0 && lastErrno() !== Errno.EINTR) throw callFailed('poll');
    return ready > 0;
  }
}
