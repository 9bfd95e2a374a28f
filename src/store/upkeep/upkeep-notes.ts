import type { Database, Statement } from 'better-sqlite3';

/** What a task of the upkeep has left behind. */
interface TaskNote {
  readonly doneUs: number;
  readonly result: string;
}

/** The table `upkeep`: what tasks remember from run to run. Has no transaction of its own. */
export class UpkeepNotes {
  private readonly find: Statement<[string], TaskNote>;
  private readonly replace: Statement<[string, number, string]>;

  constructor(db: Database) {
    this.find = db.prepare('SELECT done_us AS doneUs, result FROM upkeep WHERE task = ?');
    this.replace = db.prepare('INSERT OR REPLACE INTO upkeep VALUES (?, ?, ?)');
  }

  /** Undefined for a task that was never done on this file. */
  read(task: string): TaskNote | undefined {
    return this.find.get(task);
  }

  write(task: string, doneUs: number, result: string): void {
    this.replace.run(task, doneUs, result);
  }
}
