import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './daemon.js';

/** Bytes that a small disk holds. */
export const SMALL_DISK_BYTES = 65_536;

function mount(folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK_BYTES}`, 'tmpfs', folder], { stdio: 'ignore' });
}

/** Why nothing can be mounted here, or null. */
export function smallDiskObstacle(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const folder = mkdtempSync(join(tmpdir(), 'flowberry-test-'));
  try {
    mount(folder);
    execFileSync('umount', [folder]);
    return null;
  } catch {
    return 'needs the right to mount';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A folder on a disk of its own that is soon full; it goes when the test has finished. */
export function smallDisk(): string {
  const folder = temporaryDirectory();
  mount(folder);
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

/** Makes a small disk hold so many bytes. */
export function resizeDisk(folder: string, bytes: number): void {
  execFileSync('mount', ['-o', `remount,size=${bytes}`, folder]);
}
