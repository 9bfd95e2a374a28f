/**
 * What main says of the machine and of what it has cut back, drawn once; `layout.ts` has the rules and the rest of the memory. Main is
 * the only writer, but for `Host.MinutesTaken`, which is the writer's.
 *
 * ```
 * host    0          128            256        1,024     2,048
 *         | version  | minutes      | cells    | fields  | 64 minutes of 320 bytes |
 *         | control  | taken        |          |         |                         |
 * ```
 *
 * Words are 32 bits; a name that ends in `F64` is an index of 64-bit words.
 */
export const enum Host {
  Version = 0,
  /** Grows with every change of `HostCell.IdleTcpUs` and what follows it; 0: the threads go by the config of their start. */
  SettingsVersion = 1,
  /** Flows that a table may hold, in per cent of its slots. */
  FlowTablePercent = 2,
  /** 1: the writer keeps a small page cache. */
  AreCachesSmall = 3,
  /** Least ms from one slice of a chore to the next; 0: as they come. */
  ChoreIntervalMs = 4,
  /** 1: parse workers do not read payload, so flows get no names or applications of their own. */
  IsPayloadUnread = 5,
  /** 1: rollups are to be coarser. */
  AreRollupsCoarser = 6,
  /** Minutes that main has written, modulo 2^32. */
  MinutesWritten = 8,
  /** Minutes of those that are committed. The writer thread writes it. */
  MinutesTaken = 32,
  CellsF64 = 32,
  CellCount = 96,
  FieldsF64 = 128,
  FieldCountMax = 128,
  MinutesF64 = 256,
  Bytes = 22_528,
}

/** Cells: 64-bit floats, NaN where a value is not known. */
export const enum HostCell {
  /** Monotonic clock at the last sample, ms; 0 before the first one. */
  SampledMs = 0,
  /** Resident memory that this process may have, bytes. */
  MemoryLimitBytes = 1,
  /** Mean temperature of the last five minutes, °C; NaN before they are over. */
  TemperatureMeanC = 2,
  /** Lines and bytes of the log, lines that were held back as repetitions, lines that found no room, and calls that wrote. */
  LogLines = 3,
  LogBytes = 4,
  LogHeldBack = 5,
  LogLost = 6,
  LogWrites = 7,
  /** Lines of the minute that was completed last. */
  LogLinesPerMinute = 8,
  /** 1 while the log cannot be written. */
  LogFailing = 9,
  /** Reloads of the configuration that were applied, and that were refused. */
  Reloads = 10,
  ReloadsRefused = 11,

  /** Timeouts of the flow tables, µs, infinite where one is off; valid once `Host.SettingsVersion` is not 0. */
  IdleTcpUs = 16,
  IdleUdpUs = 17,
  IdleOtherUs = 18,
  TcpLingerUs = 19,
  ActiveUs = 20,

  /** From here two cells for each `ReducedMode`: 1 while it holds, and how often it began. */
  Modes = 32,
}

/** What is read of the machine. The first ones are kept as least, mean and greatest of a minute. The names are in `HOST_FIELDS`. */
export const enum HostField {
  CpuPercent = 0,
  ProcessCpuPercent = 1,
  FrequencyMhz = 2,
  TemperatureC = 3,
  MemoryAvailableBytes = 4,
  ResidentBytes = 5,
  CpuPressurePercent = 6,
  MemoryPressurePercent = 7,
  IoPressurePercent = 8,
  DiskFreeBytes = 9,
  /** Counters from here, since the machine started, kept as what they rose by within a minute. */
  DiskReadBytes = 10,
  DiskWrittenBytes = 11,
  NetworkReceivedBytes = 12,
  NetworkSentBytes = 13,
  /** `ThrottleBit`s; those of a minute are all that held within it. */
  ThrottleBits = 14,
  /** These are not kept by minute. */
  MemoryTotalBytes = 15,
  DiskTotalBytes = 16,
  Count = 17,
  /** How many of them are gauges, and how many are counters behind those. */
  Gauges = 10,
  Counters = 4,
}

