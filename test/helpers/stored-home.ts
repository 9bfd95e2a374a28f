import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type FrameToWrite, pcapFile } from './capture-file.js';
import { replay } from './daemon.js';

/** A database in `directory` with these frames, and with 4,321 packets in its last minute that were lost. */
export async function storedHome(directory: string, frames: readonly FrameToWrite[]): Promise<string> {
  const capture = join(directory, 'home.pcap');
  const database = join(directory, 'home.db');
  writeFileSync(capture, pcapFile(frames));
  await replay([capture, '--db', database]);
  const db = new Database(database);
  db.exec('INSERT INTO unwritten SELECT session_id, max(minute_us), 1, 4321, 1, 1 FROM ledger');
  db.close();
  return database;
}
