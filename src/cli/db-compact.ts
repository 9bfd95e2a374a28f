import { existsSync } from 'node:fs';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { compactDatabase } from '../store/upkeep/compact-database.js';
import { bytesText } from './bytes-text.js';

/** `flowberry db compact`: makes the file as small as its rows allow. Throws `AppError`. */
export function runDbCompact(config: Config, options: { readonly json: boolean }): number {
  if (process.stderr.isTTY && !options.json) process.stderr.write('copying what is in use, and checking the copy …\n');
  // Opening it for writing would make it.
  if (!existsSync(config.dbPath)) throw new AppError('DATABASE_NOT_FOUND', `database ${config.dbPath}: there is no such file`);
  const { path, bytesBefore, bytesAfter } = compactDatabase(config, Date.now() * 1000);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ path, bytes_before: bytesBefore, bytes: bytesAfter })}\n`
      : `${path}: ${bytesText(bytesAfter)}, ${bytesText(bytesBefore)} before\n`,
  );
  return 0;
}
