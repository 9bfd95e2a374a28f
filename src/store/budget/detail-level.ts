/** How finely rollups are kept. Who writes them reads it, the budget sets it. */
export interface DetailLevel {
  /** So much is written that rollups should be coarser: fewer rows, or less often. */
  readonly isCoarse: boolean;
}
