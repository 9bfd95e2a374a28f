/** Schema version 9. */
export const BUDGET_TABLES = '';
