/** How fine a rollup is. A coarser level is folded from the next finer one. */
export const enum Level {
  Minute = 0,
  Hour = 1,
  Day = 2,
}

/** Names of `Level`, in its order, as they stand in the names of tables. */
export const LEVEL_NAMES = ['minute', 'hour', 'day'] as const;

/** Minutes of a bucket, by level. */
export const LEVEL_MINUTES = [1, 60, 1440] as const;

/** µs of a minute. */
export const MINUTE_US = 60_000_000;

/**
 * Ids of rollup rows: the time at which the row was written, in buckets of its level since 1970, and a number that counts the rows of
 * that time. Ids only grow, so pages fill one after the other. The bucket that the row belongs to is told by its age: so many buckets
 * before the time in the id. Both together take 6 bytes; a plain id and the bucket take 8.
 */
export const ID_STEP = 65_536;

/** SQL for the bucket of a row, in buckets of its level since 1970. */
export const BUCKET_SQL = '((id >> 16) - age)';

/**
 * Rows whose age is greater are late, by level: pieces of flows that lasted for hours or were found again long after. They are few, and
 * have an index, so that the others need not be looked for far behind the time that they belong to.
 */
export const AGE_NEAR_MAX = [60, 2, 1] as const;
