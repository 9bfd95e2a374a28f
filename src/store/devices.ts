import type { Database, Statement } from 'better-sqlite3';
import { Device, DeviceSource } from '../ring/name-records.js';
import { ADDRESS_ID_BASE } from './addresses.js';
import type { Alerts } from './alerts/alerts.js';
import { DeviceList } from './device-list.js';
import type { Dimensions } from './dimensions.js';
import type { RecordMemory } from './flow-rings.js';
import type { NameCache } from './name-cache.js';
import { NameSource } from './name-info.js';
import { macText, Vendors } from './vendors.js';

/** Rows that the tables of devices may have. */
export interface DeviceLimits {
  /** At this limit, a hundredth of the devices give way, those seen longest ago, with all that is known of them. */
  readonly devices: number;
  /** Of one device; at the limit the one seen longest ago gives way. */
  readonly addresses: number;
  readonly names: number;
}

const DEVICE_LIMITS: DeviceLimits = { devices: 10_000, addresses: 64, names: 16 };

const UNKNOWN = -1;

/**
 * The tables `devices`, `device_addresses` and `device_names`, as the writer uses them: a few statements for each sighting, which
 * are rare, in the transaction of the batch.
 *
 * A device is known by its hardware address. A sighting without one is of the device that was seen last with the IP address; where
 * there is none, it makes a device whose `mac` is NULL, until somebody shows which hardware address the IP address has: then what is
 * known of it goes over to that device. Without either address, a sighting tells nothing and is passed over.
 */
export class Devices {
  /** Devices, addresses and names that gave way in the open transaction. */
  private forgotten = 0;
  /** Rows of `devices`. */
  private count = UNKNOWN;
  private readonly addresses: DeviceList;
  private readonly names: DeviceList;
  private readonly vendors = new Vendors();
  private readonly findByMac: Statement<[string], number>;
  private readonly findByAddress: Statement<[number], number>;
  private readonly findWithoutMac: Statement<[number], { id: number; firstUs: number; lastUs: number }>;
  private readonly touch: Statement<[firstUs: number, lastUs: number, id: number]>;
  private readonly insert: Statement<[string | null, string | null, number, number]>;
  private readonly countRows: Statement<[], number>;
  private readonly remove: Statement<[number]>;
  private readonly removeOldest: Statement<[number], number>;

  constructor(
    db: Database,
    private readonly dimensions: Dimensions,
    private readonly cache: NameCache,
    private readonly alerts: Alerts | null,
    private readonly limits: DeviceLimits = DEVICE_LIMITS,
  ) {
    this.addresses = new DeviceList(db, 'device_addresses', 'ip', limits.addresses);
    this.names = new DeviceList(db, 'device_names', 'name', limits.names);
    this.findByMac = db.prepare<[string], number>('SELECT id FROM devices WHERE mac = ?').pluck();
    this.findByAddress = db
      .prepare<[number], number>('SELECT device_id FROM device_addresses WHERE ip = ? ORDER BY last_seen_us DESC LIMIT 1')
      .pluck();
    this.findWithoutMac = db.prepare(
      `SELECT id, devices.first_seen_us AS firstUs, devices.last_seen_us AS lastUs
       FROM device_addresses JOIN devices ON devices.id = device_id WHERE ip = ? AND mac IS NULL`,
    );
    this.touch = db.prepare(
      'UPDATE devices SET first_seen_us = min(first_seen_us, ?), last_seen_us = max(last_seen_us, ?) WHERE id = ?',
    );
    this.insert = db.prepare('INSERT INTO devices (mac, vendor, first_seen_us, last_seen_us) VALUES (?, ?, ?, ?)');
    this.countRows = db.prepare<[], number>('SELECT count(*) FROM devices').pluck();
    this.remove = db.prepare('DELETE FROM devices WHERE id = ?');
    this.removeOldest = db
      .prepare<[number], number>(
        'DELETE FROM devices WHERE id IN (SELECT id FROM devices ORDER BY last_seen_us, id LIMIT ?) RETURNING id',
      )
      .pluck();
  }

