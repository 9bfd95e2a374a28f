import { existsSync, lstatSync, statfsSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { Config } from '../../config.js';
import { AppError } from '../../errors.js';
import { isInMemory } from '../budget/block-device.js';
import { makePrivateDirectory } from '../private-file.js';
import { walBytes } from '../upkeep/file-room.js';
import type { RamPaths } from './ram-paths.js';

/** The database takes at most this part of the memory, and of what the tmpfs has free. */
const MEMORY_SHARE = 4;
const FREE_RATIO = 0.9;
/** With less, a database has no room for a batch beside its write-ahead log. */
const BYTES_MIN = 16_777_216;
const WRITABLE_BY_OTHERS = 0o022;

const unusable = (base: string, why: string): AppError =>
  new AppError('STORE_RAM_UNUSABLE', `store.ram-directory ${base}: ${why}`);

/** Makes the directories, for their owner alone. Throws `STORE_RAM_UNUSABLE` for what is no tmpfs, or where others might reach in. */
export function openRamDirectory({ base, directory }: RamPaths): void {
  let above = base;
  while (!existsSync(above)) above = dirname(above);
  // Looked at before anything is made: on a disk, that would be written.
  if (!isInMemory(above)) throw unusable(base, 'it is not on a tmpfs, so it would not be in memory');
  try {
    makePrivateDirectory(base);
    const { uid, mode } = ownDirectory(base);
    const isOurs = uid === process.getuid?.() || uid === 0;
    if (!isOurs || (mode & WRITABLE_BY_OTHERS) !== 0) throw new Error('others may write to it');
    makePrivateDirectory(directory);
    if (ownDirectory(directory).uid !== process.getuid?.()) throw new Error(`${directory} belongs to somebody else`);
  } catch (error) {
    throw unusable(base, (error as Error).message);
  }
}

function ownDirectory(path: string): { uid: number; mode: number } {
  const status = lstatSync(path);
  if (!status.isDirectory()) throw new Error('it is no directory');
  return status;
}

/** Bytes of a database with its write-ahead log; 0 where there is none. */
export function databaseBytes(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) + walBytes(path);
}

/**
 * Bytes that a database in memory may take at most with this config: a quarter of the machine's memory or of what its control group
 * allows, unless `retention.file-bytes-max` is less.
 */
export function ramBytesMaxOf(config: Config, memoryBytes: number): number {
  const allowed = process.constrainedMemory() || memoryBytes;
  const share = Math.floor(Math.min(memoryBytes, allowed) / MEMORY_SHARE);
  return Math.min(config.retentionFileBytesMax || share, share);
}

/** The same, and no more than the tmpfs has room for. Throws `STORE_RAM_UNUSABLE` when that is too little to work with. */
export function roomInMemory(config: Config, { base, live }: RamPaths, memoryBytes = totalmem()): number {
  const { bavail, bsize } = statfsSync(base);
  const room = Math.floor((bavail * bsize + databaseBytes(live)) * FREE_RATIO);
  const bytes = Math.min(ramBytesMaxOf(config, memoryBytes), room);
  if (bytes < BYTES_MIN) throw unusable(base, `it has room for a database of ${bytes} bytes, and ${BYTES_MIN} are needed`);
  return bytes;
}
