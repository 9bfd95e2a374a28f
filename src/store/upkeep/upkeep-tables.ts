/** Schema version 8. */
export const UPKEEP_TABLES = '';
