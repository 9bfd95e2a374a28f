import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Probes } from './probes.js';

/** The machine as its kernel shows it below `root`, and what has to be tried out; a test gives both. */
export class Host {
  constructor(
    readonly probes: Probes,
    private readonly root = '/',
  ) {}

  /** Content of a file without the line end; null where there is none that can be read. */
  text(file: string): string | null {
    try {
      return readFileSync(path.join(this.root, file), 'utf8').trimEnd();
    } catch {
      // Not there, not for this user, or a driver that does not tell: either way it is not known.
      return null;
    }
  }

  /** A file of one number, decimal or as `0x…`; null where there is none. */
  number(file: string): number | null {
    const text = this.text(file)?.trim() ?? '';
    return /^(-?\d+|0x[\da-f]+)$/i.test(text) ? Number(text) : null;
  }

  /** Names in a folder, sorted; empty where there is none. */
  list(folder: string): string[] {
    try {
      return readdirSync(path.join(this.root, folder)).sort();
    } catch {
      // As above.
      return [];
    }
  }

  /** Whether there is anything of this name, a link that leads nowhere included. */
  has(file: string): boolean {
    return this.list(path.posix.dirname(file)).includes(path.posix.basename(file));
  }

  /** What a symbolic link says; null where there is none. */
  link(file: string): string | null {
    try {
      return readlinkSync(path.join(this.root, file));
    } catch {
      // As above.
      return null;
    }
  }
}
