import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type ArchiveLimits, LogArchive } from './log-archive.js';

/** How a log file is written. */
export interface LogFileOptions extends ArchiveLimits {
  readonly path: string;
  /** A file that would grow beyond this is rotated first. */
  readonly fileBytesMax: number;
  /** Lines are written when there are so many … */
  readonly bufferLines: number;
  /** … or when the first of them has waited so long. */
  readonly bufferMs: number;
}

/** What waits while the disk takes nothing; at the limit further lines are given up and counted. */
export const LOG_WAITING_MAX = { lines: 10_000, bytes: 4 * 2 ** 20 } as const;

const NEWLINE = 0x0a;
const NO_FD = -1;
/** Rotated files that have become too old are looked for so often. */
const PRUNE_INTERVAL_MS = 3_600_000;

/** Lines on their way to the disk. */
interface Flight {
  readonly lines: number;
  readonly bytes: Buffer;
  /** Offset of the first of them in the file. */
  readonly offset: number;
  /** How many are written. */
  done: number;
}

/**
 * A log in a file that is rotated. Lines are gathered and written behind the back of the event loop, in their order, each at its own offset:
 * so `flushSync` may write once more what is just being written, and nothing is there twice. No failure gets out: what cannot be written
 * waits and is tried again. Killed, it loses the lines that it has gathered
 * and those that the kernel has not taken yet.
 *
 * Own code, since pino's destination (sonic-boom) counts bytes instead of lines and knows no rotation, and pino-roll needs a thread, compresses
 * nothing, and knows nothing of what is still on its way.
 */
export class LogFile {
  /** Lines that were given up, and calls that wrote. */
  lost = 0;
  writes = 0;
  /** Whether the last attempt to write failed. */
  isFailing = false;
  private waiting: string[] = [];
  private waitingBytes = 0;
  private flight: Flight | null = null;
  private isWriting = false;
  private fd = NO_FD;
  private fileBytes = 0;
  private prunedMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly archive: LogArchive;

  /** Opens the file, and takes up what an earlier run has left. Throws what the file system throws. */
  constructor(
    private readonly options: LogFileOptions,
    private readonly onTrouble: (message: string) => void,
    private readonly nowMs: () => number = Date.now,
  ) {
    const folder = dirname(options.path);
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    this.archive = new LogArchive(options.path, options, onTrouble);
    this.open();
    this.prunedMs = nowMs();
    this.archive.recover(this.prunedMs);
  }

  /** Lines that are not on their way out of this process: a kill -9 loses them. */
  get unwritten(): number {
    return this.waiting.length + (this.flight?.lines ?? 0);
  }

  /** Takes a line, with its end. `isUrgent`: it is on its way to the disk, with all before it, when this returns. */
  write(line: string, isUrgent: boolean): void {
    if (this.waiting.length >= LOG_WAITING_MAX.lines || this.waitingBytes >= LOG_WAITING_MAX.bytes) {
      this.lost++;
      return;
    }
    this.waiting.push(line);
    this.waitingBytes += line.length;
    if (isUrgent) this.flushSync();
    else if (this.waiting.length >= this.options.bufferLines && !this.isFailing) this.flush();
    else this.later();
  }

  /** Writes all that waits before it returns, unless the disk refuses. */
  flushSync(): void {
    try {
      // Twice: what is on its way, then what has gathered meanwhile.
      for (let round = 0; round < 2; round++) {
        this.flight ??= this.nextFlight();
        const { flight } = this;
        if (flight === null) return;
        while (flight.done < flight.bytes.length) {
          flight.done += writeSync(this.fd, flight.bytes, flight.done, undefined, flight.offset + flight.done);
          this.writes++;
        }
        this.landed();
      }
    } catch {
      this.failed();
    }
  }

  /** Writes all that waits, and resolves when rotated files are compressed. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.flushSync();
    await this.archive.settled();
  }

  /** Begins to write what waits, unless something is being written already. */
  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.isWriting) return;
    try {
      this.pruneNowAndThen();
      this.flight ??= this.nextFlight();
    } catch {
      this.failed();
      return;
    }
    if (this.flight) this.go(this.flight);
  }

  private later(): void {
    this.timer ??= setTimeout(() => this.flush(), this.options.bufferMs).unref();
  }

  private go(flight: Flight): void {
    this.isWriting = true;
    this.writes++;
    write(this.fd, flight.bytes, flight.done, undefined, flight.offset + flight.done, (error, bytes) => {
      this.isWriting = false;
      // `flushSync` may have overtaken this.
      if (this.flight !== flight) {
        if (this.waiting.length > 0) this.later();
        return;
      }
      if (error) {
        this.failed();
        return;
      }
      flight.done += bytes;
      if (flight.done < flight.bytes.length) {
        this.go(flight);
        return;
      }
      this.landed();
      if (this.waiting.length >= this.options.bufferLines) this.flush();
      else if (this.waiting.length > 0) this.later();
    });
  }

  private landed(): void {
    this.fileBytes += this.flight?.bytes.length ?? 0;
    this.flight = null;
    this.isFailing = false;
  }

  /** It is tried again when the time of the next flush has come. */
  private failed(): void {
    this.isFailing = true;
    this.later();
  }

  /** Takes all that waits, and finds its place; null when nothing does. */
  private nextFlight(): Flight | null {
    if (this.waiting.length === 0) return null;
    this.settleFile(this.waitingBytes);
    const bytes = Buffer.from(this.waiting.join(''));
    const lines = this.waiting.length;
    this.waiting = [];
    this.waitingBytes = 0;
    return { lines, bytes, offset: this.fileBytes, done: 0 };
  }

  /** Has a file open that is to take `bytes` more. Throws what the file system throws. */
  private settleFile(bytes: number): void {
    if (this.fd !== NO_FD && !this.isWriting && !this.isInPlace()) this.leave();
    if (this.fd === NO_FD) this.open();
    // Somebody may have cut the file, or written to it.
    this.fileBytes = fstatSync(this.fd).size;
    if (this.isWriting || this.fileBytes === 0 || this.fileBytes + bytes <= this.options.fileBytesMax) return;
    try {
      this.archive.rotate(this.nowMs());
    } catch (error) {
      // A file that is too long is better than lines that are nowhere.
      this.onTrouble(`${this.options.path} cannot be rotated: ${(error as Error).message}`);
      return;
    }
    this.prunedMs = this.nowMs();
    this.leave();
    this.open();
  }

  /** Whether the open file still has its name: another program may have moved it away. */
  private isInPlace(): boolean {
    const named = statSync(this.options.path, { throwIfNoEntry: false });
    return named !== undefined && named.ino === fstatSync(this.fd).ino;
  }

  /** Lines that a crash has cut off end where the next one begins. */
  private open(): void {
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    this.fd = openSync(this.options.path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    this.fileBytes = fstatSync(this.fd).size;
    const last = Buffer.alloc(1);
    if (this.fileBytes === 0 || readSync(this.fd, last, 0, 1, this.fileBytes - 1) === 0 || last[0] === NEWLINE) return;
    this.fileBytes += writeSync(this.fd, '\n', this.fileBytes);
  }

  /** Lets go of the open file. What has been rotated is compressed from its name. */
  private leave(): void {
    const { fd } = this;
    this.fd = NO_FD;
    fsync(fd, () => closeSync(fd));
  }

  private pruneNowAndThen(): void {
    const nowMs = this.nowMs();
    if (nowMs - this.prunedMs < PRUNE_INTERVAL_MS) return;
    this.prunedMs = nowMs;
    this.archive.prune(nowMs);
  }
}
