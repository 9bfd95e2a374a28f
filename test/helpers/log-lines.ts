import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Files of a log in the order in which they were written. */
export function logFiles(folder: string, name: string): string[] {
  const number = (file: string): number => Number(/\.(\d+)(\.gz)?$/.exec(file)?.[1] ?? Number.POSITIVE_INFINITY);
  return readdirSync(folder)
    .filter((file) => file.startsWith(name))
    .sort((a, b) => number(a) - number(b));
}

/** Lines of a log, all of its files together. */
export function logLines(folder: string, name: string): string[] {
  return logFiles(folder, name).flatMap((file) => {
    const bytes = readFileSync(join(folder, file));
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    return text.split('\n').filter((line) => line !== '');
  });
}
