import type { Database, Statement } from 'better-sqlite3';
import type { InterfaceTable } from '../ring/interface-table.js';
import { Interface } from '../ring/layout.js';

/** The last id; it stands for all interfaces beyond it, of all runs together. */
const ID_MAX = 255;
const OVERFLOW_NAME = 'other';
const UNKNOWN = -1;

/** The dimension table `interfaces`, as the writer uses it: an interface keeps its id from run to run. */
export class Interfaces {
  /** Ids by index in the interface table of this run. */
  private readonly ids = new Int32Array(Interface.CountMax).fill(UNKNOWN);
  private readonly find: Statement<[string, number], number>;
  private readonly insert: Statement<[number, string, number]>;
  private readonly count: Statement<[], number>;

  constructor(
    db: Database,
    private readonly table: InterfaceTable,
  ) {
    this.find = db.prepare<[string, number], number>('SELECT id FROM interfaces WHERE name = ? AND link_type = ?').pluck();
    this.insert = db.prepare('INSERT OR IGNORE INTO interfaces VALUES (?, ?, ?)');
    this.count = db.prepare<[], number>('SELECT count(*) FROM interfaces').pluck();
  }

  /** Id of the interface at `index` of the interface table, from 0 to 255; a new one is inserted in the open transaction. */
  idOf(index: number): number {
    const id = this.ids[index] as number;
    return id === UNKNOWN ? this.lookUp(index) : id;
  }

  /** The transaction was rolled back: forgets what it had inserted. */
  revert(): void {
    this.ids.fill(UNKNOWN);
  }

  private lookUp(index: number): number {
    const name = this.table.name(index);
    const linkType = this.table.linkType(index);
    let id = this.find.get(name, linkType);
    if (id === undefined) {
      id = Math.min(this.count.get() as number, ID_MAX);
      if (id === ID_MAX) this.insert.run(ID_MAX, OVERFLOW_NAME, 0);
      else this.insert.run(id, name, linkType);
    }
    this.ids[index] = id;
    return id;
  }
}
