const KINDS = ['device', 'device_application', 'device_name', 'dns'] as const;
/** Not by minute: there each row would change a page of its own, where rows of hours and days come a few hundred at a time. */
const LEVELS = ['hour', 'day'] as const;

/** Schema version 14: sums of one device, over weeks, without those of all others. Once released it is not changed. */
export const ROLLUP_INDEXES = KINDS.flatMap((kind) =>
  LEVELS.map((level) => `CREATE INDEX rollup_${kind}_${level}_ip ON rollup_${kind}_${level} (ip);`),
).join('\n');
