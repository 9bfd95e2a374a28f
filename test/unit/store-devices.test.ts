import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { Cell } from '../../src/ring/thread-block.js';
import { checkDatabase } from '../../src/store/check.js';
import { type DeviceLimits, Devices } from '../../src/store/devices.js';
import { Dimensions } from '../../src/store/dimensions.js';
import { NameCache } from '../../src/store/name-cache.js';
import { migrate } from '../../src/store/schema.js';
import { macText, Vendors } from '../../src/store/vendors.js';
import { NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { type DeviceSpec, deviceRecord } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;
const PI = 'b8:27:eb:12:34:56';
/** Locally administered, so that the list of vendors is not asked. */
const mac = (n: number): string => `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;

function seen(given: Partial<DeviceSpec>): DeviceSpec {
  return { emittedUs: given.seenUs ?? NOW_US, seenUs: NOW_US, source: DeviceSource.Arp, mac: PI, ip: '192.168.1.20', ...given };
}

/** A database file after these sightings. */
function storedRig(...sightings: readonly Partial<DeviceSpec>[]): WriterRig {
  const rig = new WriterRig();
  const writer = rig.open();
  for (const sighting of sightings) rig.emitDevice(seen(sighting));
  while (writer.step(NOW_MS, true));
  writer.close(NOW_MS);
  expect(checkDatabase(rig.path).checks.filter((check) => !check.ok)).toEqual([]);
  return rig;
}

describe('device_view', () => {
  it('shows every column of a device, in the promised order', () => {
    const rig = storedRig(
      {},
      { seenUs: NOW_US + 5, source: DeviceSource.Dhcp, name: 'pi-hole' },
      { seenUs: NOW_US + 9, source: DeviceSource.Ndp, ip: 'fe80::1' },
    );
    const row = {
      mac: PI,
      vendor: 'Raspberry Pi Foundation',
      name: 'pi-hole',
      addresses: 'fe80::1,192.168.1.20',
      first_seen_us: NOW_US,
      last_seen_us: NOW_US + 9,
      id: 1,
    };
    const rows = rig.query('SELECT * FROM device_view');
    expect(rows).toEqual([row]);
    expect(Object.keys(rows[0] ?? {})).toEqual(Object.keys(row));
  });

  it('shows the name of the best source, and the newest of one source', () => {
    const named = (source: DeviceSource, name: string, us: number): Partial<DeviceSpec> => ({
      source,
      name,
      seenUs: NOW_US + us,
    });
    const sightings = [
      named(DeviceSource.Llmnr, 'by-llmnr', 0),
      named(DeviceSource.Netbios, 'BY-NETBIOS', 0),
      named(DeviceSource.Mdns, 'old.local', 1),
      named(DeviceSource.Mdns, 'new.local', 2),
      named(DeviceSource.Dhcpv6, 'by-dhcpv6', 0),
      named(DeviceSource.Dhcp, 'by-dhcp', 0),
    ];
    const names = sightings.map(
      (_, index) => storedRig(...sightings.slice(0, index + 1)).query('SELECT name FROM device_view')[0],
    );
    const best = ['by-llmnr', 'BY-NETBIOS', 'old.local', 'new.local', 'by-dhcpv6', 'by-dhcp'];
    expect(names.map((row) => row?.['name'])).toEqual(best);
  });

  it('shows NULL for what is not known', () => {
    const rig = storedRig({ mac: mac(1), ip: undefined });
    const known = { mac: mac(1), first_seen_us: NOW_US, last_seen_us: NOW_US };
    expect(rig.query('SELECT * FROM device_view')).toMatchObject([{ ...known, vendor: null, name: null, addresses: null }]);
  });

  it('keeps hostile names as they are', () => {
    const name = `a'b\\";DROP\\032TABLE\\032devices;--${'x'.repeat(210)}`;
    expect(storedRig({ name, source: DeviceSource.Mdns }).query('SELECT name FROM device_view')).toEqual([{ name }]);
  });
});

