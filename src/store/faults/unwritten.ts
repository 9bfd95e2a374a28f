import type { Database, Statement } from 'better-sqlite3';
import { Cell, type ThreadBlock } from '../../ring/thread-block.js';
import type { Counts } from '../counters.js';
import { identityOf } from './file-identity.js';

/** Columns of `unwritten` and cells of what is lost. */
const COLUMNS = [
  ['flows', Cell.FlowsLost],
  ['packets', Cell.PacketsLost],
  ['ip_bytes', Cell.IpBytesLost],
  ['wire_bytes', Cell.WireBytesLost],
] as const;

/** What the ledger of a file counts: the cell of what is lost with it, that of what it has, and the ledger's column. */
const LEDGER = [
  [Cell.FlowsLost, Cell.FlowsWritten, 'flows_written'],
  [Cell.PacketsLost, Cell.PacketsWritten, 'packets_written'],
  [Cell.IpBytesLost, Cell.IpBytesWritten, 'ip_bytes_written'],
  [Cell.WireBytesLost, Cell.WireBytesWritten, 'wire_bytes_written'],
  [Cell.FlowsLost, Cell.FlowsShed, 'flows_shed'],
  [Cell.PacketsLost, Cell.PacketsShed, 'packets_shed'],
  [Cell.IpBytesLost, Cell.IpBytesShed, 'ip_bytes_shed'],
  [Cell.WireBytesLost, Cell.WireBytesShed, 'wire_bytes_shed'],
] as const;

/**
 * The table `unwritten`, as the writer keeps it for one session: flows that left the rings and are in no row. The cells of the writer's
 * block are the truth, since they outlive thread and file; each write adds what they rose by since the last one.
 */
export class Unwritten {
  private readonly upsert: Statement<number[]>;
  private readonly sums: Statement<[number], number[]>;
  private stored: readonly number[] = [0, 0, 0, 0];
  private next: readonly number[] = [0, 0, 0, 0];

  /** Call `resume` before anything else. */
  constructor(
    private readonly db: Database,
    private readonly sessionId: number,
    private readonly block: ThreadBlock,
  ) {
    const names = COLUMNS.map(([name]) => name);
    this.upsert = db.prepare<number[]>(
      `INSERT INTO unwritten (session_id, minute_us, ${names.join(', ')}) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ${names.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`,
    );
    this.sums = db
      .prepare<[number], number[]>(
        `SELECT ${names.map((name) => `coalesce(sum(${name}), 0)`).join(', ')} FROM unwritten WHERE session_id = ?`,
      )
      .raw();
  }

  /** Rises when records are dropped or the file changes; ring positions that were stored under another number mean nothing. */
  get rounds(): number {
    return this.block.cell(Cell.LossRounds);
  }

  /** Reads what is committed for this session. `counted` is what the file's ledger says. */
  resume(counted: Counts['columns']): void {
    this.adopt(counted);
    this.stored = this.sums.get(this.sessionId) ?? [0, 0, 0, 0];
  }

  /** Whether losses have come to light since the last commit. */
  hasChanged(): boolean {
    return COLUMNS.some(([, lost], index) => this.block.cell(lost) !== this.stored[index]);
  }

  /** Stores what has changed, inside the open transaction, under the minute `minuteUs`. */
  write(minuteUs: number): void {
    this.next = COLUMNS.map(([, lost]) => this.block.cell(lost));
    if (!this.hasChanged()) return;
    this.upsert.run(this.sessionId, minuteUs, ...this.next.map((count, index) => count - (this.stored[index] as number)));
  }

  /** The transaction is committed. */
  settle(): void {
    this.stored = this.next;
  }

  /**
   * In another file than before, all that has left the rings and is not in there is lost; so is the count of what was left out. That is
   * also so where the file is an older copy of the one before. The same file can know more than the cells, when a writer died behind a
   * commit, and never less.
   */
  private adopt(counted: Counts['columns']): void {
    const { block, db } = this;
    const file = identityOf(db.name) ?? { device: -1, inode: -1 };
    const isFirst = block.cell(Cell.FileInode) === 0;
    const isSame = block.cell(Cell.FileDevice) === file.device && block.cell(Cell.FileInode) === file.inode;
    const isOlder = counted.flows_written < block.cell(Cell.FlowsWritten) || counted.flows_shed < block.cell(Cell.FlowsShed);
    if (!(isFirst || isSame) || isOlder) {
      block.cells[Cell.LossRounds] = this.rounds + 1;
      for (const [lost, stored, column] of LEDGER) {
        block.cells[lost] = block.cell(lost) + block.cell(stored) - counted[column];
        block.cells[stored] = counted[column];
      }
      for (const [, lost] of COLUMNS) block.cells[lost] = Math.max(0, block.cell(lost));
    }
    block.cells[Cell.FileDevice] = file.device;
    block.cells[Cell.FileInode] = file.inode;
  }
}
