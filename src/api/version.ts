import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const packageSchema = z.object({ name: z.string(), version: z.string() });

/** Version of this flowberry, from the nearest package.json above this file: two folders up in src, three in dist. */
export function readVersion(): string {
  for (const above of ['../../package.json', '../../../package.json']) {
    try {
      const found = packageSchema.parse(JSON.parse(readFileSync(fileURLToPath(new URL(above, import.meta.url)), 'utf8')));
      if (found.name === 'flowberry') return found.version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}
