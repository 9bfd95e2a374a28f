import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { deviceNumberOf, findBlockDevice } from '../../src/store/budget/block-device.js';
import { IoMeter } from '../../src/store/budget/io-meter.js';
import { withProfile } from '../../src/store/budget/profiles.js';
import { temporaryDirectory } from '../helpers/flow-records.js';

/** A kernel of files: what is written here is what /proc and /sys say. */
class FakeKernel {
  private readonly root = temporaryDirectory();
  readonly roots = { proc: join(this.root, 'proc'), sys: join(this.root, 'sys') };

  put(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** A disk, or a partition with its disk's name before a slash. */
  disk(number: string, name: string, { rotational = 0, removable = 0, sectors = 0 } = {}): void {
    const [disk, partition] = name.split('/') as [string, string?];
    this.put(`sys/devices/${disk}/removable`, `${removable}\n`);
    this.put(`sys/devices/${disk}/queue/rotational`, `${rotational}\n`);
    this.put(`sys/devices/${disk}/stat`, `      10       0     80       1      20       0 ${sectors}       3    0   4   5\n`);
    if (partition) this.put(`sys/devices/${name}/partition`, '2\n');
    mkdirSync(join(this.root, 'sys/dev/block'), { recursive: true });
    symlinkSync(join('../../devices', name), join(this.root, 'sys/dev/block', number));
  }
}

describe('the disk of a file', () => {
  it('is the whole one for a partition', () => {
    const kernel = new FakeKernel();
    kernel.disk('179:2', 'mmcblk0/mmcblk0p2');
    expect(findBlockDevice('179:2', kernel.roots)).toMatchObject({ name: 'mmcblk0', isRotational: false, isRemovable: false });
  });

  it('is the one below a mapper', () => {
    const kernel = new FakeKernel();
    kernel.disk('8:2', 'sda/sda2', { rotational: 1 });
    kernel.disk('253:0', 'dm-0');
    mkdirSync(join(kernel.roots.sys, 'devices/dm-0/slaves'));
    symlinkSync('../../sda/sda2', join(kernel.roots.sys, 'devices/dm-0/slaves/sda2'));
    expect(findBlockDevice('253:0', kernel.roots)).toMatchObject({ name: 'sda', isRotational: true });
  });

  it('is none for overlay, memory and the like', () => {
    expect(findBlockDevice('0:53', new FakeKernel().roots)).toBeNull();
  });
});

describe('bytes written', () => {
  it('are read from the process and the disk', () => {
    const kernel = new FakeKernel();
    const path = temporaryDirectory();
    kernel.put('proc/self/io', 'rchar: 1\nwchar: 2\nread_bytes: 3\nwrite_bytes: 8192\ncancelled_write_bytes: 4096\n');
    kernel.disk(deviceNumberOf(path), 'nvme0n1', { sectors: 100 });
    const meter = new IoMeter(path, kernel.roots);
    expect([meter.processBytes(), meter.deviceBytes()]).toEqual([8192, 51_200]);
  });

  it('are unknown where the kernel does not tell', () => {
    const meter = new IoMeter(temporaryDirectory(), new FakeKernel().roots);
    expect([meter.processBytes(), meter.deviceBytes()]).toEqual([null, null]);
  });
});

describe('the profile', () => {
  const profileOf = (disk: ((kernel: FakeKernel, number: string) => void) | null, options: OptionValues = {}) => {
    const kernel = new FakeKernel();
    const directory = temporaryDirectory();
    disk?.(kernel, deviceNumberOf(directory));
    return withProfile(resolveConfig({ 'db.path': join(directory, 'not/there/yet.db'), ...options }), kernel.roots);
  };

  it.each([
    ['sd', 'a card', (kernel: FakeKernel, number: string) => kernel.disk(number, 'mmcblk0/mmcblk0p2')],
    ['sd', 'a stick', (kernel: FakeKernel, number: string) => kernel.disk(number, 'sda/sda1', { removable: 1 })],
    ['sd', 'nobody knows what', null],
    ['ssd', 'NVMe', (kernel: FakeKernel, number: string) => kernel.disk(number, 'nvme0n1/nvme0n1p1')],
    ['ssd', 'a disk that turns', (kernel: FakeKernel, number: string) => kernel.disk(number, 'sda/sda1', { rotational: 1 })],
  ])('is %s for %s', (profile, _, disk) => {
    expect(profileOf(disk).storeProfile).toBe(profile);
  });

  it('decides what is left to it, and no more', () => {
    expect(profileOf(null)).toMatchObject({
      batchRowsMin: 5_000,
      batchAgeMsMax: 5_000,
      storeWriteBytesPerMinuteSoft: 2_000_000,
      storeWriteBytesPerMinuteHard: 10_000_000,
    });
    const given = {
      'store.profile': 'ssd',
      'batch.rows-min': 7,
      'batch.age-ms-max': 600,
      'store.checkpoint-bytes': 300_000,
      'store.write-bytes-per-minute-soft': 10_000,
      'store.write-bytes-per-minute-hard': 200_000,
    } as const;
    expect(profileOf(null, given)).toMatchObject({
      storeProfile: 'ssd',
      batchRowsMin: 7,
      batchAgeMsMax: 600,
      storeCheckpointBytes: 300_000,
      storeWriteBytesPerMinuteSoft: 10_000,
      storeWriteBytesPerMinuteHard: 200_000,
    });
  });

  it('keeps its limits in order with those that are given', () => {
    const soft = profileOf(null, { 'store.write-bytes-per-minute-soft': 50_000_000 });
    expect([soft.storeWriteBytesPerMinuteSoft, soft.storeWriteBytesPerMinuteHard]).toEqual([50_000_000, 50_000_000]);
    const hard = profileOf(null, { 'store.write-bytes-per-minute-hard': 1_000_000, 'batch.rows-max': 100 });
    expect([hard.storeWriteBytesPerMinuteSoft, hard.storeWriteBytesPerMinuteHard]).toEqual([1_000_000, 1_000_000]);
    expect(hard.batchRowsMin).toBe(100);
  });
});
