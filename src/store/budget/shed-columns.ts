/** Columns of what was counted and not written as rows, in `ledger` and `sessions`. Since schema version 9. */
export const SHED_COLUMNS = ['flows_shed', 'packets_shed', 'ip_bytes_shed', 'wire_bytes_shed'] as const;

/** Schema version since which they are there. */
export const SHED_SINCE = 9;
