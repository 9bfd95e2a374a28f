/** What is counted in a rollup row of flows, in the order of the columns. */
export const enum Measure {
  Flows = 0,
  PacketsOut,
  PacketsIn,
  BytesOut,
  BytesIn,
  Retransmits,
  OutOfOrder,
  RttCount,
  RttUs,
  RttClientUs,
  TcpAttempts,
  TcpRejected,
  TcpUnanswered,
  /** End of what every kind has. */
  Count,
  /** Only in `direction`. */
  WireBytesOut = Count,
  WireBytesIn,
  CountOfDirection,
}

/** What is counted in a rollup row of DNS transactions. */
export const enum DnsMeasure {
  Queries = 0,
  LatencyCount,
  LatencyUs,
  Count,
}

/** Sums over flows that every kind but those of DNS has. */
export const FLOW_MEASURES = [
  'flows',
  'packets_out',
  'packets_in',
  'bytes_out',
  'bytes_in',
  'retransmits',
  'out_of_order',
  'rtt_count',
  'rtt_us',
  'rtt_client_us',
  'tcp_attempts',
  'tcp_rejected',
  'tcp_unanswered',
] as const;

/** Upper ends of the bands of latency, µs; what is above the last one has a band of its own. */
export const BAND_ENDS_US = [500, 1e3, 2e3, 5e3, 10e3, 20e3, 50e3, 100e3, 200e3, 500e3, 1e6] as const;

/** Columns of the bands: how many values lie above the end before and not above its own. */
export const BANDS = [
  'to_500us',
  'to_1ms',
  'to_2ms',
  'to_5ms',
  'to_10ms',
  'to_20ms',
  'to_50ms',
  'to_100ms',
  'to_200ms',
  'to_500ms',
  'to_1s',
  'over_1s',
] as const;

/** Sums over DNS transactions. */
export const DNS_MEASURES = ['queries', 'latency_count', 'latency_us', ...BANDS] as const;

/** By what rows are grouped. */
export type KindName =
  | 'direction'
  | 'device'
  | 'application'
  | 'device_application'
  | 'device_name'
  | 'name'
  | 'peer'
  | 'dns'
  | 'dns_code';

/** One kind of rollup: a table for each level, `rollup_direction_minute` and so on. */
export interface Kind {
  readonly name: KindName;
  /** Columns that tell what the row is about, one or two. */
  readonly keys: readonly string[];
  /** Columns of sums; the bands, if there are any, stand last. */
  readonly measures: readonly string[];
  /** Length of a bucket in the table by minute, minutes: a part of an hour. */
  readonly bucketMinutes: number;
  /** Index of the first band in `measures`; -1 for none. */
  readonly bandsAt: number;
  /** Value of each key for what found no room: ids of entries named `other`. */
  readonly others: readonly number[];
  /** Rows of one bucket that are written at once; the smallest of a longer list are added up under `other`, by the second key if there are two. */
  readonly rowsMax: number;
  /** Rows in memory, a power of two. When they are full, they are written before the minute is over. */
  readonly slotsMax: number;
}

/** The entry of `addresses` that stands for those without an entry of their own. */
const OTHER_ADDRESS = 2 ** 32;
const OTHER_TEXT = 0;
/** Applications and response codes are few: there is no `other` among them. */
const NO_OTHER = 0;

const ROWS_MAX = 500;

/**
 * Buckets of the kinds with the most rows. Measured at 50 flows/s with 1,500 names, bytes of file per flow: the names of devices 39 with
 * buckets of a minute, peers 25; a long flow, and one that is written minutes after its end, then has rows of its own in each minute.
 */
const BUCKET_MINUTES_MANY = 10;

/**
 * The kinds. `ip` of a device is the local address, that of a peer the remote one. What is local, and which direction a flow has, is
 * decided when the row is written, by `store.local-networks`. Bands cost 12 bytes a row, so the kinds with the most rows have none.
 */
export const KINDS = {
  direction: {
    name: 'direction',
    keys: ['direction'],
    measures: [...FLOW_MEASURES, 'wire_bytes_out', 'wire_bytes_in', ...BANDS],
    bandsAt: FLOW_MEASURES.length + 2,
    bucketMinutes: 1,
    others: [NO_OTHER],
    rowsMax: ROWS_MAX,
    slotsMax: 2_048,
  },
  device: {
    name: 'device',
    keys: ['ip'],
    measures: [...FLOW_MEASURES, ...BANDS],
    bandsAt: FLOW_MEASURES.length,
    bucketMinutes: 1,
    others: [OTHER_ADDRESS],
    rowsMax: ROWS_MAX,
    slotsMax: 4_096,
  },
  application: {
    name: 'application',
    keys: ['application'],
    measures: [...FLOW_MEASURES, ...BANDS],
    bandsAt: FLOW_MEASURES.length,
    bucketMinutes: 1,
    others: [NO_OTHER],
    rowsMax: ROWS_MAX,
    slotsMax: 2_048,
  },
  device_application: {
    name: 'device_application',
    keys: ['ip', 'application'],
    measures: FLOW_MEASURES,
    bandsAt: -1,
    bucketMinutes: 1,
    others: [OTHER_ADDRESS, NO_OTHER],
    rowsMax: ROWS_MAX,
    slotsMax: 16_384,
  },
  device_name: {
    name: 'device_name',
    keys: ['ip', 'name'],
    measures: FLOW_MEASURES,
    bandsAt: -1,
    bucketMinutes: BUCKET_MINUTES_MANY,
    others: [OTHER_ADDRESS, OTHER_TEXT],
    rowsMax: ROWS_MAX,
    slotsMax: 16_384,
  },
  /** Of all devices together, added up from those of each: half as many rows to read. */
  name: {
    name: 'name',
    keys: ['name'],
    measures: FLOW_MEASURES,
    bandsAt: -1,
    bucketMinutes: BUCKET_MINUTES_MANY,
    others: [OTHER_TEXT],
    rowsMax: ROWS_MAX,
    slotsMax: 16_384,
  },
  peer: {
    name: 'peer',
    keys: ['ip'],
    measures: FLOW_MEASURES,
    bandsAt: -1,
    bucketMinutes: BUCKET_MINUTES_MANY,
    others: [OTHER_ADDRESS],
    rowsMax: ROWS_MAX,
    slotsMax: 16_384,
  },
  dns: {
    name: 'dns',
    keys: ['ip', 'code'],
    measures: DNS_MEASURES,
    bandsAt: DnsMeasure.Count,
    bucketMinutes: 1,
    others: [OTHER_ADDRESS, NO_OTHER],
    rowsMax: ROWS_MAX,
    slotsMax: 2_048,
  },
  /** Of all devices together: failures over weeks, by the hour, without the rows of each device. */
  dns_code: {
    name: 'dns_code',
    keys: ['code'],
    measures: DNS_MEASURES,
    bandsAt: DnsMeasure.Count,
    bucketMinutes: 1,
    others: [NO_OTHER],
    rowsMax: ROWS_MAX,
    slotsMax: 2_048,
  },
} as const satisfies Record<KindName, Kind>;

/** `direction`: where a flow goes, seen from the local networks. The names are in `DIRECTIONS`. */
export const enum Direction {
  Outbound = 0,
  Inbound = 1,
  Internal = 2,
  Transit = 3,
}

/** Names of `Direction`, in its order. */
export const DIRECTIONS = ['outbound', 'inbound', 'internal', 'transit'] as const;

/** `code` of a rollup row for transactions that are not DNS proper: mDNS, LLMNR, NetBIOS. They are counted and no more. */
export const CODE_LOCAL = -1;
