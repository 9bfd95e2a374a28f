import { destination } from 'pino';

/** What waits while the descriptor takes nothing; at the limit further lines are given up and counted. */
const WAITING_BYTES_MAX = 4 * 2 ** 20;

/**
 * Lines to a descriptor of the process, written before `write` returns, so that a crash loses none. No failure gets out: a full disk
 * behind the descriptor must not end the daemon. What it refuses waits for the next line; who reads a pipe and leaves does not come
 * back, and then every line is lost.
 */
export class DirectLog {
  /** Lines that were given up. */
  lost = 0;
  /** Whether the last attempt to write failed. */
  isFailing = false;
  private isReaderGone = false;
  private readonly stream: ReturnType<typeof destination>;

  constructor(fd: number) {
    this.stream = destination({ fd, sync: true, maxLength: WAITING_BYTES_MAX });
    this.stream.on('error', (error: NodeJS.ErrnoException) => {
      this.isFailing = true;
      this.isReaderGone = error.code === 'EPIPE';
    });
    this.stream.on('write', () => {
      this.isFailing = false;
    });
    this.stream.on('drop', () => {
      this.lost++;
    });
  }

  /** Takes a line, with its end. */
  write(line: string): void {
    if (!this.isReaderGone) this.stream.write(line);
    if (this.isReaderGone) this.lost++;
  }
}
