const DEVICE_KINDS = ['device', 'device_application', 'device_name', 'dns'] as const;
const KINDS = [...DEVICE_KINDS, 'direction', 'application', 'peer'] as const;
/** Not by minute: there each row would change a page of its own, where rows of hours and days come a few hundred at a time. */
const DEVICE_LEVELS = ['hour', 'day'] as const;
/** Ages beyond which a row is late, as `AGE_NEAR_MAX` has them. */
const LATE = { minute: 60, hour: 2, day: 1 } as const;

/** Schema version 14: sums of one device, over weeks, without those of all others; and the few late rows. Once released it is not changed. */
export const ROLLUP_INDEXES = [
  ...DEVICE_KINDS.flatMap((kind) =>
    DEVICE_LEVELS.map((level) => `CREATE INDEX rollup_${kind}_${level}_ip ON rollup_${kind}_${level} (ip);`),
  ),
  ...KINDS.flatMap((kind) =>
    Object.entries(LATE).map(
      ([level, age]) => `CREATE INDEX rollup_${kind}_${level}_late ON rollup_${kind}_${level} (age) WHERE age > ${age};`,
    ),
  ),
].join('\n');
