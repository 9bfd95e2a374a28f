import type { Database } from 'better-sqlite3';
import { DEVICE_ROWS } from '../device-view.js';
import { addressSql } from '../view-sql.js';
import { searchDevices } from './device-search.js';
import { withReadableName } from './readable-name.js';
import { inSnapshot, objects, values } from './statement.js';

/** A device as a search shows it; `addresses` joined by commas. */
interface DeviceFound {
  readonly id: number;
  readonly mac: string | null;
  readonly name: string | null;
  readonly addresses: string | null;
}

/** What was found, the best first. */
interface SearchFound {
  readonly devices: readonly DeviceFound[];
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** A text as a part of what LIKE matches, with nothing in it that LIKE gives a meaning. */
function likeText(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}

const DEVICE_SQL = `SELECT id, mac, name, addresses FROM (${DEVICE_ROWS}) WHERE id = ?`;
/** What begins with the text goes before what has it inside. */
const NAMES_SQL = `SELECT text FROM texts WHERE id > 0 AND text LIKE ? ESCAPE '\\'
  ORDER BY text LIKE ? ESCAPE '\\' DESC, length(text), text LIMIT ?`;
const IPV4_SQL = `SELECT ip FROM (SELECT DISTINCT ${addressSql('device_addresses.ip')} AS ip FROM device_addresses)
  WHERE ip LIKE ? ESCAPE '\\' AND ip NOT LIKE '%:%' ORDER BY ip LIMIT ?`;
const IPV6_SQL = `SELECT ip FROM addresses WHERE ip LIKE ? ESCAPE '\\' AND ip <> 'other' ORDER BY ip LIMIT ?`;

/**
 * Devices, by all that is known of them, names and addresses that contain a text, at most `limit` of each. IPv4 addresses are those
 * of devices. All tables are bounded, so a search reads them whole.
 */
export function searchAll(db: Database, text: string, limit: number): SearchFound {
  const part = likeText(text);
  const like = `%${part}%`;
  return inSnapshot(db, () => {
    const addresses = [...values<string>(db, IPV4_SQL).all(like, limit), ...values<string>(db, IPV6_SQL).all(like, limit)];
    return {
      devices: searchDevices(db, text, limit)
        .flatMap((id) => objects<DeviceFound>(db, DEVICE_SQL).get(id) ?? [])
        .map(withReadableName),
      names: values<string>(db, NAMES_SQL).all(like, `${part}%`, limit),
      addresses: addresses.slice(0, limit),
    };
  });
}
