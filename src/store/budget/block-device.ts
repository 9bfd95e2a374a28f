import { existsSync, readdirSync, readFileSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Where the kernel shows itself; tests give directories of their own. */
export interface KernelRoots {
  readonly proc: string;
  readonly sys: string;
}

export const KERNEL_ROOTS: KernelRoots = { proc: '/proc', sys: '/sys' };

/** A whole disk, as the kernel shows it. */
export interface BlockDevice {
  /** `mmcblk0`, `nvme0n1`, `sda`. */
  readonly name: string;
  readonly isRotational: boolean;
  readonly isRemovable: boolean;
  /** Its directory in sysfs. */
  readonly directory: string;
}

/** Mappers that are stacked on each other are followed so far. */
const STACKED_MAX = 8;
const SECTOR_BYTES = 512;
/** 0-based place of the sectors written in a device's `stat` (Documentation/block/stat.rst). */
const STAT_SECTORS_WRITTEN = 6;
/** `f_type` of a file system in memory (statfs(2)). */
const TMPFS_MAGIC = 0x0102_1994;

/** `MAJOR:MINOR` of the device that a file lies on; major 0 is no block device. */
export function deviceNumberOf(path: string): string {
  const dev = statSync(path, { bigint: true }).dev;
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);
  return `${major}:${minor}`;
}

/** Whether a file or directory lies in memory. */
export function isInMemory(path: string): boolean {
  try {
    return statfsSync(path).type === TMPFS_MAGIC;
  } catch {
    // Not there, or a system without statfs: then it is not known to be in memory.
    return false;
  }
}

/**
 * The disk that holds the device `MAJOR:MINOR`: a partition's disk, and the one below a mapper that has only one. Null where there is
 * none: overlay, tmpfs, network file systems, systems without sysfs.
 */
export function findBlockDevice(deviceNumber: string, { sys }: KernelRoots = KERNEL_ROOTS): BlockDevice | null {
  try {
    let directory = realpathSync(join(sys, 'dev/block', deviceNumber));
    for (let depth = 0; depth < STACKED_MAX; depth++) {
      if (existsSync(join(directory, 'partition'))) directory = dirname(directory);
      const below = readSlaves(directory);
      if (below.length !== 1) break;
      directory = realpathSync(join(directory, 'slaves', below[0] as string));
    }
    return {
      name: basename(directory),
      isRotational: readFlag(join(directory, 'queue/rotational')),
      isRemovable: readFlag(join(directory, 'removable')),
      directory,
    };
  } catch {
    // The kernel has no such device.
    return null;
  }
}

/** Bytes that were written to a disk since it came up, by everybody; null when the kernel does not tell. */
export function bytesWrittenTo({ directory }: BlockDevice): number | null {
  try {
    const sectors = Number(readFileSync(join(directory, 'stat'), 'utf8').trim().split(/\s+/)[STAT_SECTORS_WRITTEN]);
    return Number.isFinite(sectors) ? sectors * SECTOR_BYTES : null;
  } catch {
    // Pulled out meanwhile.
    return null;
  }
}

function readSlaves(directory: string): string[] {
  try {
    return readdirSync(join(directory, 'slaves'));
  } catch {
    // A disk of its own need not have the directory.
    return [];
  }
}

function readFlag(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').trim() === '1';
  } catch {
    // Older kernels show less.
    return false;
  }
}
