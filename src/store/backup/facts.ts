import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
import type { BackupFacts } from './backup-files.js';

/** Counts what a flowberry database holds: all of it is read. Inside a transaction, all of one moment. */
export function readFacts(db: Database): BackupFacts {
  const schemaVersion = db.pragma('user_version', { simple: true }) as number;
  const count = (sql: string): number => db.prepare<[], number>(sql).pluck().get() as number;
  const sums = db
    .prepare<[], Omit<BackupFacts, 'schema_version' | 'flows' | 'dns'>>(
      `SELECT count(*) AS ledger_rows, coalesce(sum(flows_written), 0) AS flows_written,
         coalesce(sum(packets_written), 0) AS packets_written FROM ledger`,
    )
    .get() as Omit<BackupFacts, 'schema_version' | 'flows' | 'dns'>;
  return {
    schema_version: schemaVersion,
    flows: count('SELECT count(*) FROM flows'),
    // Before version 4 there was none.
    dns: schemaVersion >= 4 ? count('SELECT count(*) FROM dns') : 0,
    ...sums,
  };
}

/** Throws an `AppError` with this code when the file is not sound or does not hold what it should. */
export function verifyCopy(
  db: Database,
  expected: BackupFacts,
  code: 'BACKUP_FAILED' | 'BACKUP_INVALID' | 'DATABASE_SAVE_FAILED',
  what: string,
): void {
  const lines = db.prepare<[], string>('PRAGMA integrity_check(3)').pluck().all();
  if (lines.length !== 1 || lines[0] !== 'ok') throw new AppError(code, `${what}: the file is not sound: ${lines.join('; ')}`);
  const found = readFacts(db);
  const differing = (Object.keys(expected) as (keyof BackupFacts)[]).filter((key) => found[key] !== expected[key]);
  if (differing.length === 0) return;
  const detail = differing.map((key) => `${key} is ${found[key]} and should be ${expected[key]}`).join('; ');
  throw new AppError(code, `${what}: it does not hold what the database held: ${detail}`);
}
