import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from '../../config.js';
import { deviceNumberOf, findBlockDevice, isInMemory, KERNEL_ROOTS, type KernelRoots } from './block-device.js';

type ProfileName = Exclude<Config['storeProfile'], 'auto'>;

/** The options that a profile decides where they are 0. */
type ProfileOption =
  | 'batchRowsMin'
  | 'batchAgeMsMax'
  | 'storeCheckpointBytes'
  | 'storeWriteBytesPerMinuteSoft'
  | 'storeWriteBytesPerMinuteHard';

/**
 * What the kinds of storage stand for. On a card, batches wait for their age, since a transaction writes whole pages; a disk can take
 * many times as much.
 */
const PROFILES: Readonly<Record<ProfileName, Readonly<Record<ProfileOption, number>>>> = {
  sd: {
    batchRowsMin: 5_000,
    batchAgeMsMax: 5_000,
    storeCheckpointBytes: 16_000_000,
    storeWriteBytesPerMinuteSoft: 2_000_000,
    storeWriteBytesPerMinuteHard: 10_000_000,
  },
  ssd: {
    batchRowsMin: 50,
    batchAgeMsMax: 5_000,
    storeCheckpointBytes: 16_000_000,
    storeWriteBytesPerMinuteSoft: 20_000_000,
    storeWriteBytesPerMinuteHard: 100_000_000,
  },
  // What is written is what was asked for, and no reason to leave rows out; the write-ahead log takes memory.
  ram: {
    batchRowsMin: 50,
    batchAgeMsMax: 5_000,
    storeCheckpointBytes: 4_000_000,
    storeWriteBytesPerMinuteSoft: 100_000_000_000,
    storeWriteBytesPerMinuteHard: 100_000_000_000,
  },
};

/** `config` with a profile in place of `auto`, and what that decides in place of zeros. A config that has nothing open stays as it is. */
export function withProfile(config: Config, roots: KernelRoots = KERNEL_ROOTS): Config {
  const storeProfile = config.storeProfile === 'auto' ? profileFor(config.dbPath, roots) : config.storeProfile;
  const profile = PROFILES[storeProfile];
  const decided = Object.entries(profile).filter(([name]) => config[name as ProfileOption] === 0);
  if (decided.length === 0 && storeProfile === config.storeProfile) return config;
  const filled: Config = { ...config, storeProfile, ...Object.fromEntries(decided) };
  const rowsMin = Math.min(filled.batchRowsMin, filled.batchRowsMax);
  const hard = Math.max(filled.storeWriteBytesPerMinuteHard, config.storeWriteBytesPerMinuteSoft);
  const soft = Math.min(filled.storeWriteBytesPerMinuteSoft, hard);
  return Object.freeze({
    ...filled,
    batchRowsMin: rowsMin,
    storeWriteBytesPerMinuteSoft: soft,
    storeWriteBytesPerMinuteHard: hard,
  });
}

/**
 * The profile for what `path` lies on, or will lie on. Cards and what can be pulled out wear, and so does a disk of which nothing is
 * known; memory does not. A USB stick that calls itself a fixed disk cannot be told from one.
 */
function profileFor(path: string, roots: KernelRoots): ProfileName {
  const place = existing(path);
  if (isInMemory(place)) return 'ssd';
  const device = findBlockDevice(deviceNumberOf(place), roots);
  if (!device || device.isRemovable || device.name.startsWith('mmcblk')) return 'sd';
  return 'ssd';
}

/** The path itself, or the nearest directory above it that exists. */
function existing(path: string): string {
  let place = resolve(path);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}
