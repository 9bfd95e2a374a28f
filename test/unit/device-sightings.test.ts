import { describe, expect, it } from 'vitest';
import { Sighting } from '../../src/parse/app/device-sightings.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { SeenDevices } from '../helpers/seen-devices.js';

const MINUTE_US = 60e6;

interface Told {
  readonly source?: DeviceSource;
  readonly mac?: number;
  readonly ip?: number;
  readonly name?: string;
  readonly us?: number;
}

function sightingOf({ source = DeviceSource.Arp, mac = 0x0200_0000, ip = 1, name = '', us = 0 }: Told): Sighting {
  const sighting = new Sighting();
  sighting.source = source;
  sighting.macHigh = 0x9000;
  sighting.macLow = mac | 0;
  sighting.ipVersion = 4;
  sighting.address3 = ip;
  sighting.nameBytes = sighting.name.length >= name.length ? name.length : 0;
  sighting.name.set(Buffer.from(name, 'latin1'));
  sighting.us = us;
  sighting.interfaceIndex = 7;
  return sighting;
}

describe('device sightings', () => {
  it('are reported whole', () => {
    const { sightings, devices } = new SeenDevices();
    const sighting = sightingOf({ source: DeviceSource.Ndp, name: 'printer.local', us: 1_700_000_000_000_000.5 - 0.5 });
    sighting.macHigh = 0xfeff;
    sighting.macLow = -2;
    sighting.ipVersion = 6;
    sighting.address0 = 0x2001_0db8;
    sighting.address1 = 0;
    sighting.address2 = 0;
    sighting.address3 = -1;
    sightings.see(sighting);
    expect(devices).toEqual([
      {
        source: 'ndp',
        mac: 'fe:ff:ff:ff:ff:fe',
        ip: '2001:db8::ffff:ffff',
        name: 'printer.local',
        us: 1_700_000_000_000_000,
        interfaceIndex: 7,
      },
    ]);
  });

  it('have names of up to 253 characters', () => {
    const { sightings, devices } = new SeenDevices();
    for (const name of ['a'.repeat(253), '', 'b']) sightings.see(sightingOf({ name }));
    expect(devices.map(({ name }) => name)).toEqual(['a'.repeat(253), '', 'b']);
  });

  it('are reported again after 300 s, whatever told them', () => {
    const { sightings, devices } = new SeenDevices();
    const times = [0, 1, MINUTE_US, 5 * MINUTE_US - 1, 5 * MINUTE_US, 6 * MINUTE_US, 10 * MINUTE_US - 1, 10 * MINUTE_US];
    for (const us of times) {
      sightings.see(sightingOf({ us, source: us % 2 === 0 ? DeviceSource.Mdns : DeviceSource.Arp }));
    }
    expect(devices.map(({ us }) => us)).toEqual([0, 5 * MINUTE_US, 10 * MINUTE_US]);
  });

  it('are reported again when time goes back by as much', () => {
    const { sightings, devices } = new SeenDevices();
    for (const us of [10, 9, 10 - 300e6 + 1, 10 - 300e6, 11 - 300e6, 10]) sightings.see(sightingOf({ us: us + 1e15 }));
    expect(devices.map(({ us }) => us - 1e15)).toEqual([10, 10 - 300e6, 10]);
  });

  it('are others when hardware address, address or name differ', () => {
    const { sightings, devices } = new SeenDevices();
    const told: Told[] = [{}, { mac: 1 }, { ip: 2 }, { name: 'a' }, { name: 'b' }, { name: 'ab' }, { name: 'ba' }];
    for (const each of [...told, ...told]) sightings.see(sightingOf(each));
    const version = sightingOf({});
    version.ipVersion = 6;
    sightings.see(version);
    const high = sightingOf({});
    high.macHigh = 1;
    sightings.see(high);
    for (const word of ['address0', 'address1', 'address2'] as const) sightings.see(Object.assign(sightingOf({}), { [word]: 1 }));
    expect(devices).toHaveLength(told.length + 5);
  });

  it('are remembered, 1,024 at most', () => {
    const { sightings, devices } = new SeenDevices();
    const all = (): number => {
      for (let ip = 0; ip < 20_000; ip++) sightings.see(sightingOf({ ip }));
      return devices.splice(0).length;
    };
    expect(all()).toBe(20_000);
    // Of those of the first round, no more than fit can have been left.
    expect(all()).toBeGreaterThanOrEqual(20_000 - 1024);
    const few = (): number => {
      for (let ip = 0; ip < 50; ip++) sightings.see(sightingOf({ ip: ip + 100_000 }));
      return devices.splice(0).length;
    };
    expect(few()).toBe(50);
    expect(few()).toBeLessThan(10);
  });
});