describe('the tables of devices', () => {
  it('keep one row per device, address and name, with the first and the last time', () => {
    const rig = storedRig(
      { seenUs: NOW_US + 50, source: DeviceSource.Mdns, name: 'pi.local' },
      { seenUs: NOW_US + 10, source: DeviceSource.Arp },
      { seenUs: NOW_US + 90, source: DeviceSource.Dhcp, name: 'pi.local' },
    );
    const times = { first_seen_us: NOW_US + 10, last_seen_us: NOW_US + 90 };
    expect(rig.query('SELECT mac, first_seen_us, last_seen_us FROM devices')).toEqual([{ mac: PI, ...times }]);
    expect(rig.query('SELECT source, first_seen_us, last_seen_us FROM device_addresses')).toEqual([
      { source: DeviceSource.Arp, ...times },
    ]);
    expect(rig.query('SELECT source, first_seen_us, last_seen_us FROM device_names')).toEqual([
      { source: DeviceSource.Dhcp, first_seen_us: NOW_US + 50, last_seen_us: NOW_US + 90 },
    ]);
  });

  it('go on with a later run', () => {
    const rig = storedRig({});
    const later = new WriterRig({ path: rig.path });
    const writer = later.open();
    later.emitDevice(seen({ seenUs: NOW_US + 60_000_000 }));
    writer.step(NOW_MS, true);
    writer.close(NOW_MS);
    expect(rig.query('SELECT mac, last_seen_us - first_seen_us AS us FROM devices')).toEqual([{ mac: PI, us: 60_000_000 }]);
  });

  it('take a sighting without hardware address for the device that had the address last', () => {
    const ip = '192.168.1.20';
    const rig = storedRig(
      { mac: mac(1), ip, seenUs: NOW_US },
      { mac: mac(2), ip, seenUs: NOW_US + 5 },
      { mac: undefined, ip, seenUs: NOW_US + 9, source: DeviceSource.Mdns, name: 'second.local' },
    );
    expect(rig.query('SELECT mac, name FROM device_view ORDER BY mac')).toEqual([
      { mac: mac(1), name: null },
      { mac: mac(2), name: 'second.local' },
    ]);
  });

  it('make a device without hardware address of an address that nobody had, once', () => {
    const given = { mac: undefined, source: DeviceSource.Mdns, ip: 'fe80::7' };
    const rig = storedRig({ ...given, name: 'a.local' }, { ...given, name: 'b.local', seenUs: NOW_US + 3 });
    expect(rig.query('SELECT mac, vendor, name, addresses FROM device_view')).toEqual([
      { mac: null, vendor: null, name: 'b.local', addresses: 'fe80::7' },
    ]);
  });

  it('give what is known of an address alone to the device that turns out to have it', () => {
    const alone = { mac: undefined, source: DeviceSource.Mdns, ip: 'fe80::7', name: 'pi.local' };
    const rig = storedRig(
      { ...alone, seenUs: NOW_US - 50 },
      { ...alone, seenUs: NOW_US + 50 },
      { seenUs: NOW_US, ip: '192.168.1.20' },
      { seenUs: NOW_US + 10, source: DeviceSource.Ndp, ip: 'fe80::7' },
      { ...alone, seenUs: NOW_US + 60, name: 'again.local' },
    );
    const times = { first_seen_us: NOW_US - 50, last_seen_us: NOW_US + 60 };
    expect(rig.query('SELECT * FROM device_view')).toMatchObject([
      { mac: PI, vendor: 'Raspberry Pi Foundation', name: 'again.local', addresses: 'fe80::7,192.168.1.20', ...times },
    ]);
    expect(rig.query('SELECT source, first_seen_us, last_seen_us FROM device_addresses WHERE ip > 1 << 32')).toEqual([
      { source: DeviceSource.Ndp, ...times },
    ]);
    expect(rig.value('SELECT count(*) FROM device_names')).toBe(2);
  });

  it('pass over what names nobody, and the address of zeros', () => {
    const rig = storedRig({ mac: undefined, ip: undefined, name: 'nobody' }, { mac: undefined, ip: '0.0.0.0', name: 'nobody' });
    expect(rig.value('SELECT count(*) FROM devices')).toBe(0);
    const probing = storedRig({ ip: '0.0.0.0', name: 'pi', source: DeviceSource.Dhcp });
    expect(probing.query('SELECT mac, name, addresses FROM device_view')).toEqual([{ mac: PI, name: 'pi', addresses: null }]);
  });

  it('keep 64 addresses and 16 names of a device, and count what gave way', () => {
    const rig = storedRig(
      ...Array.from({ length: 70 }, (_, i) => ({
        ip: `10.0.0.${i}`,
        name: `n${i}`,
        source: DeviceSource.Dhcp,
        seenUs: NOW_US + i,
      })),
    );
    expect(rig.query('SELECT count(*) AS count, min(ip & 255) AS first FROM device_addresses')).toEqual([
      { count: 64, first: 6 },
    ]);
    expect(rig.query('SELECT count(*) AS count, min(first_seen_us) AS first FROM device_names')).toEqual([
      { count: 16, first: NOW_US + 54 },
    ]);
    expect(rig.writerBlock.cell(Cell.DevicesForgotten)).toBe(6 + 54);
  });
});

