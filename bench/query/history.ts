import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCHEMA_VERSION } from '../../src/store/schema.js';
import type { Progress } from '../programs/run-programs.js';
import { StoreRig } from '../store/store-rig.js';
import { BENCH_PREFIX } from '../temporary.js';

/** Counts up when other flows are made up: kept histories of another version are not used. */
const HISTORY_VERSION = 2;
const PREFIX = `${BENCH_PREFIX}history-`;
export const HISTORY_DAYS = 30;
const DAY_MS = 86_400_000;
/** The start of a day; every history has the same. */
export const HISTORY_START_MS = 1_750_032_000_000;
const FLOWS_PER_BATCH = 5_000;
const PROGRESS_PARTS = 100;

/** The kept history of so many flows over 30 days, or a new one: written by the real writer, with what it keeps beside rows. */
export function openHistory(flows: number, progress: Progress, directory: string): string {
  const place = join(directory, `${PREFIX}v${HISTORY_VERSION}-schema-${SCHEMA_VERSION}-${flows}-flows`);
  if (existsSync(place)) return join(place, 'flowberry.db');
  const partial = `${place}.${process.pid}.partial`;
  mkdirSync(partial);
  try {
    writeHistory(partial, flows, progress);
    renameSync(partial, place);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
  return join(place, 'flowberry.db');
}

/** Deletes kept histories, and what was left of killed runs. */
export function cleanHistories(directory = tmpdir()): string[] {
  const names = readdirSync(directory).filter((name) => name.startsWith(PREFIX));
  for (const name of names) rmSync(join(directory, name), { recursive: true, force: true });
  return names;
}

/** Flows evenly apart, and the writer's clock with them, so that hours and days come to pass for it. */
function writeHistory(directory: string, flows: number, progress: Progress): void {
  const rig = new StoreRig({ directory, startMs: HISTORY_START_MS, mode: 'replay' });
  const stepUs = (HISTORY_DAYS * DAY_MS * 1000) / flows;
  for (let at = 0; at < flows; at++) {
    const emittedUs = HISTORY_START_MS * 1000 + Math.floor(at * stepUs);
    const isFull = !rig.emit(emittedUs);
    if (isFull) at--;
    if (!isFull && (at + 1) % FLOWS_PER_BATCH !== 0) continue;
    rig.publish();
    const ms = Math.floor(emittedUs / 1000);
    rig.drain(ms);
    for (let slices = 0; slices < 100 && rig.step(ms); slices++);
    if (at % Math.ceil(flows / PROGRESS_PARTS) < FLOWS_PER_BATCH)
      progress(`history of ${flows} flows: ${Math.floor((100 * at) / flows)} %`);
  }
  rig.publish();
  rig.close(HISTORY_START_MS + HISTORY_DAYS * DAY_MS);
}
