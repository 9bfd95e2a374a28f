import type { Prunable } from '../prunable.js';

/** What one slice has deleted. */
export interface Removed {
  readonly name: string;
  readonly rows: number;
  /** Index of their group. */
  readonly group: number;
}

/** Rows that are younger than the oldest one by more than this stay, for now: what goes with them may be marked all at once. */
const SPAN_US = 6 * 3_600_000_000;

/**
 * Deletes a slice of the oldest rows of the first group with rows that may go, inside the open transaction; null when no group
 * has.
 */
export function removeOldest(groups: readonly (readonly Prunable[])[], rowsMax: number): Removed | null {
  for (const [index, group] of groups.entries()) {
    const byAge = group
      .map((prunable) => ({ prunable, oldestUs: prunable.oldestUs() ?? Number.POSITIVE_INFINITY }))
      .filter(({ oldestUs }) => oldestUs < Number.POSITIVE_INFINITY)
      .sort((a, b) => a.oldestUs - b.oldestUs);
    for (const { prunable, oldestUs } of byAge) {
      const rows = prunable.prune(oldestUs + SPAN_US, rowsMax);
      if (rows > 0) return { name: prunable.name, rows, group: index };
    }
  }
  return null;
}
