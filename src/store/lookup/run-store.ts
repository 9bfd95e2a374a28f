import type { Database, Statement } from 'better-sqlite3';
import { RowBuffer } from '../row-buffer.js';
import { eachDomain, LookupKind, type LookupSubject } from './lookup-kind.js';
import type { RunBuilder } from './run-builder.js';

/** Columns of the tables, in their order. */
const enum RunColumn {
  Count = 8,
}
const enum BlockColumn {
  Count = 7,
}
const enum EntryColumn {
  Run = 0,
  Kind,
  Key,
  Places,
  Count,
}

/** A run as it is stored. */
export interface StoredRun {
  readonly run: number;
  readonly afterId: number;
  readonly lastId: number;
  readonly rowCount: number;
}

/** The tables of look-ups as the writer uses them, for one subject. Has no transaction of its own. */
export class RunStore {
  private readonly insertRun: Statement<number[]>;
  private readonly insertBlock: Statement<(number | string)[]>;
  private readonly entries: RowBuffer;
  private readonly nextRun: Statement<[], number>;
  private readonly findText: Statement<[number], string>;
  private readonly list: Statement<[number], StoredRun>;
  private readonly stale: Statement<[subject: number, firstId: number, lastId: number]>;

  constructor(
    db: Database,
    readonly subject: LookupSubject,
  ) {
    const marks = (count: number): string => new Array(count).fill('?').join();
    this.insertRun = db.prepare<number[]>(`INSERT INTO lookup_runs VALUES (${marks(RunColumn.Count)})`);
    this.insertBlock = db.prepare<(number | string)[]>(`INSERT INTO lookup_blocks VALUES (${marks(BlockColumn.Count)})`);
    this.entries = new RowBuffer(db, 'lookup', EntryColumn.Count);
    this.nextRun = db.prepare<[], number>('SELECT coalesce(max(run), 0) + 1 FROM lookup_runs').pluck();
    this.findText = db.prepare<[number], string>('SELECT text FROM texts WHERE id = ?').pluck();
    this.list = db.prepare(
      `SELECT run, after_id AS afterId, last_id AS lastId, row_count AS rowCount FROM lookup_runs
       WHERE subject = ? AND is_stale = 0 ORDER BY last_id`,
    );
    this.stale = db.prepare(
      'UPDATE lookup_runs SET is_stale = 1 WHERE subject = ? AND is_stale = 0 AND last_id >= ? AND after_id < ?',
    );
  }

  /** Runs that are in use, by their ids, which do not overlap. */
  runs(): StoredRun[] {
    return this.list.all(this.subject);
  }

  /** Rows with ids from `firstId` to `lastId` were added: runs that cover any of these ids no longer tell the truth. */
  markStale(firstId: number, lastId: number): void {
    this.stale.run(this.subject, firstId, lastId);
  }

  /** Writes the run, in place of those that cover any of its ids. */
  write(builder: RunBuilder): void {
    this.markStale(builder.afterId + 1, builder.lastId);
    const run = this.nextRun.get() as number;
    const { blocks } = builder;
    const { entries } = this;
    const startUsMin = Math.min(...blocks.map((block) => block.startUsMin));
    const bytesMax = Math.max(...blocks.map((block) => block.bytesMax));
    this.insertRun.run(run, this.subject, builder.afterId, builder.lastId, builder.rowCount, startUsMin, bytesMax, 0);
    blocks.forEach((block, number) => {
      const ages = JSON.stringify(block.segmentLastIds.map((id) => block.lastId - id));
      this.insertBlock.run(run, number, block.lastId, block.rowCount, block.startUsMin, block.bytesMax, ages);
    });
    entries.begin();
    const domainsOf = (id: number, put: (hash: number) => void): void => {
      const text = this.findText.get(id);
      if (text !== undefined) eachDomain(text, put);
    };
    builder.eachEntry(LookupKind.Name, LookupKind.Domain, domainsOf, (kind, key, places) => {
      const { values, at } = entries;
      values[at + EntryColumn.Run] = run;
      values[at + EntryColumn.Kind] = kind;
      values[at + EntryColumn.Key] = key;
      values[at + EntryColumn.Places] = places;
      entries.push();
    });
    entries.finish();
  }
}
