import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BlockDevice,
  bytesWrittenTo,
  deviceNumberOf,
  findBlockDevice,
  KERNEL_ROOTS,
  type KernelRoots,
} from './block-device.js';

/**
 * Reads the kernel's counters of bytes written. That of the process counts a page when it is changed in the page cache (proc(5), `io`),
 * so it knows nothing of file systems in memory; that of the disk counts what arrives there, from every process.
 */
export class IoMeter {
  private readonly ioPath: string;
  private readonly device: BlockDevice | null;

  /** For the disk that holds `path`, which exists. */
  constructor(path: string, roots: KernelRoots = KERNEL_ROOTS) {
    this.ioPath = join(roots.proc, 'self/io');
    this.device = findBlockDevice(deviceNumberOf(path), roots);
  }

  /** Bytes that this process has written since it began, all threads together; null where the kernel does not tell. */
  processBytes(): number | null {
    try {
      const match = /^write_bytes: (\d+)$/m.exec(readFileSync(this.ioPath, 'latin1'));
      return match ? Number(match[1]) : null;
    } catch {
      // Not Linux, or a kernel without task I/O accounting.
      return null;
    }
  }

  /** Bytes that everybody has written to the disk since it came up; null where there is no disk. */
  deviceBytes(): number | null {
    return this.device && bytesWrittenTo(this.device);
  }
}
