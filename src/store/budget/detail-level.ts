/** How finely rollups are kept. Who writes them reads it; the write budget sets it, and main where memory is short. */
export interface DetailLevel {
  /** Rollups should be coarser: fewer rows, or less often. */
  readonly isCoarse: boolean;
}
