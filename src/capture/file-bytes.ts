import { closeSync, readSync } from 'node:fs';
import { Socket } from 'node:net';

/** Gives the bytes of one input, in order, each once. */
export interface ByteSource {
  /** Bytes taken from outside so far; for compressed input the compressed ones. */
  readonly bytesRead: number;
  /**
   * Writes the next bytes into `target` from `offset` up to its end, and gives their number; 0 says that the input has ended.
   * A promise only where bytes may have to be waited for; one call at a time. Throws `ReadFailure`.
   */
  read(target: Uint8Array, offset: number): number | Promise<number>;
  /** May be called at any time, and twice. A read under way ends with 0 or never. */
  close(): void;
}

/** The input could not be read on; the message says why, and whoever knows the position makes an `AppError` of it. */
export class ReadFailure extends Error {
  override readonly name = 'ReadFailure';
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Standard input belongs to the process and stays open. */
const STANDARD_INPUT = 0;

/** A regular file, or a device that never lets one wait. Reads block, so that the caller need not go through the event loop. */
export class FileBytes implements ByteSource {
  bytesRead = 0;
  private open = true;

  constructor(private readonly fd: number) {}

  read(target: Uint8Array, offset: number): number {
    if (!this.open) return 0;
    try {
      const count = readSync(this.fd, target, offset, target.length - offset, null);
      this.bytesRead += count;
      return count;
    } catch (error) {
      throw new ReadFailure(messageOf(error), { cause: error });
    }
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    if (this.fd !== STANDARD_INPUT) closeSync(this.fd);
  }
}

/** Bytes that may lie read and not yet taken. */
const PIPE_BUFFER_BYTES = 262_144;

/** A pipe, FIFO or socket, which may be slow: the descriptor is polled, never waited for, so that the thread stays free. */
export class PipeBytes implements ByteSource {
  private readonly socket: Socket;
  private rest: Buffer = Buffer.alloc(0);
  private taken = 0;
  private ended = false;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  constructor(fd: number) {
    const options = { fd, readable: true, writable: false, readableHighWaterMark: PIPE_BUFFER_BYTES };
    this.socket = new Socket(options);
    const wake = () => this.wake?.();
    this.socket.on('readable', wake);
    this.socket.on('error', (error) => {
      this.failure = error;
      wake();
    });
    const end = () => {
      this.ended = true;
      wake();
    };
    this.socket.on('end', end);
    this.socket.on('close', end);
  }

  get bytesRead(): number {
    return this.taken;
  }

  read(target: Uint8Array, offset: number): number | Promise<number> {
    if (this.rest.length === 0) this.rest = (this.socket.read() as Buffer | null) ?? this.rest;
    if (this.rest.length > 0) {
      const count = this.rest.copy(target, offset);
      this.rest = this.rest.subarray(count);
      this.taken += count;
      return count;
    }
    if (this.failure) throw new ReadFailure(this.failure.message, { cause: this.failure });
    if (this.ended) return 0;
    return this.readLater(target, offset);
  }

  private async readLater(target: Uint8Array, offset: number): Promise<number> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = undefined;
    return this.read(target, offset);
  }

  close(): void {
    this.socket.destroy();
  }
}
