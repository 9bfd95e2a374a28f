import { describe, expect, it } from 'vitest';
import { ReducedModes } from '../../src/host/reduced-modes.js';
import { HostField, reducedModeName } from '../../src/ring/host-layout.js';

const MIB = 2 ** 20;
const LOOK_MS = 5_000;

/** The machine as it is, its ladders and their clock. */
class Machine {
  readonly fields = new Float64Array(HostField.Count).fill(Number.NaN);
  ringRatio = 0;
  private readonly modes = new ReducedModes();
  private nowMs = 1e6;

  set(field: HostField, value: number): this {
    this.fields[field] = value;
    return this;
  }

  ring(ratio: number): this {
    this.ringRatio = ratio;
    return this;
  }

  /** Looks every 5 s for so long; gives what changed, and after how many seconds. */
  pass(seconds: number): string[] {
    const changes: string[] = [];
    for (let passedMs = 0; passedMs < seconds * 1000; passedMs += LOOK_MS) {
      this.nowMs += LOOK_MS;
      const view = { fields: this.fields, memoryLimitBytes: 500 * MIB, ringRatio: this.ringRatio };
      for (const { mode, isTaken } of this.modes.look(this.nowMs, view))
        changes.push(`${(passedMs + LOOK_MS) / 1000} ${isTaken ? '+' : '-'}${reducedModeName(mode)}`);
    }
    return changes;
  }
}

describe('reduced modes', () => {
  it('do nothing where nothing is known, and where all is well', () => {
    expect(new Machine().pass(3600)).toEqual([]);
    const well = new Machine()
      .set(HostField.ResidentBytes, 399 * MIB)
      .set(HostField.TemperatureC, 79.9)
      .ring(0.49);
    well.set(HostField.ThrottleBits, 0xf0008).set(HostField.CpuPercent, 94).set(HostField.DiskFreeBytes, 500e6);
    expect(well.set(HostField.DiskTotalBytes, 32e9).pass(3600)).toEqual([]);
  });

  it('take the steps against want of memory one after the other, and undo them in reverse', () => {
    const machine = new Machine().set(HostField.ResidentBytes, 400 * MIB);
    expect(machine.pass(120)).toEqual([
      '35 +memory_caches_cleared',
      '70 +memory_flow_table_smaller',
      '105 +memory_rollups_coarser',
    ]);
    expect(machine.pass(600)).toEqual([]);
    machine.set(HostField.ResidentBytes, 349 * MIB);
    expect(machine.pass(1200)).toEqual([
      '305 -memory_rollups_coarser',
      '610 -memory_flow_table_smaller',
      '915 -memory_caches_cleared',
    ]);
  });

  it('stop at the first step that helps', () => {
    const machine = new Machine().set(HostField.ResidentBytes, 450 * MIB);
    expect(machine.pass(35)).toEqual(['35 +memory_caches_cleared']);
    expect(machine.set(HostField.ResidentBytes, 375 * MIB).pass(3600)).toEqual([]);
  });

  it('do not swing with a value that swings', () => {
    const machine = new Machine().set(HostField.ResidentBytes, 450 * MIB);
    machine.pass(35);
    const changes: string[] = [];
    for (let i = 0; i < 50; i++) {
      changes.push(...machine.set(HostField.ResidentBytes, 300 * MIB).pass(60));
      changes.push(...machine.set(HostField.ResidentBytes, 450 * MIB).pass(5));
    }
    expect(changes).toEqual([]);
  });

  it.each([
    ['80 °C', (m: Machine) => m.set(HostField.TemperatureC, 80), (m: Machine) => m.set(HostField.TemperatureC, 74.9)],
    ['throttling', (m: Machine) => m.set(HostField.ThrottleBits, 4), (m: Machine) => m.set(HostField.ThrottleBits, 0x40000)],
    ['a capped clock', (m: Machine) => m.set(HostField.ThrottleBits, 2), (m: Machine) => m.set(HostField.ThrottleBits, 0)],
  ])('slow the chores down at %s', (_what, begin, end) => {
    const machine = begin(new Machine());
    expect(machine.pass(600)).toEqual(['10 +heat_chores_slowed']);
    expect(end(machine).pass(600)).toEqual(['65 -heat_chores_slowed']);
  });

  it('stay slowed down between 75 and 80 °C', () => {
    const machine = new Machine().set(HostField.TemperatureC, 81);
    machine.pass(10);
    expect(machine.set(HostField.TemperatureC, 77).pass(3600)).toEqual([]);
  });

  it('log less when the disk is nearly full, by bytes and by part of it', () => {
    const machine = new Machine().set(HostField.DiskTotalBytes, 32e9).set(HostField.DiskFreeBytes, 499e6);
    expect(machine.pass(60)).toEqual(['10 +disk_logs_reduced']);
    expect(machine.set(HostField.DiskFreeBytes, 599e6).pass(600)).toEqual([]);
    expect(machine.set(HostField.DiskFreeBytes, 601e6).pass(600)).toEqual(['65 -disk_logs_reduced']);
    const small = new Machine().set(HostField.DiskTotalBytes, 1e9).set(HostField.DiskFreeBytes, 101e6);
    expect(small.pass(60)).toEqual([]);
    expect(small.set(HostField.DiskFreeBytes, 99e6).pass(60)).toEqual(['10 +disk_logs_reduced']);
  });

  it('slow the chores down when the CPU is busy, and read no payload only when rings fill', () => {
    const machine = new Machine().set(HostField.CpuPercent, 99);
    expect(machine.pass(600)).toEqual(['15 +load_chores_slowed']);
    expect(machine.ring(0.79).pass(60)).toEqual([]);
    expect(machine.ring(0.8).pass(60)).toEqual(['15 +load_payload_unread']);
    expect(machine.ring(0.1).pass(600)).toEqual([]);
    expect(machine.set(HostField.CpuPercent, 50).pass(600)).toEqual(['35 -load_payload_unread', '70 -load_chores_slowed']);
  });

  it('slow the chores down when a ring is half full', () => {
    const machine = new Machine().ring(0.5);
    expect(machine.pass(60)).toEqual(['15 +load_chores_slowed']);
    expect(machine.ring(0.3).pass(600)).toEqual([]);
    expect(machine.ring(0.2).pass(600)).toEqual(['35 -load_chores_slowed']);
  });
});
