import type { Config } from '../../config.js';
import { createThreadBlock, ThreadBlock } from '../../ring/thread-block.js';
import { closeDatabase, openForWriting } from '../open-database.js';
import { agingRows } from './aging-rows.js';
import { FileRoom, fileBytesMaxOf } from './file-room.js';
import { DAY_US } from './fold-ledger.js';
import { removeOldest } from './oldest-first.js';
import { retentionRows } from './retention-rows.js';
import { Slices } from './slices.js';

/** Nobody waits for these slices; a longer one wastes less on its beginning and its end. */
const SLICE_MS = 200;

/** What `db prune` is asked for. */
export interface PruneRequest {
  readonly config: Config;
  /** Rows of every kind go when they are older than this; null: those that the options say. */
  readonly olderThanDays: number | null;
  readonly nowUs: number;
}

/** What was deleted. */
export interface PruneReport {
  readonly path: string;
  readonly rows: readonly { readonly name: string; readonly rows: number }[];
  /** Bytes of pages in use. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly bytesMax: number;
  /** Whether that is less than the limit. */
  readonly isWithinLimit: boolean;
}

/**
 * Deletes what retention would: what is too old by `nowUs`, then the oldest until the limits of the options are kept. Takes the
 * writer's lock; throws what `openForWriting` throws. `progress` is called for each slice with the rows deleted so far.
 */
export function pruneDatabase({ config, olderThanDays, nowUs }: PruneRequest, progress: (rows: number) => void): PruneReport {
  const database = openForWriting(config, nowUs);
  const { db } = database;
  try {
    const bytesMax = fileBytesMaxOf(db.name, config.retentionFileBytesMax);
    const room = new FileRoom(db, {
      fileBytesMax: bytesMax,
      freeBytesMin: config.retentionFreeBytesMin,
      batchRowsMax: config.batchRowsMax,
    });
    const { aged, byRoom } = retentionRows(db, config, agingRows(db));
    const slices = new Slices(db, new ThreadBlock(createThreadBlock()));
    const removed = new Map<string, number>();
    let sum = 0;
    const count = (name: string, rows: number): number => {
      sum += rows;
      removed.set(name, (removed.get(name) ?? 0) + rows);
      progress(sum);
      return rows;
    };
    const bytesBefore = room.bytesUsed;
    for (const { rows, daysMax } of aged) {
      const days = olderThanDays ?? daysMax;
      if (days === 0) continue;
      const beforeUs = nowUs - days * DAY_US;
      while (
        count(
          rows.name,
          slices.run(SLICE_MS, (rowsMax) => rows.prune(beforeUs, rowsMax)),
        ) > 0
      );
    }
    const makeRoom = (rowsMax: number): number => {
      const slice = removeOldest(byRoom, rowsMax);
      return slice === null ? 0 : count(slice.name, slice.rows);
    };
    while (room.isShort && slices.run(SLICE_MS, makeRoom) > 0);
    db.pragma('wal_checkpoint(TRUNCATE)');
    const rows = [...removed].map(([name, rows]) => ({ name, rows }));
    return { path: db.name, rows, bytesBefore, bytesAfter: room.bytesUsed, bytesMax, isWithinLimit: !room.isOver };
  } finally {
    closeDatabase(database);
  }
}
