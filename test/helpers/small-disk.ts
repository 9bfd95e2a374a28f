import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function run(...words: readonly string[]): void {
  execFileSync(words[0] as string, words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Why no file system can be mounted here, or null. */
export function mountObstacle(): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    new SmallDisk(1).remove();
    return null;
  } catch {
    return 'needs the right to mount';
  }
}

/** A file system of its own, in memory, of a few MiB. It goes when `remove` is called. */
export class SmallDisk {
  readonly path = mkdtempSync(join(tmpdir(), 'flowberry-disk-'));

  constructor(mib: number) {
    try {
      run('mount', '-t', 'tmpfs', '-o', `size=${mib}m,mode=0700`, 'flowberry-test', this.path);
    } catch (error) {
      rmSync(this.path, { recursive: true });
      throw error;
    }
  }

  /** Gives it another size, as if something else was deleted from it. */
  resize(mib: number): void {
    run('mount', '-o', `remount,size=${mib}m`, this.path);
  }

  /** As an operator does with a root that is not to be written to; processes that write to it must have ended. */
  setReadOnly(isReadOnly: boolean): void {
    run('mount', '-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, this.path);
  }

  /** Lazily, so that a process that was killed and is not gone yet does not hold it. */
  remove(): void {
    run('umount', '--lazy', this.path);
    rmSync(this.path, { recursive: true });
  }
}
