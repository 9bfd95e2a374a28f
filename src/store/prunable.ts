/** Rows that age: retention deletes the oldest of them, in slices, inside its own transaction. */
export interface Prunable {
  /** For people: what the rows are. */
  readonly name: string;
  /** Time of the oldest row, µs since 1970; null without rows. */
  oldestUs(): number | null;
  /** Deletes at most about `rowsMax` rows that are older than `beforeUs`, the oldest first, and returns how many. */
  prune(beforeUs: number, rowsMax: number): number;
}
