import { closeSync, openSync, readSync } from 'node:fs';

/** Byte offsets in the `-shm` file (SQLite's "WAL-mode File Format", section 2.1): frames in the log, and frames that are in the file. */
const FRAMES_OFFSET = 16;
const BACKFILLED_OFFSET = 96;
const HEADER_BYTES = 100;

const header = new DataView(new ArrayBuffer(HEADER_BYTES));
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Pages of the write-ahead log of the database `path` that a checkpoint has still to move into the file; the same page may be among
 * them more than once. 0 where there is no such log.
 */
export function walPagesPending(path: string): number {
  let file: number;
  try {
    file = openSync(`${path}-shm`, 'r');
  } catch {
    // Another journal mode, or the database is closed.
    return 0;
  }
  try {
    if (readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return 0;
  } finally {
    closeSync(file);
  }
  const frames = header.getUint32(FRAMES_OFFSET, IS_LITTLE_ENDIAN);
  return Math.max(0, frames - header.getUint32(BACKFILLED_OFFSET, IS_LITTLE_ENDIAN));
}
