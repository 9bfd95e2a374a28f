const BANDS = 'to_500us to_1ms to_2ms to_5ms to_10ms to_20ms to_50ms to_100ms to_200ms to_500ms to_1s over_1s'.split(' ');
const SUMS = ['queries', 'latency_count', 'latency_us', ...BANDS];
/** Ages beyond which a row is late, as `AGE_NEAR_MAX` has them. */
const LATE = { minute: 60, hour: 2, day: 1 } as const;

/**
 * Schema version 15: DNS by response code, of all devices together. What there is by device is added up, one row for those of a batch;
 * rows that are folded into the next level and rows that are not stay apart. Once released it is not changed.
 */
export const ROLLUP_DNS_CODE = Object.entries(LATE)
  .map(
    ([level, age]) => `
CREATE TABLE rollup_dns_code_${level} (
  id INTEGER PRIMARY KEY,
  age INTEGER NOT NULL,
  code INTEGER,
  ${SUMS.map((sum) => `${sum} INTEGER NOT NULL`).join(',\n  ')}
);
INSERT INTO rollup_dns_code_${level}
  SELECT min(id), age, code, ${SUMS.map((sum) => `sum(${sum})`).join(', ')} FROM rollup_dns_${level}
  GROUP BY id >> 16, age, code, id > (SELECT folded_id FROM rollup_state WHERE table_name = 'rollup_dns_${level}');
INSERT INTO rollup_state
  SELECT 'rollup_dns_code_${level}', folded_id, age_min, age_max, flows, packets, bytes, flows_pruned, packets_pruned, bytes_pruned
  FROM rollup_state WHERE table_name = 'rollup_dns_${level}';
CREATE INDEX rollup_dns_code_${level}_late ON rollup_dns_code_${level} (age) WHERE age > ${age};`,
  )
  .join('\n');
