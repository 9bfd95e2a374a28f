import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { findLive } from '../store/ram/ram-paths.js';
import { saveLeft } from '../store/ram/save-left.js';
import { realPathOf } from '../store/real-path.js';
import { askDaemon, readHealth } from './ask-daemon.js';
import { bytesText } from './bytes-text.js';

const POLL_MS = 250;

const savingSchema = z.object({ save: z.int().nullable() });

/**
 * `flowberry db save`: has the daemon save the database that it has in memory, and waits until that is done; where none runs, saves what
 * one has left there. Throws `DATABASE_SAVE_FAILED`, and `API_UNREACHABLE` when the daemon that has the database does not answer.
 */
export async function runDbSave(config: Config, { json }: { readonly json: boolean }): Promise<number> {
  const path = realPathOf(config.dbPath);
  const isInMemory = await save(config);
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const text = isInMemory ? `${path}: saved, ${bytesText(bytes)}` : `${path}: nothing of it is in memory`;
  process.stdout.write(json ? `${JSON.stringify({ path, saved: isInMemory, bytes })}\n` : `${text}\n`);
  return 0;
}

/** False where there is nothing to save. */
async function save(config: Config): Promise<boolean> {
  const left = findLive(config);
  if (!left) return false;
  try {
    await saveLeft(left, Date.now());
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'DATABASE_LOCKED') throw error;
  }
  return await saveByDaemon(config);
}

async function saveByDaemon({ apiAddress: address, apiPort: port, apiTokenFile: tokenFile, dbPath }: Config): Promise<boolean> {
  const daemon = { address, port, tokenFile };
  const ask = { method: 'PATCH', path: '/api/v1/database', body: { saved: true } } as const;
  const { save: number } = await askDaemon(daemon, savingSchema, ask);
  if (number === null) return false;
  for (;;) {
    const { saves } = (await readHealth(daemon)).writer;
    if (saves === null) throw new AppError('API_UNREACHABLE', 'another daemon answers than before');
    if (saves.made + saves.failed >= number && !saves.running) {
      if (saves.failures === 0) return true;
      throw new AppError('DATABASE_SAVE_FAILED', `database ${dbPath}: the daemon could not save it, and its log says why`);
    }
    await sleep(POLL_MS);
  }
}
