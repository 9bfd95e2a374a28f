import { DeviceSource } from '../ring/name-records.js';
import { addressSql, textSql } from './view-sql.js';

/** What tells the best name, the best one first: the name that a device gives itself, then that of its services. */
const NAME_RANKS = [DeviceSource.Dhcp, DeviceSource.Dhcpv6, DeviceSource.Mdns, DeviceSource.Netbios, DeviceSource.Llmnr] as const;

const rank = `CASE source ${NAME_RANKS.map((source, index) => `WHEN ${source} THEN ${index}`).join(' ')} ELSE ${NAME_RANKS.length} END`;

/** SQL for the best name of a row of `devices`; NULL for a device without any. */
export const DEVICE_NAME_SQL = `(SELECT ${textSql('device_names.name')} FROM device_names WHERE device_id = devices.id
   ORDER BY ${rank}, last_seen_us DESC, name LIMIT 1)`;

/** What `device_view` shows; readers take it from here, since the view of a file may be older. */
export const DEVICE_ROWS = `SELECT
  mac,
  vendor,
  ${DEVICE_NAME_SQL} AS name,
  (SELECT group_concat(ip, ',') FROM (SELECT ${addressSql('device_addresses.ip')} AS ip FROM device_addresses
   WHERE device_id = devices.id ORDER BY device_addresses.last_seen_us DESC, device_addresses.ip)) AS addresses,
  first_seen_us,
  last_seen_us,
  id
FROM devices`;

/**
 * `device_view`: devices with their best name and their addresses, the one seen last first, joined by commas. Its column names are an
 * interface: they are only added to. `mac` is NULL for a device that was seen without one, `vendor` where nobody is registered for it.
 */
export const DEVICE_VIEW = `CREATE VIEW device_view AS ${DEVICE_ROWS}`;
