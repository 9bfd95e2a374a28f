import type { Database } from 'better-sqlite3';
import type { Session } from '../messages.js';
import { COUNT_COLUMNS, type Counts } from './counters.js';

/** What the table `sessions` says at a start. */
export interface SessionOpened {
  readonly id: number;
  /** Sessions that nobody had closed, and the packets that their last commit counted in flows but had not written yet. */
  readonly uncleanSessions: number;
  readonly packetsUnwritten: number;
}

/**
 * Opens the session in the table, or takes it up again when it is there: a writer thread was replaced. Sessions of earlier runs
 * that are still open were killed; they are marked and given the counts that their ledger has.
 */
export function openSession(db: Database, session: Session): SessionOpened {
  const sums = COUNT_COLUMNS.map(
    (column) => `${column} = (SELECT coalesce(sum(${column}), 0) FROM ledger WHERE session_id = id)`,
  );
  const open = db.transaction((): SessionOpened => {
    const killed = db
      .prepare<[string], { missing: number }>(
        `UPDATE sessions SET clean = 0, ${sums.join(', ')} WHERE clean IS NULL AND key <> ?
         RETURNING packets_in_flows - packets_written - packets_shed
           - (SELECT coalesce(sum(packets), 0) FROM unwritten WHERE session_id = id) AS missing`,
      )
      .all(session.key);
    const id = db
      .prepare<[string, string, string, number], number>(
        `INSERT INTO sessions (key, mode, source, started_us) VALUES (?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET ended_us = NULL, clean = NULL RETURNING id`,
      )
      .pluck()
      .get(session.key, session.mode, session.source, session.startedUs) as number;
    const packetsUnwritten = killed.reduce((sum, row) => sum + row.missing, 0);
    return { id, uncleanSessions: killed.length, packetsUnwritten };
  });
  return open.immediate();
}

/** Closes the session with its final counts, inside the open transaction. */
export function closeSession(db: Database, id: number, endedUs: number, counts: Counts): void {
  const columns = COUNT_COLUMNS.map((column) => `${column} = ?`).join(', ');
  db.prepare(`UPDATE sessions SET ended_us = ?, clean = 1, ${columns} WHERE id = ?`).run(
    endedUs,
    ...COUNT_COLUMNS.map((column) => counts.columns[column]),
    id,
  );
}
