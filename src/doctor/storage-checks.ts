import path from 'node:path';
import type { Config } from '../config.js';
import { type Check, type Finding, fail, ok, unknown, warn } from './check.js';
import type { Host } from './host.js';

const GB = 1e9;
const FREE_BYTES_MIN = 500e6;
const FREE_RATIO_MIN = 0.1;
const FREE_RATIO_GOOD = 0.2;
const SYNC_MS_GOOD = 50;
const SYNC_MS_MAX = 500;

const FOREIGN_FILE_SYSTEMS = /^(nfs|cifs|smb|fuse|9p|ceph|glusterfs)/;

/** Where a file lies: kind of file system, and name of the block device ('' for none). */
interface Place {
  readonly fileSystem: string;
  readonly device: string;
}

/** Finds the mount that a path is on, by proc(5) `mountinfo`, and the device by `/sys/dev/block`. */
function placeOf(host: Host, file: string): Place | null {
  let best: { mountPoint: string; numbers: string; fileSystem: string } | null = null;
  for (const line of (host.text('/proc/self/mountinfo') ?? '').split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const [, , numbers = '', , mountPoint = ''] = left.split(' ');
    const isAbove = mountPoint === '/' || file === mountPoint || file.startsWith(`${mountPoint}/`);
    // Of two mounts on one place, the later holds.
    if (isAbove && mountPoint !== '' && mountPoint.length >= (best?.mountPoint.length ?? 0))
      best = { mountPoint, numbers, fileSystem: right.split(' ')[0] ?? '' };
  }
  if (!best) return null;
  return { fileSystem: best.fileSystem, device: path.posix.basename(host.link(`/sys/dev/block/${best.numbers}`) ?? '') };
}

/** The directory of the database, or the nearest one above it that is there. */
function directoryOf(host: Host, config: Config): string {
  let directory = path.dirname(path.resolve(config.dbPath));
  while (directory !== '/' && host.probes.space(directory) === null) directory = path.dirname(directory);
  return directory;
}

function storage(host: Host, config: Config): Finding {
  const place = placeOf(host, path.resolve(config.dbPath));
  if (!place) return unknown('the kernel does not tell where the database lies');
  const { fileSystem, device } = place;
  if (FOREIGN_FILE_SYSTEMS.test(fileSystem))
    return fail(`the database lies on ${fileSystem}: SQLite needs a disk of this machine; give another db.path`);
  if (fileSystem === 'tmpfs') return fail('the database lies in memory and is gone after a restart; give another db.path');
  if (config.storeProfile === 'ram')
    return ok(`the database lies in memory, and is saved to ${device || fileSystem} at the stop and when asked`);
  if (device.startsWith('mmcblk'))
    return warn(`the database lies on an SD card or eMMC (${device}): it works within its write budget; an SSD lasts longer`);
  if (device === '') return unknown(`the database lies on ${fileSystem}, whose device is not known`);
  return ok(`the database lies on ${device} (${fileSystem})`);
}

function freeSpace(host: Host, config: Config): Finding {
  const directory = directoryOf(host, config);
  const found = host.probes.space(directory);
  if (!found) return unknown(`${directory} does not tell how much is free`);
  const ratio = found.freeBytes / found.totalBytes;
  const why = `${(found.freeBytes / GB).toFixed(1)} of ${(found.totalBytes / GB).toFixed(1)} GB are free at ${directory}`;
  if (found.freeBytes < FREE_BYTES_MIN || ratio < FREE_RATIO_MIN) return fail(why, 'flowberry db prune --help');
  return ratio < FREE_RATIO_GOOD ? warn(why, 'flowberry db prune --help') : ok(why);
}

function sync(host: Host, config: Config): Finding {
  const directory = directoryOf(host, config);
  const ms = host.probes.syncMs(directory);
  if (ms === null) return unknown(`this user may not write to ${directory}: run it as root, or as the service's user`);
  const why = `a page is on the disk after ${ms.toFixed(1)} ms`;
  if (ms <= SYNC_MS_GOOD) return ok(why);
  const mend = 'sudo dmesg --level=err,warn | grep -iE "mmc|nvme|ata|usb"';
  return ms <= SYNC_MS_MAX
    ? warn(`${why}: a slow card; longer batches help (batch.age-ms-max)`, mend)
    : fail(`${why}: the card may be dying`, mend);
}

function swap(host: Host): Finding {
  const text = host.text('/proc/swaps');
  if (text === null) return unknown('the kernel does not tell about swap');
  const [, ...lines] = text.split('\n');
  for (const line of lines) {
    const [file = '', kind] = line.split(/\s+/);
    const device = kind === 'file' ? (placeOf(host, file)?.device ?? '') : path.posix.basename(file);
    if (device.startsWith('mmcblk'))
      return warn(
        `swap lies on an SD card (${file}) and wears it out`,
        `sudo swapoff ${file} && sudo systemctl disable --now dphys-swapfile`,
      );
  }
  return ok(lines.length === 0 ? 'there is no swap' : 'no swap lies on an SD card');
}

export const STORAGE_CHECKS: readonly Check[] = [
  { name: 'storage', run: storage },
  { name: 'free-space', run: freeSpace },
  { name: 'fsync', run: sync },
  { name: 'swap', run: swap },
];
