import type { Database, Statement } from 'better-sqlite3';
import { addressSql } from '../view-sql.js';

/** What was found, the best first. */
export interface SearchFound {
  readonly devices: readonly { readonly id: number; readonly mac: string | null; readonly name: string | null; readonly addresses: string | null }[];
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** Finds devices, names and addresses that contain a text. All three tables are bounded, so a search reads them whole. */
export class SearchReader {
  private readonly devices: Statement<[{ like: string; limit: number }], SearchFound['devices'][number]>;
  private readonly names: Statement<[string, string, number], string>;
  private readonly ipv6: Statement<[string, number], string>;
  private readonly ipv4: Statement<[string, number], string>;

  constructor(db: Database) {
    this.devices = db.prepare(
      `SELECT id, mac, name, addresses FROM device_view
       WHERE name LIKE @like ESCAPE '\\' OR mac LIKE @like ESCAPE '\\' OR vendor LIKE @like ESCAPE '\\'
         OR addresses LIKE @like ESCAPE '\\' OR note LIKE @like ESCAPE '\\'
       ORDER BY last_seen_us DESC LIMIT @limit`,
    );
    // What begins with the text goes before what has it inside.
    this.names = db
      .prepare<[string, string, number], string>(
        `SELECT text FROM texts WHERE id > 0 AND text LIKE ? ESCAPE '\\' ORDER BY text LIKE ? ESCAPE '\\' DESC, length(text), text LIMIT ?`,
      )
      .pluck();
    this.ipv6 = db
      .prepare<[string, number], string>(`SELECT ip FROM addresses WHERE ip LIKE ? ESCAPE '\\' AND ip <> 'other' ORDER BY ip LIMIT ?`)
      .pluck();
    this.ipv4 = db
      .prepare<[string, number], string>(
        `SELECT ip FROM (SELECT DISTINCT ${addressSql('device_addresses.ip')} AS ip FROM device_addresses)
         WHERE ip LIKE ? ESCAPE '\\' AND ip NOT LIKE '%:%' ORDER BY ip LIMIT ?`,
      )
      .pluck();
  }

  /** At most `limit` of each kind. */
  find(text: string, limit: number): SearchFound {
    const escaped = text.replaceAll(/[\\%_]/g, '\\$&');
    const like = `%${escaped}%`;
    return {
      devices: this.devices.all({ like, limit }),
      names: this.names.all(like, `${escaped}%`, limit),
      addresses: [...this.ipv4.all(like, limit), ...this.ipv6.all(like, limit)].slice(0, limit),
    };
  }
}
