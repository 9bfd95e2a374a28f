import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** A path without symbolic links, so that one database has one name; that of what is not there yet as well. */
export function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const absolute = resolve(path);
  return join(realPathOf(dirname(absolute)), basename(absolute));
}
