import type { Database } from 'better-sqlite3';
import { openForReading } from '../open-database.js';
import { registerCommunityId } from '../query.js';

/** A connection that only reads. */
export type ReadingDatabase = Database;

/** Page cache of a reading connection: little, since the kernel caches the file as well. */
const CACHE_KIB = 4096;

/**
 * A connection for the queries of the API: it cannot write, and never waits for the writer (WAL). It knows the function
 * `community_id`. Throws what `openForReading` throws.
 */
export function openReader(path: string): Database {
  const db = openForReading(path);
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma('temp_store = MEMORY');
  db.pragma('query_only = ON');
  registerCommunityId(db);
  return db;
}
