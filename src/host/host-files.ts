import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where the kernel shows itself; tests give folders of their own. */
export interface HostRoots {
  /** `/proc` */
  readonly procfs: string;
  /** `/sys` */
  readonly sysfs: string;
}

export const SYSTEM_ROOTS: HostRoots = { procfs: '/proc', sysfs: '/sys' };

/** Text of a small file, or null: a value that the kernel does not show, or not to this user, is one that is not known. */
export function readText(...path: string[]): string | null {
  try {
    return readFileSync(join(...path), 'utf8');
  } catch {
    return null;
  }
}

/** The number that a file begins with, NaN without one. */
export function readNumber(...path: string[]): number {
  const text = readText(...path);
  return text === null ? Number.NaN : Number.parseFloat(text);
}

/** Names in a folder in a stable order; none where it cannot be read. */
export function readNames(...path: string[]): string[] {
  try {
    return readdirSync(join(...path)).sort();
  } catch {
    return [];
  }
}

/** Free and total bytes of the file system that holds `path`, NaN where nobody says. Free is what an ordinary user may take. */
export function diskSpace(path: string): { readonly freeBytes: number; readonly totalBytes: number } {
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return { freeBytes: Number.NaN, totalBytes: Number.NaN };
  }
}

/** Folder below `/sys/dev/block` of the device that holds `path`, or null for file systems without one, such as overlays. */
export function blockDeviceOf(roots: HostRoots, path: string): string | null {
  try {
    const device = statSync(path).dev;
    // As makedev(3) of Linux lays them out.
    const major = ((device >>> 8) & 0xfff) | (Math.floor(device / 2 ** 32) & ~0xfff);
    const minor = (device & 0xff) | ((Math.floor(device / 2 ** 12) >>> 0) & ~0xff);
    const folder = join(roots.sysfs, 'dev/block', `${major}:${minor}`);
    return existsSync(folder) ? folder : null;
  } catch {
    return null;
  }
}