  /** Adds the `Device` record at byte offset `payload`. */
  add({ words, doubles, bytes }: RecordMemory, payload: number): void {
    const word = payload >> 2;
    const address = word + Device.Address;
    const version = isZero(words, address) ? 0 : (words[word + Device.IpVersion] as number);
    const high = words[word + Device.MacHigh] as number;
    const low = words[word + Device.MacLow] as number;
    const hasMac = (high | low) !== 0;
    const ip = version === 0 ? null : this.addressOf(version, words, address);
    if (!hasMac && ip === null) return;
    const source = words[word + Device.Source] as DeviceSource;
    const us = doubles[(payload >> 3) + Device.SeenUsF64] as number;
    const id = this.idOf(hasMac ? macText(high, low) : null, ip, us) ?? this.insertDevice(hasMac, high, low, ip, us);
    if (ip !== null && hasMac) this.takeOver(id, ip);
    if (ip !== null) this.forgotten += this.addresses.see(id, ip, source, us);

    const nameBytes = Math.min(words[word + Device.NameBytes] as number, Device.NameBytesMax);
    if (nameBytes === 0) return;
    const nameStart = payload + Device.HeaderBytes;
    const name = this.dimensions.texts.idOf(bytes, nameStart, nameStart + nameBytes);
    this.forgotten += this.names.see(id, name, source, us);
    if (version !== 0) this.cache.addDevice(nameSourceOf(source), version, words, address, name, us);
  }

  /** Devices were deleted by others: counts them anew. */
  recount(): void {
    this.count = UNKNOWN;
  }

  /** The batch is complete: lets go of what was held for it. */
  finish(): void {
    this.vendors.letGo();
  }

  /** The rows so far are committed; gives the number of devices, addresses and names that gave way for them. */
  settle(): number {
    const { forgotten } = this;
    this.forgotten = 0;
    return forgotten;
  }

  /** The transaction was rolled back. */
  revert(): void {
    this.vendors.letGo();
    this.forgotten = 0;
    this.count = UNKNOWN;
  }

  /** Null for an address that found the table of addresses full: it would be that of many devices. */
  private addressOf(version: number, words: Int32Array, index: number): number | null {
    const ip = this.dimensions.addressOf(version, words, index);
    return ip === ADDRESS_ID_BASE ? null : ip;
  }

  /** Id of a device that is known, which has now been seen again. */
  private idOf(mac: string | null, ip: number | null, us: number): number | undefined {
    const id = mac === null ? this.findByAddress.get(ip as number) : this.findByMac.get(mac);
    if (id !== undefined) this.touch.run(us, us, id);
    return id;
  }

  /** The device with the id `id` has the address `ip`: what was known by that alone is known of this device. */
  private takeOver(id: number, ip: number): void {
    const other = this.findWithoutMac.get(ip);
    if (other === undefined) return;
    this.touch.run(other.firstUs, other.lastUs, id);
    this.forgotten += this.addresses.move(other.id, id) + this.names.move(other.id, id);
    this.remove.run(other.id);
    if (this.count !== UNKNOWN) this.count--;
  }

  private insertDevice(hasMac: boolean, high: number, low: number, ip: number | null, us: number): number {
    if (this.count === UNKNOWN) this.count = this.countRows.get() as number;
    if (this.count >= this.limits.devices) this.makeRoom();
    this.count++;
    const mac = hasMac ? macText(high, low) : null;
    const vendor = hasMac ? this.vendors.vendorOf(high, low) : null;
    if (mac !== null) this.alerts?.device(mac, vendor, ip, us);
    return this.insert.run(mac, vendor, us, us).lastInsertRowid as number;
  }

  /** Several at once, since finding the oldest reads the whole table. */
  private makeRoom(): void {
    const removed = this.removeOldest.all(Math.ceil(this.limits.devices / 100));
    for (const id of removed) {
      this.addresses.remove(id);
      this.names.remove(id);
    }
    this.count -= removed.length;
    this.forgotten += removed.length;
  }
}

function isZero(words: Int32Array, index: number): boolean {
  return words[index] === 0 && words[index + 1] === 0 && words[index + 2] === 0 && words[index + 3] === 0;
}

/** LLMNR and NetBIOS are what mDNS is: devices that tell their own names on their own network. */
function nameSourceOf(source: DeviceSource): NameSource.Mdns | NameSource.Dhcp {
  return source === DeviceSource.Dhcp || source === DeviceSource.Dhcpv6 ? NameSource.Dhcp : NameSource.Mdns;
}
