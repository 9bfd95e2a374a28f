import type { Database, Statement } from 'better-sqlite3';

/**
 * How far the rollups follow a table of rows, exactly once: all of its rows up to the id `foldedId` are in them and none above it.
 * Normally the rows above are in memory, and are written with the next flush. Rows that are not, because the writer was killed or a
 * transaction failed, are read again by a chore; meanwhile new rows wait for it in the table (`isBehind`). A row that comes with an id
 * below, from an old capture, is flushed with the transaction that writes it.
 */
export class FollowedTable {
  /** Rows above `foldedId` are in the table that are not in memory. */
  isBehind = false;
  /** Below all ids until the first `resume`, and a float from the start, as ids are: see `RunBuilder`. */
  foldedId = Number.NEGATIVE_INFINITY;
  /** Rows in memory. */
  pending = 0;
  /** The flush cannot wait: the transaction has rows below `foldedId`, or has written a part of what is in memory. */
  isUrgent = false;
  private idLast = Number.NEGATIVE_INFINITY;
  private readonly findFolded: Statement<[], number>;
  private readonly findAbove: Statement<[number], number>;
  private readonly setFolded: Statement<[number]>;

  constructor(db: Database, table: 'flows' | 'dns') {
    this.findFolded = db.prepare<[], number>(`SELECT folded_id FROM rollup_state WHERE table_name = '${table}'`).pluck();
    this.findAbove = db.prepare<[number], number>(`SELECT 1 FROM ${table} WHERE id > ? LIMIT 1`).pluck();
    this.setFolded = db.prepare<[number]>(`UPDATE rollup_state SET folded_id = ? WHERE table_name = '${table}'`);
  }

  /** What is in memory has been forgotten: reads how far the committed rollups reach. */
  resume(): void {
    this.foldedId = this.findFolded.get() as number;
    this.idLast = this.foldedId;
    this.isBehind = this.findAbove.get(this.foldedId) !== undefined;
    this.pending = 0;
    this.isUrgent = false;
  }

  /** Whether a row with this id, which is being inserted, is to be added to what is in memory. */
  takes(id: number): boolean {
    if (id <= this.foldedId) this.isUrgent = true;
    else if (this.isBehind) return false;
    else if (id > this.idLast) this.idLast = id;
    this.pending++;
    return true;
  }

  /** Whether a flow without a row is to be added to what is in memory. Nobody could read it again. */
  takesShed(): boolean {
    if (this.isBehind) return false;
    this.pending++;
    return true;
  }

  /** Notes that a chore has read the rows up to this id, and whether those were all. */
  caughtUp(id: number, isAll: boolean): void {
    this.idLast = id;
    this.isBehind = !isAll;
  }

  /** What was in memory has been written in the open transaction. */
  flushed(): void {
    if (this.idLast !== this.foldedId) this.setFolded.run(this.idLast);
    this.foldedId = this.idLast;
    this.pending = 0;
    this.isUrgent = false;
  }
}
