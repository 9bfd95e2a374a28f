import type { Database, Statement } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';

/**
 * Devices, and addresses and names of devices, that were not seen for long. The tables have no order of time and are read whole,
 * which their caps bound; so this is asked for rarely.
 */
export class DevicePrunable implements Prunable {
  readonly name = 'devices';
  private readonly findOldest: Statement<[], number | null>;
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

  prune(beforeUs: number, rowsMax: number): number {
    let removed = 0;
    for (const statement of this.removeLists) removed += statement.run(beforeUs, rowsMax).changes;
    const devices = this.removeDevices.all(beforeUs, rowsMax);
    for (const id of devices) for (const statement of this.removeListsOf) statement.run(id);
    if (devices.length > 0) this.onRemoved();
    return removed + devices.length;
  }
}
