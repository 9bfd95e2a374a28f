/** Schema version 7. */
export const LOOKUP_TABLES = '';