/** Names of `HostField`, in its order. */
export const HOST_FIELDS = [
  'cpu_percent',
  'process_cpu_percent',
  'frequency_mhz',
  'temperature_c',
  'memory_available_bytes',
  'resident_bytes',
  'cpu_pressure_percent',
  'memory_pressure_percent',
  'io_pressure_percent',
  'disk_free_bytes',
  'disk_read_bytes',
  'disk_written_bytes',
  'network_received_bytes',
  'network_sent_bytes',
  'throttle_bits',
  'memory_total_bytes',
  'disk_total_bytes',
] as const;

/** What the firmware of a Raspberry Pi says of now; the same bits 16 higher say what has happened since it started. */
export const enum ThrottleBit {
  UnderVoltage = 1,
  FrequencyCapped = 2,
  Throttled = 4,
  /** The temperature is above the soft limit; the clock is lowered a little, by design. */
  SoftLimit = 8,
}

/** °C: a Raspberry Pi slows itself down from here on. */
export const TEMPERATURE_HOT_C = 80;

/** Whether the supply voltage is too low, by `ThrottleBit`s; false where they are not known (NaN). */
export function isUnderVoltage(bits: number): boolean {
  return (bits & ThrottleBit.UnderVoltage) !== 0;
}

/** Whether the firmware slows the CPU down, by `ThrottleBit`s; false where they are not known (NaN). */
export function isThrottled(bits: number): boolean {
  return (bits & (ThrottleBit.Throttled | ThrottleBit.FrequencyCapped)) !== 0;
}

/** One completed minute, 64-bit words from its start; NaN where a value is not known. */
export const enum HostMinute {
  /** Start of the minute by the clock of the session, µs since 1970. */
  MinuteUs = 0,
  Samples = 1,
  ThrottleBits = 2,
  /** Least, mean and greatest of each gauge. */
  Gauges = 3,
  /** What each counter rose by. */
  Counters = 33,
  Words = 40,
  CountMax = 64,
}

/** Every step by which flowberry does less to go on. The names are in `REDUCED_MODES`. */
export const enum ReducedMode {
  MemoryCaches = 0,
  MemoryFlowTable = 1,
  MemoryRollups = 2,
  HeatChores = 3,
  DiskLogs = 4,
  LoadChores = 5,
  LoadPayload = 6,
  Count = 7,
}

/** Names of `ReducedMode`, in its order: the danger, then what is done. */
export const REDUCED_MODES = [
  'memory_caches_cleared',
  'memory_flow_table_smaller',
  'memory_rollups_coarser',
  'heat_chores_slowed',
  'disk_logs_reduced',
  'load_chores_slowed',
  'load_payload_unread',
] as const;

/** Name of a mode that there is. */
export function reducedModeName(mode: ReducedMode): (typeof REDUCED_MODES)[number] {
  return REDUCED_MODES[mode as Exclude<ReducedMode, ReducedMode.Count>];
}

if (HOST_FIELDS.length !== HostField.Count || REDUCED_MODES.length !== ReducedMode.Count)
  throw new Error('host layout: names and numbers differ');
if (HostMinute.Gauges + 3 * HostField.Gauges > HostMinute.Counters || HostMinute.Counters + HostField.Counters > HostMinute.Words)
  throw new Error('host layout: a minute ends before its last field');
if (HostCell.Modes + 2 * ReducedMode.Count > Host.CellCount || HostField.Count > Host.FieldCountMax)
  throw new Error('host layout: cells overlap');
if (
  Host.CellsF64 + Host.CellCount > Host.FieldsF64 ||
  Host.FieldsF64 + Host.FieldCountMax > Host.MinutesF64 ||
  (Host.MinutesF64 + HostMinute.Words * HostMinute.CountMax) * 8 > Host.Bytes
)
  throw new Error('host layout: parts overlap');

/** A timeout of so many seconds, as the cells have it; one of 0 never comes. */
export function timeoutUs(seconds: number): number {
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1e6;
}
