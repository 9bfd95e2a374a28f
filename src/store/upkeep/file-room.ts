import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database, Statement } from 'better-sqlite3';

/** What retention is asked to keep to. */
export interface RoomLimits {
  /** Bytes that the file and its write-ahead log may take. */
  readonly fileBytesMax: number;
  /** Room on the disk that is left to others, unless a tenth of the disk is less. */
  readonly freeBytesMin: number;
  /** Rows of one transaction: so many may come before the next look. */
  readonly batchRowsMax: number;
}

/** Largest share of the limit that is kept for the write-ahead log, and the most that it is given. */
const WAL_SHARE = 4;
const WAL_BYTES_MAX = 64 * 2 ** 20;
/** The log is moved into the file when it has reached this share of its room: a large batch and a short reader still fit in. */
const CHECKPOINT_SHARE = 4;
/** Rows are deleted when the pages in use come so near to the limit. */
const HEADROOM_SHARE = 32;
/** … and until there are so many more: pages that become free are cheapest when new rows take them soon. */
const AMPLE_PAGES = 128;
/** Pages of a batch at most: a row of a flow with names, look-ups and rollups. */
const ROW_BYTES_MAX = 512;
const TENTH = 10;

/** The bytes of a disk, and those of them that are free for this user. */
export interface DiskBytes {
  readonly free: number;
  readonly total: number;
}

/** The disk of the file at `path`. */
export function diskBytes(path: string): DiskBytes {
  const { bavail, blocks, bsize } = statfsSync(dirname(path));
  return { free: bavail * bsize, total: blocks * bsize };
}

/** Length of the write-ahead log of the database at `path`; 0 where there is none. */
export function walBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/** The limit where the operator gives 0: what the file has, and half of what is free beside it. */
export function fileBytesMaxOf(path: string, given: number): number {
  if (given > 0) return given;
  const own = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) + walBytes(path);
  return Math.floor((own + diskBytes(path).free) / 2);
}

/**
 * How much room the database has left below its limits. Pages that are free count as room: SQLite takes them before it makes the file
 * longer, so that the file never exceeds what was in use at most. The file does not shrink; `flowberry db compact` does that.
 */
export class FileRoom {
  /** Bytes that the write-ahead log may have; the file gets the rest. */
  walBytesMax = 0;
  /** Pages of the write-ahead log after which a commit moves it into the file. */
  checkpointPages = 0;
  private readonly pageBytes: number;
  private pagesMax = 0;
  private headroomPages = 0;
  private readonly pageCount: Statement<[], number>;
  private readonly freePages: Statement<[], number>;

  constructor(
    db: Database,
    private limits: RoomLimits,
    private readonly disk: () => DiskBytes = () => diskBytes(db.name),
  ) {
    this.pageBytes = db.pragma('page_size', { simple: true }) as number;
    this.adjust(limits);
    this.pageCount = db.prepare<[], number>('PRAGMA page_count').pluck();
    this.freePages = db.prepare<[], number>('PRAGMA freelist_count').pluck();
  }

  /** Goes by other limits from now on. */
  adjust(limits: RoomLimits): void {
    const { pageBytes } = this;
    this.limits = limits;
    this.walBytesMax = Math.min(WAL_BYTES_MAX, Math.floor(limits.fileBytesMax / WAL_SHARE));
    this.checkpointPages = Math.floor(this.walBytesMax / CHECKPOINT_SHARE / pageBytes);
    this.pagesMax = Math.floor((limits.fileBytesMax - this.walBytesMax) / pageBytes);
    this.headroomPages = Math.max(
      Math.floor(this.pagesMax / HEADROOM_SHARE),
      Math.ceil((limits.batchRowsMax * ROW_BYTES_MAX) / pageBytes),
    );
  }

  /** Bytes of the pages that are in use. */
  get bytesUsed(): number {
    return this.pagesUsed * this.pageBytes;
  }

  /** Whether the next batches may not fit. */
  get isShort(): boolean {
    return this.room < this.headroomPages;
  }

  /** Whether there is as much room as deleting is to make. */
  get isAmple(): boolean {
    return this.room >= this.headroomPages + AMPLE_PAGES;
  }

  /** Whether more is in use than the limit allows. */
  get isOver(): boolean {
    return this.room < 0;
  }

  /**
   * Whether the disk is so full that the file must not grow, and there are not pages enough inside of it. Deleting makes free pages; it
   * gives nothing back to the disk, so it ends when there are.
   */
  isDiskShort(): boolean {
    const { free, total } = this.disk();
    return free < Math.min(this.limits.freeBytesMin, total / TENTH) && (this.freePages.get() as number) < this.headroomPages;
  }

  private get room(): number {
    return this.pagesMax - this.pagesUsed;
  }

  private get pagesUsed(): number {
    return (this.pageCount.get() as number) - (this.freePages.get() as number);
  }
}
