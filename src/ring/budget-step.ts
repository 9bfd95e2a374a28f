/** What the writer does so that less is written, each with those before it. */
export const enum BudgetStep {
  None = 0,
  LargerBatches = 1,
  CoarserRollups = 2,
  Shedding = 3,
}

/** How long rows may wait under the first step and those after it; whoever set more keeps it. */
export const LARGER_BATCH_AGE_MS = 30_000;

/** Names of `BudgetStep`, in its order. */
export const BUDGET_STEPS = ['none', 'larger_batches', 'coarser_rollups', 'shedding'] as const;
