/** An answer as it is printed: `bytesOut` is `bytes_out`, on every level. */
export function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [snakeName(name), snakeCased(inner)]));
}

/** One row without levels, for CSV: what is inside another object gets its name before its own. Lists are joined. */
export function flatRow(value: object): Record<string, string | number | null> {
  const row: Record<string, string | number | null> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (Array.isArray(inner)) row[snakeName(name)] = inner.join();
    else if (typeof inner !== 'object' || inner === null)
      row[snakeName(name)] = typeof inner === 'boolean' ? Number(inner) : inner;
    else for (const [innerName, deep] of Object.entries(flatRow(inner))) row[`${snakeName(name)}_${innerName}`] = deep;
  }
  return row;
}

function snakeName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
