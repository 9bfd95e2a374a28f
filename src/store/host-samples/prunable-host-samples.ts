import type { Database, Statement } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';

/** Samples of the machine go when they are older: a quarter of a year, some 20 MB. */
export const HOST_SAMPLES_DAYS = 90;

/** The minutes of the last day stay, by the newest of them. */
const KEPT_US = 86_400e6;

/** Rows of `host_samples`, as retention deletes them. */
export class PrunableHostSamples implements Prunable {
  readonly name = 'samples of the machine';
  private readonly findOldest: Statement<[], number | null>;
  private readonly remove: Statement<[number, number]>;

  constructor(db: Database) {
    const newest = '(SELECT max(minute_us) FROM host_samples)';
    this.findOldest = db
      .prepare<[], number | null>(`SELECT min(minute_us) FROM host_samples WHERE minute_us < ${newest} - ${KEPT_US}`)
      .pluck();
    this.remove = db.prepare(
      `DELETE FROM host_samples WHERE minute_us IN
         (SELECT minute_us FROM host_samples WHERE minute_us < min(?, ${newest} - ${KEPT_US}) ORDER BY minute_us LIMIT ?)`,
    );
  }

  oldestUs(): number | null {
    return this.findOldest.get() ?? null;
  }

  prune(beforeUs: number, rowsMax: number): number {
    return this.remove.run(beforeUs, rowsMax).changes;
  }
}
