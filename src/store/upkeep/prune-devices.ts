import type { Database, Statement } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';
import { DAY_US } from './fold-ledger.js';

/**
 * Devices, and addresses and names of devices, that were not seen for long. The tables have no order of time and are read whole,
 * which their caps bound; so this is asked for rarely.
 */
export class DevicePrunable implements Prunable {
  readonly name = 'devices';
  private readonly findOldest: Statement<[], number | null>;
  private readonly findNewest: Statement<[], number | null>;
  private readonly removeLists: readonly Statement<[number, number]>[];
  private readonly removeDevices: Statement<[number, number], number>;
  private readonly removeListsOf: readonly Statement<[number]>[];

  /** `onRemoved` is called with devices gone, inside the transaction: whoever counts them counts anew. */
  constructor(
    db: Database,
    private readonly onRemoved: () => void = () => undefined,
  ) {
    const lists = [
      ['device_addresses', 'ip'],
      ['device_names', 'name'],
    ] as const;
    this.findOldest = db
      .prepare<[], number | null>(
        `SELECT min(last_seen_us) FROM (SELECT last_seen_us FROM devices
         ${lists.map(([table]) => `UNION ALL SELECT last_seen_us FROM ${table}`).join(' ')})`,
      )
      .pluck();
    this.findNewest = db.prepare<[], number | null>('SELECT max(last_seen_us) FROM devices').pluck();
    this.removeLists = lists.map(([table, column]) =>
      db.prepare(
        `DELETE FROM ${table} WHERE (device_id, ${column}) IN
         (SELECT device_id, ${column} FROM ${table} WHERE last_seen_us < ? LIMIT ?)`,
      ),
    );
    this.removeDevices = db
      .prepare<[number, number], number>(
        'DELETE FROM devices WHERE id IN (SELECT id FROM devices WHERE last_seen_us < ? ORDER BY last_seen_us LIMIT ?) RETURNING id',
      )
      .pluck();
    this.removeListsOf = lists.map(([table]) => db.prepare(`DELETE FROM ${table} WHERE device_id = ?`));
  }

  oldestUs(): number | null {
    return this.findOldest.get() ?? null;
  }

  /** When a device was seen last; null without any. */
  newestUs(): number | null {
    return this.findNewest.get() ?? null;
  }

  prune(beforeUs: number, rowsMax: number): number {
    let removed = 0;
    for (const statement of this.removeLists) removed += statement.run(beforeUs, rowsMax).changes;
    const devices = this.removeDevices.all(beforeUs, rowsMax);
    for (const id of devices) for (const statement of this.removeListsOf) statement.run(id);
    if (devices.length > 0) this.onRemoved();
    return removed + devices.length;
  }
}

/** The same rows where there is no room for them, but not of those that are there now: these would come again at once. */
export class UnseenDevices implements Prunable {
  readonly name: string;

  constructor(private readonly devices: DevicePrunable) {
    this.name = devices.name;
  }

  oldestUs(): number | null {
    const oldestUs = this.devices.oldestUs();
    return oldestUs !== null && oldestUs < this.endUs ? oldestUs : null;
  }

  prune(beforeUs: number, rowsMax: number): number {
    return this.devices.prune(Math.min(beforeUs, this.endUs), rowsMax);
  }

  private get endUs(): number {
    return (this.devices.newestUs() ?? 0) - DAY_US;
  }
}
