const BANDS = 'to_500us to_1ms to_2ms to_5ms to_10ms to_20ms to_50ms to_100ms to_200ms to_500ms to_1s over_1s'.split(' ');
const FLOW_SUMS =
  `flows packets_out packets_in bytes_out bytes_in retransmits out_of_order rtt_count rtt_us rtt_client_us tcp_attempts
  tcp_rejected tcp_unanswered`.split(/\s+/);
/** Name of the tables, of those that have the same by device, the key, columns of sums. */
const TABLES = [
  ['name', 'device_name', 'name', FLOW_SUMS],
  ['dns_code', 'dns', 'code', ['queries', 'latency_count', 'latency_us', ...BANDS]],
] as const;
/** Ages beyond which a row is late, as `AGE_NEAR_MAX` has them. */
const LATE = { minute: 60, hour: 2, day: 1 } as const;

function tableSql([name, byDevice, key, sums]: (typeof TABLES)[number], level: string, age: number): string {
  const table = `rollup_${name}_${level}`;
  const finer = `rollup_${byDevice}_${level}`;
  return `
CREATE TABLE ${table} (
  id INTEGER PRIMARY KEY,
  age INTEGER NOT NULL,
  ${key} INTEGER,
  ${sums.map((sum) => `${sum} INTEGER NOT NULL`).join(',\n  ')}
);
INSERT INTO ${table} SELECT id, age, ${[key, ...sums].join(', ')} FROM ${finer};
INSERT INTO rollup_state
  SELECT '${table}', folded_id, age_min, age_max, flows, packets, bytes, flows_pruned, packets_pruned, bytes_pruned
  FROM rollup_state WHERE table_name = '${finer}';
CREATE INDEX ${table}_late ON ${table} (age) WHERE age > ${age};`;
}

/**
 * Schema version 15: names, and DNS by response code, of all devices together. The rows that there are by device are copied as they are,
 * since rows of one bucket and key add up. Once released it is not changed.
 */
export const ROLLUP_TOTALS = TABLES.flatMap((table) =>
  Object.entries(LATE).map(([level, age]) => tableSql(table, level, age)),
).join('\n');
