import { counter, gauge, type MetricEntry } from './metric-entry.js';

const US_PER_S = 1e6;

/** Metrics of the database as a file. */
export const FILE_METRICS: Readonly<Record<string, MetricEntry>> = {
  flowberry_writer_rows_pruned_total: counter(
    'Rows that were deleted for their age or for want of room.',
    ({ snapshot }) => snapshot.writer.upkeep.rowsPruned,
  ),
  flowberry_writer_names_lost_total: counter(
    'Records of names and devices that waited too long for a database that could not be written.',
    ({ snapshot }) => snapshot.writer.lost.names,
  ),
  flowberry_wal_held_bytes: gauge(
    'Bytes of the write-ahead log that a reader keeps from being moved into the database.',
    ({ snapshot }) => snapshot.writer.upkeep.walHeldBytes,
  ),
  flowberry_memory_database_bytes_max: gauge(
    'Bytes that a database in memory may have; 0 for one on a disk.',
    ({ snapshot }) => snapshot.writer.saves.memoryBytesMax,
  ),
  flowberry_saves_total: counter('Saves of a database in memory.', ({ snapshot }) => snapshot.writer.saves.made),
  flowberry_saves_failed_total: counter('Saves that failed.', ({ snapshot }) => snapshot.writer.saves.failed),
  flowberry_save_failures: gauge('Saves that failed since the last good one.', ({ snapshot }) => snapshot.writer.saves.failures),
  flowberry_saved_bytes: gauge('Bytes of the file that was saved last.', ({ snapshot }) => snapshot.writer.saves.lastBytes),
  flowberry_saved_timestamp_seconds: gauge(
    'When the database was saved last; 0 for never in this run.',
    ({ snapshot }) => snapshot.writer.saves.lastUs / US_PER_S,
  ),
  flowberry_file_checked_timestamp_seconds: gauge(
    'When the database was last checked; 0 for never.',
    ({ snapshot }) => (snapshot.writer.upkeep.checkedUs ?? 0) / US_PER_S,
  ),
  flowberry_file_damaged: gauge('1 when the last check found the database damaged.', ({ snapshot }) =>
    Number(snapshot.writer.upkeep.isDamaged),
  ),
};
