import { createHash } from 'node:crypto';

/** Short name of a result: the first 16 hexadecimal digits of the SHA-256 over its numbers and texts, in order. */
export function resultHash(values: Iterable<number | string | bigint | null>): string {
  const hash = createHash('sha256');
  for (const value of values) hash.update(`${value}\n`);
  return hash.digest('hex').slice(0, 16);
}
