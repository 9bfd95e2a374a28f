/** Rows that age: retention deletes the oldest of them, in slices, inside its own transaction. */
export interface Prunable {
  /** For people: what the rows are. */
  readonly name: string;
  /** When the oldest of the rows that may go is past, with the unit that goes as a whole, µs since 1970; null without any. */
  oldestUs(): number | null;
  /** Deletes at most about `rowsMax` rows that are older than `beforeUs`, the oldest first, and returns how many. */
  prune(beforeUs: number, rowsMax: number): number;
}
