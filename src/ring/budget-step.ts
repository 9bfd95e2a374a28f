/** What the writer does so that less is written, each with those before it. */
export const enum BudgetStep {
  None = 0,
  LargerBatches = 1,
  CoarserRollups = 2,
  Shedding = 3,
}

/** Names of `BudgetStep`, in its order. */
export const BUDGET_STEPS = ['none', 'larger_batches', 'coarser_rollups', 'shedding'] as const;
