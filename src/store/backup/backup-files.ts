import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';

/** How a backup is packed, and how its name ends. */
export const COMPRESSIONS = { gzip: '.gz', zstd: '.zst' } as const;

export type Compression = keyof typeof COMPRESSIONS;

/** What could be read of a backup or of the database that it was made from; both must agree. */
const factsSchema = z.object({
  schema_version: z.int().nonnegative(),
  flows: z.int().nonnegative(),
  dns: z.int().nonnegative(),
  ledger_rows: z.int().nonnegative(),
  flows_written: z.int().nonnegative(),
  packets_written: z.int().nonnegative(),
});

export type BackupFacts = z.output<typeof factsSchema>;

/** The JSON file beside a backup. */
const metadataSchema = z.object({
  /** Version of this format. */
  flowberry_backup: z.literal(1),
  /** Path of the database that it was made from. */
  database: z.string(),
  /** Name of the file that it tells about. */
  file: z.string(),
  compression: z.enum(['gzip', 'zstd']),
  /** Wall clock of the snapshot, µs since 1970. */
  created_us: z.int().nonnegative(),
  facts: factsSchema,
  /** Of the database unpacked, and of the file. */
  database_bytes: z.int().nonnegative(),
  file_bytes: z.int().nonnegative(),
  database_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  file_sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type BackupMetadata = z.output<typeof metadataSchema>;

/** A backup that is whole: its file has the size that its metadata tell. */
export interface GoodBackup {
  readonly path: string;
  readonly metadata: BackupMetadata;
}

/** Backups of a database begin with its name, without the usual endings. */
export function backupStem(databasePath: string): string {
  return basename(databasePath).replace(/\.(db|sqlite3?)$/, '');
}

/** `20261121T020000Z`: sorts by time, and is a file name everywhere. */
export function timeName(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** Name of a backup without the ending that tells how it is packed. */
export function backupName(databasePath: string, nowMs: number): string {
  return `${backupStem(databasePath)}-${timeName(nowMs)}.db`;
}

/** Where the metadata of a backup are. */
export function metadataPath(backupPath: string): string {
  return `${backupPath}.json`;
}

/** The metadata of a backup, or null where there are none that make sense. Throws what reading throws, but for a missing file. */
export function readMetadata(backupPath: string): BackupMetadata | null {
  if (!existsSync(metadataPath(backupPath))) return null;
  try {
    return metadataSchema.parse(JSON.parse(readFileSync(metadataPath(backupPath), 'utf8')));
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return null;
    throw error;
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The whole backups of this database, the newest first. Files of other names, and backups of other databases, are not looked at. */
export function goodBackups(directory: string, databasePath: string): GoodBackup[] {
  const pattern = new RegExp(`^${escaped(backupStem(databasePath))}-\\d{8}T\\d{6}Z\\.db\\.(gz|zst)$`);
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => pattern.test(name)) : [];
  const found = names.flatMap((name): GoodBackup[] => {
    const path = join(directory, name);
    const metadata = readMetadata(path);
    if (metadata === null || metadata.database !== databasePath || metadata.file !== name) return [];
    return statSync(path).size === metadata.file_bytes ? [{ path, metadata }] : [];
  });
  return found.sort((a, b) => b.metadata.created_us - a.metadata.created_us);
}

/** Deletes the oldest good backups beyond `keep`, and gives their paths. Call it only behind a new good one. */
export function deleteOld(directory: string, databasePath: string, keep: number): string[] {
  const old = goodBackups(directory, databasePath).slice(keep);
  for (const { path } of old) {
    // The backup first: metadata alone mean nothing, a backup alone would be one that nobody deletes.
    rmSync(path);
    rmSync(metadataPath(path));
  }
  return old.map(({ path }) => path);
}

/** Deletes what backups that were killed have left half-done. The caller keeps others from running. */
export function deleteUnfinished(directory: string, databasePath: string): void {
  const stem = escaped(backupStem(databasePath));
  const partial = new RegExp(`^${stem}-\\d{8}T\\d{6}Z\\.db(\\.gz|\\.zst)?(\\.json)?\\.partial(-journal|-wal|-shm)?$`);
  const orphan = new RegExp(`^${stem}-\\d{8}T\\d{6}Z\\.db\\.(gz|zst)\\.json$`);
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (partial.test(name) || (orphan.test(name) && !existsSync(path.replace(/\.json$/, '')))) rmSync(path);
  }
}
