import { createReadStream, createWriteStream, existsSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** What is kept of a log that has been rotated. */
export interface ArchiveLimits {
  /** Rotated files beside the one that is written; the oldest is deleted when there is one more. */
  readonly filesMax: number;
  /** Rotated files that are older are deleted. */
  readonly ageMsMax: number;
}

interface Entry {
  readonly name: string;
  /** Grows from file to file. */
  readonly number: number;
}

/**
 * The rotated files of a log: `NAME.7` before it is compressed, `NAME.7.gz` afterwards; the highest number is the youngest. A file is deleted
 * only once its compressed copy is on the disk, so a crash at any moment leaves each line somewhere, and the next start goes on.
 */
export class LogArchive {
  private readonly folder: string;
  private readonly prefix: string;
  private work: Promise<void> = Promise.resolve();

  /** `onTrouble` is told why a file stays uncompressed. */
  constructor(
    private readonly path: string,
    private readonly limits: ArchiveLimits,
    private readonly onTrouble: (message: string) => void,
  ) {
    this.folder = dirname(path);
    this.prefix = `${basename(path)}.`;
  }

  /** Takes up what an earlier run has left. */
  recover(nowMs: number): void {
    for (const name of readdirSync(this.folder))
      if (name.startsWith(this.prefix) && name.endsWith('.gz.tmp')) unlinkSync(join(this.folder, name));
    for (const { name, number } of this.entries()) {
      if (name.endsWith('.gz')) continue;
      // The copy has its name only since it is complete.
      if (existsSync(`${this.pathOf(number)}.gz`)) unlinkSync(this.pathOf(number));
      else this.compressLater(number);
    }
    this.prune(nowMs);
  }

  /** Moves the file that was written so far to the rotated ones. Throws what the file system throws. */
  rotate(nowMs: number): void {
    const number = (this.entries().at(-1)?.number ?? 0) + 1;
    renameSync(this.path, this.pathOf(number));
    this.prune(nowMs);
    this.compressLater(number);
  }

  /** Deletes what is too old or too much. */
  prune(nowMs: number): void {
    const entries = this.entries();
    const tooMany = new Set(entries.slice(0, Math.max(0, entries.length - this.limits.filesMax)));
    for (const entry of entries) {
      const path = join(this.folder, entry.name);
      try {
        if (tooMany.has(entry) || statSync(path).mtimeMs < nowMs - this.limits.ageMsMax) unlinkSync(path);
      } catch (error) {
        // It was compressed meanwhile, or somebody else has deleted it.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.onTrouble(`${path}: ${(error as Error).message}`);
      }
    }
  }

  /** Resolves when nothing is left to compress. */
  settled(): Promise<void> {
    return this.work;
  }

  /** In the order of their numbers. */
  private entries(): Entry[] {
    return readdirSync(this.folder)
      .flatMap((name): Entry[] => {
        const match = name.startsWith(this.prefix) ? /^(\d{1,15})(\.gz)?$/.exec(name.slice(this.prefix.length)) : null;
        return match ? [{ name, number: Number(match[1]) }] : [];
      })
      .sort((a, b) => a.number - b.number);
  }

  private pathOf(number: number): string {
    return join(this.folder, `${this.prefix}${number}`);
  }

  /** One file at a time. */
  private compressLater(number: number): void {
    const path = this.pathOf(number);
    this.work = this.work.then(async () => {
      try {
        await compress(path);
      } catch (error) {
        if (!existsSync(path)) return;
        this.onTrouble(`${path} stays uncompressed until the next start: ${(error as Error).message}`);
      }
    });
  }
}

/** Makes `path.gz` of `path`, and deletes `path` when that is on the disk. */
async function compress(path: string): Promise<void> {
  const partial = `${path}.gz.tmp`;
  try {
    // Fails on a name that is there, a link included.
    await pipeline(createReadStream(path), createGzip(), createWriteStream(partial, { flags: 'wx', mode: 0o600 }));
    await synchronise(partial);
    await rename(partial, `${path}.gz`);
    // Without it, a power cut could leave the folder without the new name and without the old file.
    await synchronise(dirname(path));
    await unlink(path);
  } catch (error) {
    await unlink(partial).catch(() => undefined);
    throw error;
  }
}

/** Has a file or folder on the disk. */
async function synchronise(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
