import type { Config } from '../config.js';
import { requireFile } from '../store/open-database.js';
import { compactDatabase } from '../store/upkeep/compact-database.js';
import { bytesText } from './bytes-text.js';

/** `flowberry db compact`: makes the file as small as its rows allow. Throws `AppError`. */
export function runDbCompact(config: Config, options: { readonly json: boolean }): number {
  if (process.stderr.isTTY && !options.json) process.stderr.write('copying what is in use, and checking the copy …\n');
  requireFile(config.dbPath);
  const { path, bytesBefore, bytesAfter } = compactDatabase(config, Date.now() * 1000);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ path, bytes_before: bytesBefore, bytes: bytesAfter })}\n`
      : `${path}: ${bytesText(bytesAfter)}, ${bytesText(bytesBefore)} before\n`,
  );
  return 0;
}
