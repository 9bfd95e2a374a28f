import { statSync } from 'node:fs';

/** What lies under a name: another file never has both numbers of one that is open. Inodes beyond 2^53 lose their last digits. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
}

/** The identity of the file under this name; null when there is none, or nobody can tell. */
export function identityOf(path: string): FileIdentity | null {
  try {
    const { dev, ino } = statSync(path);
    return { device: dev, inode: ino };
  } catch {
    return null;
  }
}

const isSame = (a: FileIdentity | null, b: FileIdentity | null): boolean =>
  a !== null && b !== null && a.device === b.device && a.inode === b.inode;

/** What has become of a file that is open. */
export type FileFate = 'same' | 'removed' | 'replaced';

/** Tells whether the name of an open database still leads to it. Costs one call of the kernel for each look. */
export class FileWatch {
  private readonly file: FileIdentity | null;
  private readonly log: FileIdentity | null;

  /** Made when the database at `path` has just been opened and written to. */
  constructor(private readonly path: string) {
    this.file = identityOf(path);
    this.log = identityOf(`${path}-wal`);
  }

  look(): FileFate {
    const now = statOrError(this.path);
    if (now === 'removed') return 'removed';
    // A disk that does not even answer that is no reason to begin another file.
    return now === 'unknown' || this.file === null || isSame(now, this.file) ? 'same' : 'replaced';
  }

  /** Whether the write-ahead log beside the name is still that of the open file. */
  get isLogOurs(): boolean {
    return isSame(identityOf(`${this.path}-wal`), this.log);
  }
}

function statOrError(path: string): FileIdentity | 'removed' | 'unknown' {
  try {
    const { dev, ino } = statSync(path);
    return { device: dev, inode: ino };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'removed' : 'unknown';
  }
}

/** Changes while a file is being put in place: it is to be opened only when two looks have found the same. */
export function fingerprintOf(path: string): string {
  try {
    const { dev, ino, size, mtimeMs } = statSync(path);
    return `${dev} ${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
