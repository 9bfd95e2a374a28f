import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NicCounters, parseCounter } from '../../src/capture/nic-counters.js';
import { NIC_COUNTERS, NicCounter } from '../../src/ring/watch-layout.js';
import { temporaryDirectory } from '../helpers/daemon.js';

/** A directory that looks like `/sys/class/net`. */
class FakeSysfs {
  readonly root = temporaryDirectory();

  set(interfaceName: string, counters: Partial<Record<(typeof NIC_COUNTERS)[number], number | string>>): void {
    const folder = join(this.root, interfaceName, 'statistics');
    mkdirSync(folder, { recursive: true });
    for (const [name, value] of Object.entries(counters)) writeFileSync(join(folder, name), `${value}\n`);
  }

  remove(interfaceName: string): void {
    rmSync(join(this.root, interfaceName), { recursive: true });
  }
}

function rig(): { sysfs: FakeSysfs; totals: Float64Array; nic: NicCounters } {
  const sysfs = new FakeSysfs();
  const totals = new Float64Array(NicCounter.Count);
  return { sysfs, totals, nic: new NicCounters(totals, sysfs.root) };
}

describe('counters of the network card', () => {
  it('count from the opening on', () => {
    const { sysfs, totals, nic } = rig();
    sysfs.set('eth0', Object.fromEntries(NIC_COUNTERS.map((name, index) => [name, 1000 + index])));
    nic.restart('eth0');
    nic.refresh('eth0');
    expect([...totals]).toEqual([0, 0, 0, 0, 0, 0]);
    sysfs.set('eth0', { rx_packets: 1500, rx_missed_errors: 1010 });
    nic.refresh('eth0');
    sysfs.set('eth0', { rx_packets: 1501 });
    nic.refresh('eth0');
    expect([...totals]).toEqual([501, 0, 0, 7, 0, 0]);
  });

  it('go on when the driver starts again at 0, and leave out what was lost while nothing was captured', () => {
    const { sysfs, totals, nic } = rig();
    sysfs.set('eth0', { rx_dropped: 50 });
    nic.restart('eth0');
    sysfs.set('eth0', { rx_dropped: 60 });
    nic.refresh('eth0');
    sysfs.set('eth0', { rx_dropped: 3 });
    nic.refresh('eth0');
    expect(totals[NicCounter.RxDropped]).toBe(13);
    sysfs.remove('eth0');
    nic.refresh('eth0');
    sysfs.set('eth0', { rx_dropped: 9000 });
    nic.restart('eth0');
    sysfs.set('eth0', { rx_dropped: 9001 });
    nic.refresh('eth0');
    expect(totals[NicCounter.RxDropped]).toBe(14);
  });

  it('are 0 where the interface, the file or a number is missing', () => {
    const { sysfs, totals, nic } = rig();
    nic.restart('eth0');
    sysfs.set('eth0', { rx_over_errors: 'none', rx_fifo_errors: 5 });
    nic.refresh('eth0');
    sysfs.set('eth0', { rx_over_errors: '-1', rx_fifo_errors: 6 });
    nic.refresh('eth0');
    expect([...totals]).toEqual([0, 0, 0, 0, 1, 0]);
  });

  it.each([
    ['0\n', 0],
    ['18446744073709551615\n', 18446744073709552000],
    ['', null],
    ['1 2\n', null],
    ['0x10\n', null],
  ])('are read as sysfs writes them: %j', (text, value) => expect(parseCounter(text)).toBe(value));
});
