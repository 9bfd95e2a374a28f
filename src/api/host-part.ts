import { z } from 'zod';
import { isThrottled, isUnderVoltage, REDUCED_MODES } from '../ring/host-layout.js';
import type { HostSnapshot } from './host-snapshot.js';

const count = z.int().nonnegative();
/** Null: the machine does not show it, or nothing was read yet. */
const bytes = count.nullable();
const percent = z.number().nonnegative().nullable();

/** The machine, as it was read at most 5 s before; nothing is read in a replay. */
export const hostSchema = z.object({
  sample_age_ms: count.nullable(),
  /** Of all cores together. */
  cpu_percent: percent,
  /** Of one core: 200 are two cores. */
  process_cpu_percent: percent,
  frequency_mhz: z.number().nonnegative().nullable(),
  temperature_c: z.number().nullable(),
  temperature_mean_5min_c: z.number().nullable(),
  under_voltage: z.boolean().nullable(),
  throttled: z.boolean().nullable(),
  /** As `vcgencmd get_throttled` prints them; the upper 16 bits say what has been since the machine started. */
  throttle_bits: count.nullable(),
  memory_total_bytes: bytes,
  memory_available_bytes: bytes,
  resident_bytes: bytes,
  resident_bytes_max: bytes,
  /** Part of the last 10 s in which something waited (pressure stall information). */
  cpu_pressure_percent: percent,
  memory_pressure_percent: percent,
  io_pressure_percent: percent,
  disk_free_bytes: bytes,
  disk_total_bytes: bytes,
  /** Since the machine started. */
  disk_read_bytes: bytes,
  disk_written_bytes: bytes,
  network_received_bytes: bytes,
  network_sent_bytes: bytes,
  /** Those that hold now. */
  reduced_modes: z.array(z.enum(REDUCED_MODES)),
  /** How often each began; those that never did are left out. */
  reduced_mode_counts: z.partialRecord(z.enum(REDUCED_MODES), count),
  log: z.object({
    lines: count,
    bytes: count,
    held_back_lines: count,
    lost_lines: count,
    writes: count,
    last_minute_lines: count,
  }),
  config_reloads: count,
  config_reloads_refused: count,
});

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);

/** The part `host` of the body of `/health`. */
export function hostPart(host: HostSnapshot): z.output<typeof hostSchema> {
  const { throttleBits: bits } = host;
  return {
    sample_age_ms: host.ageMs === null ? null : Math.round(host.ageMs),
    cpu_percent: rounded(host.cpuPercent),
    process_cpu_percent: rounded(host.processCpuPercent),
    frequency_mhz: rounded(host.frequencyMhz),
    temperature_c: rounded(host.temperatureC),
    temperature_mean_5min_c: rounded(host.temperatureMeanC),
    under_voltage: bits === null ? null : isUnderVoltage(bits),
    throttled: bits === null ? null : isThrottled(bits),
    throttle_bits: bits,
    memory_total_bytes: host.memoryTotalBytes,
    memory_available_bytes: host.memoryAvailableBytes,
    resident_bytes: host.residentBytes,
    resident_bytes_max: host.memoryLimitBytes,
    cpu_pressure_percent: rounded(host.cpuPressurePercent),
    memory_pressure_percent: rounded(host.memoryPressurePercent),
    io_pressure_percent: rounded(host.ioPressurePercent),
    disk_free_bytes: host.diskFreeBytes,
    disk_total_bytes: host.diskTotalBytes,
    disk_read_bytes: host.diskReadBytes,
    disk_written_bytes: host.diskWrittenBytes,
    network_received_bytes: host.networkReceivedBytes,
    network_sent_bytes: host.networkSentBytes,
    reduced_modes: host.modes.filter(({ isActive }) => isActive).map(({ name }) => name),
    reduced_mode_counts: Object.fromEntries(host.modes.filter((mode) => mode.count > 0).map((mode) => [mode.name, mode.count])),
    log: {
      lines: host.log.lines,
      bytes: host.log.bytes,
      held_back_lines: host.log.heldBack,
      lost_lines: host.log.lost,
      writes: host.log.writes,
      last_minute_lines: host.log.linesPerMinute,
    },
    config_reloads: host.reloads,
    config_reloads_refused: host.reloadsRefused,
  };
}
