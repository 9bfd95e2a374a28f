import type { Database, Statement } from 'better-sqlite3';

/**
 * One of the lists that a device has, its addresses or its names, as the writer uses the table: what, how it was seen, when first
 * and when last. At `max` entries of one device, the one seen longest ago gives way.
 */
export class DeviceList {
  private readonly update: Statement<[source: number, firstUs: number, lastUs: number, deviceId: number, value: number]>;
  private readonly insert: Statement<[number, number, number, number, number]>;
  private readonly count: Statement<[number], number>;
  private readonly removeOldest: Statement<[number, number]>;
  private readonly removeAll: Statement<[number]>;
  private readonly list: Statement<[number], [value: number, source: number, firstUs: number, lastUs: number]>;

  constructor(
    db: Database,
    table: 'device_addresses' | 'device_names',
    column: 'ip' | 'name',
    private readonly max: number,
  ) {
    this.update = db.prepare(
      `UPDATE ${table} SET source = min(source, ?), first_seen_us = min(first_seen_us, ?), last_seen_us = max(last_seen_us, ?)
       WHERE device_id = ? AND ${column} = ?`,
    );
    this.insert = db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?)`);
    this.count = db.prepare<[number], number>(`SELECT count(*) FROM ${table} WHERE device_id = ?`).pluck();
    this.removeOldest = db.prepare(
      `DELETE FROM ${table} WHERE device_id = ? AND ${column} =
         (SELECT ${column} FROM ${table} WHERE device_id = ? ORDER BY last_seen_us, ${column} LIMIT 1)`,
    );
    this.removeAll = db.prepare(`DELETE FROM ${table} WHERE device_id = ?`);
    this.list = db
      .prepare<[number], [number, number, number, number]>(
        `SELECT ${column}, source, first_seen_us, last_seen_us FROM ${table} WHERE device_id = ? ORDER BY last_seen_us`,
      )
      .raw();
  }

  /** Notes that the device was seen with `value`, an address or the id of a text. Returns the number of entries that gave way. */
  see(deviceId: number, value: number, source: number, us: number): number {
    if (this.update.run(source, us, us, deviceId, value).changes > 0) return 0;
    const isFull = (this.count.get(deviceId) as number) >= this.max;
    if (isFull) this.removeOldest.run(deviceId, deviceId);
    this.insert.run(deviceId, value, source, us, us);
    return isFull ? 1 : 0;
  }

  /** Gives the list of one device to another. Returns the number of entries that gave way. */
  move(fromId: number, toId: number): number {
    let forgotten = 0;
    for (const [value, source, firstUs, lastUs] of this.list.all(fromId)) {
      forgotten += this.see(toId, value, source, firstUs);
      this.see(toId, value, source, lastUs);
    }
    this.remove(fromId);
    return forgotten;
  }

  /** Removes the list of a device that has given way. */
  remove(deviceId: number): void {
    this.removeAll.run(deviceId);
  }
}
