import Database from 'better-sqlite3';
import { checkDatabase } from '../../src/store/check.js';
import type { Writer } from '../../src/store/writer.js';
import { NOW_MS, type WriterRig } from './flow-records.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Lets the writer and its chores work until `toMs`, a turn every `everyMs`. */
export function pass(writer: Writer, fromMs: number, toMs: number, everyMs = 60_000): void {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += everyMs) while (writer.step(nowMs, false));
}

/** The same, until `isDone`; scans in processes of their own get time to answer. */
export async function passUntil(writer: Writer, fromMs: number, isDone: () => boolean, everyMs = 2000): Promise<number> {
  for (let nowMs = fromMs; ; nowMs += everyMs) {
    while (writer.step(nowMs, false));
    if (isDone()) return nowMs;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Names of the checks that do not hold. */
export function failedChecks(path: string): string[] {
  return checkDatabase(path)
    .checks.filter(({ ok }) => !ok)
    .map(({ name, detail }) => `${name}: ${detail}`);
}

/** A connection as the writer has one, on a database with the schema and nothing in it but what `sql` puts there. */
export function databaseOf(rig: WriterRig, sql = ''): Database.Database {
  rig.open(NOW_MS).close(NOW_MS);
  const db = new Database(rig.path);
  db.exec(sql);
  return db;
}
