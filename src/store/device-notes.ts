import type { Database, Statement } from 'better-sqlite3';
import type { DeviceNoteResult, DeviceNoteUpdate } from '../messages.js';

/** Schema version 10. */
export const DEVICE_NOTE_TABLES = `
-- What people say of devices; device_view shows it. A device that was forgotten and comes back has its name again.
CREATE TABLE device_notes (
  mac TEXT PRIMARY KEY, -- devices.mac
  name TEXT, -- goes before the names that the device tells; NULL for none
  note TEXT -- NULL for none
) WITHOUT ROWID;`;

/** Rows that `device_notes` may have; one more is refused. */
const NOTES_MAX = 20_000;

/** The table `device_notes`, as the writer changes it. */
export class DeviceNotes {
  private readonly find: Statement<[number], { mac: string | null }>;
  private readonly findNote: Statement<[string], { name: string | null; note: string | null }>;
  private readonly put: Statement<[string, string | null, string | null]>;
  private readonly remove: Statement<[string]>;
  private readonly count: Statement<[], number>;

  constructor(private readonly db: Database) {
    this.find = db.prepare('SELECT mac FROM devices WHERE id = ?');
    this.findNote = db.prepare('SELECT name, note FROM device_notes WHERE mac = ?');
    this.put = db.prepare('INSERT OR REPLACE INTO device_notes VALUES (?, ?, ?)');
    this.remove = db.prepare('DELETE FROM device_notes WHERE mac = ?');
    this.count = db.prepare<[], number>('SELECT count(*) FROM device_notes').pluck();
  }

  /** Changes what is said of one device, in a transaction of its own. Throws what SQLite throws; nothing has changed then. */
  update(change: DeviceNoteUpdate): DeviceNoteResult {
    return this.db
      .transaction((): DeviceNoteResult => {
        const device = this.find.get(change.deviceId);
        if (device === undefined) return 'unknown';
        if (device.mac === null) return 'nameless';
        const before = this.findNote.get(device.mac);
        const name = change.name === undefined ? (before?.name ?? null) : change.name;
        const note = change.note === undefined ? (before?.note ?? null) : change.note;
        if (name === null && note === null) this.remove.run(device.mac);
        else if (before === undefined && (this.count.get() as number) >= NOTES_MAX) return 'full';
        else this.put.run(device.mac, name, note);
        return 'done';
      })
      .immediate();
  }
}
