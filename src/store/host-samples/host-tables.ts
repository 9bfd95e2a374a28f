import { HOST_FIELDS, HostField } from '../../ring/host-layout.js';

/** Names of the gauges, and of the counters. */
export const GAUGES = HOST_FIELDS.slice(0, HostField.Gauges);
export const COUNTERS = HOST_FIELDS.slice(HostField.Gauges, HostField.Gauges + HostField.Counters);

/** How the gauges are stored, in their order: as an integer of a smaller unit where one of its own would lose too much. */
export const GAUGE_UNITS: readonly { readonly name: string; readonly column: string; readonly factor: number }[] = GAUGES.map(
  (name) => {
    if (name.endsWith('_percent')) return { name, column: name.replace('_percent', '_permille'), factor: 10 };
    if (name === 'temperature_c') return { name, column: 'temperature_mc', factor: 1000 };
    return { name, column: name, factor: 1 };
  },
);

/** Columns of `host_samples` behind the first three, in the order of a `HostMinute`. */
export const HOST_COLUMNS: readonly string[] = [
  ...GAUGE_UNITS.flatMap(({ column }) => [`${column}_min`, `${column}_mean`, `${column}_max`]),
  ...COUNTERS,
];

/** Schema version 11. */
export const HOST_TABLES = `
-- How the machine was, by minute: least, mean and greatest of what was read every 5 s. NULL: the machine does not show it.
CREATE TABLE host_samples (
  minute_us INTEGER PRIMARY KEY, -- start of the minute, µs since 1970, by the clock of the session
  samples INTEGER NOT NULL,
  throttle_bits INTEGER, -- 1 under-voltage, 2 frequency capped, 4 throttled, 8 soft limit; all that held in the minute
  -- permille: of all cores together, process_cpu of one core; mc: thousandths of a degree Celsius; bytes of disk and network: moved
  -- within the minute by the whole machine
  ${HOST_COLUMNS.map((column) => `${column} INTEGER`).join(',\n  ')}
);`;
