import type { Database, Statement } from 'better-sqlite3';
import type { PipelineMemory } from '../messages.js';
import { GapLog } from '../ring/gap-log.js';
import { LinkTable } from '../ring/link-table.js';
import { GAP_REASONS, NicCounter } from '../ring/watch-layout.js';

/** Counters of a network card that stand for packets which never reached the kernel's capture. */
const LOST = [NicCounter.RxMissed, NicCounter.RxFifo, NicCounter.RxOver] as const;

/**
 * The tables `gaps` and `nic_losses`, as the writer keeps them for one session: when nothing could be captured, and what network
 * cards lost. What the capture counts itself is in `ledger`. The database is the truth: `resume` reads back from it.
 */
export class Losses {
  private readonly gaps: GapLog;
  private readonly links: LinkTable;
  private readonly insertGap: Statement<[number, number, string, string, number, number | null]>;
  private readonly endGap: Statement<[number, number, number]>;
  private readonly addLost: Statement<[number, number, string, number]>;
  /** Number of the last gap that is stored, and those of the stored gaps that had no end. */
  private lastNumber = 0;
  private open: number[] = [];
  /** Stored losses by interface. */
  private lost = new Map<string, number>();
  private next = { lastNumber: 0, open: [] as number[], lost: new Map<string, number>() };

  /** Call `resume` before anything else. */
  constructor(
    private readonly db: Database,
    private readonly sessionId: number,
    memory: PipelineMemory,
  ) {
    this.gaps = new GapLog(memory.gaps);
    this.links = new LinkTable(memory.links);
    this.insertGap = db.prepare('INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?, ?, ?)');
    this.endGap = db.prepare('UPDATE gaps SET end_us = ? WHERE session_id = ? AND number = ?');
    this.addLost = db.prepare(
      'INSERT INTO nic_losses (session_id, minute_us, interface, packets_lost) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET packets_lost = packets_lost + excluded.packets_lost',
    );
  }

  /** Reads what is committed for this session. */
  resume(): void {
    const gaps = this.db
      .prepare<[number], { number: number; end_us: number | null }>('SELECT number, end_us FROM gaps WHERE session_id = ?')
      .all(this.sessionId);
    this.lastNumber = gaps.reduce((last, { number }) => Math.max(last, number), 0);
    this.open = gaps.filter(({ end_us }) => end_us === null).map(({ number }) => number);
    const lost = this.db
      .prepare<[number], [string, number]>(
        'SELECT interface, sum(packets_lost) FROM nic_losses WHERE session_id = ? GROUP BY interface',
      )
      .raw()
      .all(this.sessionId);
    this.lost = new Map(lost);
  }

  /** Whether there is anything that is not stored. */
  hasChanged(): boolean {
    return (
      this.gaps.lastNumber !== this.lastNumber ||
      this.open.some((number) => this.gaps.read(number)?.endUs !== null) ||
      [...this.lostNow()].some(([name, count]) => count > (this.lost.get(name) ?? 0))
    );
  }

  /** Stores what has changed, inside the open transaction, losses under the minute `minuteUs`. */
  write(minuteUs: number): void {
    const open: number[] = [];
    for (const number of this.open) {
      const endUs = this.gaps.read(number)?.endUs;
      if (endUs === null) open.push(number);
      else if (endUs !== undefined) this.endGap.run(endUs, this.sessionId, number);
    }
    let { lastNumber } = this;
    for (const { number, startUs, endUs, reason, linkIndex } of this.gaps.after(lastNumber)) {
      this.insertGap.run(this.sessionId, number, this.links.name(linkIndex), GAP_REASONS[reason] ?? '', startUs, endUs);
      if (endUs === null) open.push(number);
      lastNumber = number;
    }
    const lost = this.lostNow();
    for (const [name, count] of lost) {
      const more = count - (this.lost.get(name) ?? 0);
      if (more > 0) this.addLost.run(this.sessionId, minuteUs, name, more);
      else lost.set(name, this.lost.get(name) ?? 0);
    }
    this.next = { lastNumber, open, lost };
  }

  /** The transaction is committed. */
  settle(): void {
    ({ lastNumber: this.lastNumber, open: this.open, lost: this.lost } = this.next);
  }

  private lostNow(): Map<string, number> {
    const lost = new Map<string, number>();
    for (let index = 0; index < this.links.count; index++) {
      const counters = this.links.counters(index);
      const name = this.links.name(index);
      const sum = LOST.reduce((total, counter) => total + (counters[counter] as number), 0);
      if (sum > 0) lost.set(name, sum);
    }
    return lost;
  }
}