describe('devices: limits and rollback', () => {
  function openTables(limits: DeviceLimits): {
    db: Database.Database;
    see: (given: Partial<DeviceSpec>) => void;
    devices: Devices;
  } {
    const db = new Database(':memory:');
    migrate(db, 0);
    const dimensions = new Dimensions(db, new InterfaceTable(createInterfaceTable()));
    const devices = new Devices(db, dimensions, new NameCache(64), limits);
    const see = (given: Partial<DeviceSpec>): void => {
      const record = deviceRecord(seen(given));
      const bytes = Buffer.alloc((record.length + 15) & -8);
      bytes.set(record, 8);
      const { buffer, byteOffset, length } = bytes;
      const memory = {
        bytes,
        words: new Int32Array(buffer, byteOffset, length >> 2),
        doubles: new Float64Array(buffer, byteOffset, length >> 3),
      };
      devices.add(memory, 8);
    };
    return { db, see, devices };
  }
  const macs = (db: Database.Database): unknown[] => db.prepare('SELECT mac FROM devices ORDER BY mac').pluck().all();

  it('gives up the devices seen longest ago, with their addresses and names', () => {
    const { db, see, devices } = openTables({ devices: 3, addresses: 64, names: 16 });
    for (const n of [1, 2, 3]) see({ mac: mac(n), ip: `10.0.0.${n}`, name: `n${n}`, seenUs: NOW_US + n });
    see({ mac: mac(1), ip: '10.0.0.1', seenUs: NOW_US + 10 });
    see({ mac: mac(4), ip: '10.0.0.4', seenUs: NOW_US + 11 });
    expect(macs(db)).toEqual([1, 3, 4].map(mac));
    for (const table of ['device_addresses', 'device_names'])
      expect(db.prepare(`SELECT count(*) FROM ${table} WHERE device_id NOT IN (SELECT id FROM devices)`).pluck().get()).toBe(0);
    expect([devices.settle(), devices.settle()]).toEqual([1, 0]);
  });

  it('gives up a hundredth of them at a time', () => {
    const { db, see, devices } = openTables({ devices: 200, addresses: 64, names: 16 });
    for (let n = 0; n < 201; n++) see({ mac: mac(n), ip: undefined, seenUs: NOW_US + n });
    expect(db.prepare('SELECT count(*), min(last_seen_us) FROM devices').raw().get()).toEqual([199, NOW_US + 2]);
    expect(devices.settle()).toBe(2);
  });

  it('counts anew after a rollback', () => {
    const { db, see, devices } = openTables({ devices: 3, addresses: 64, names: 16 });
    see({ mac: mac(1) });
    db.exec('BEGIN');
    for (const n of [2, 3, 4, 5]) see({ mac: mac(n) });
    db.exec('ROLLBACK');
    devices.revert();
    expect([macs(db), devices.settle()]).toEqual([[mac(1)], 0]);
    for (const n of [2, 3]) see({ mac: mac(n) });
    expect([macs(db), devices.settle()]).toEqual([[1, 2, 3].map(mac), 0]);
  });
});

describe('vendors', () => {
  const vendorOf = (text: string): string | null => {
    const bytes = Buffer.from(text.replaceAll(':', ''), 'hex');
    const [high, low] = [bytes.readUInt16BE(0), bytes.readInt32BE(2)];
    expect(macText(high, low)).toBe(text);
    return new Vendors().vendorOf(high, low);
  };

  it.each([
    ['00:00:0c:00:00:01', 'Cisco Systems, Inc'],
    ['b8:27:eb:ff:ff:ff', 'Raspberry Pi Foundation'],
  ])('of %s is %s', (text, vendor) => {
    expect(vendorOf(text)).toBe(vendor);
  });

  it('is the one with the longest prefix: small blocks lie in large ones of the registry itself', () => {
    expect(vendorOf('10:06:48:00:00:00')).not.toMatch(/IEEE/);
    expect(vendorOf('10:06:48:00:00:00')).not.toBeNull();
  });

  it('is nobody for addresses that devices give themselves, and for prefixes that are not given', () => {
    expect(vendorOf('ba:27:eb:00:00:01')).toBeNull();
    expect(vendorOf('00:ff:ff:00:00:01')).toBeNull();
  });

  it('is asked again after the list was let go', () => {
    const vendors = new Vendors();
    const high = 0xb827;
    const low = 0xeb000001 | 0;
    expect(vendors.vendorOf(high, low)).toBe('Raspberry Pi Foundation');
    vendors.letGo();
    expect(vendors.vendorOf(high, low)).toBe('Raspberry Pi Foundation');
  });
});
