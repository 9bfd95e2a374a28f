/** Schema version 6. */
export const ROLLUP_TABLES = '';
