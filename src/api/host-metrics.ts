import { isThrottled, isUnderVoltage } from '../ring/host-layout.js';
import type { HostSnapshot } from './host-snapshot.js';
import type { MetricEntry, MetricInput } from './metric-entry.js';

type Value = (host: HostSnapshot) => number | null;

/** A metric without labels; it has no value where the machine shows none. */
function entry(type: MetricEntry['type'], help: string, value: Value): MetricEntry {
  const values = ({ snapshot }: MetricInput) => {
    const number = value(snapshot.host);
    return number === null ? [] : [[{}, number] as const];
  };
  return { type, help, values };
}

const gauge = (help: string, value: Value): MetricEntry => entry('gauge', help, value);
const counter = (help: string, value: Value): MetricEntry => entry('counter', help, value);
const ratio = (value: (host: HostSnapshot) => number | null) => (host: HostSnapshot) => {
  const percent = value(host);
  return percent === null ? null : percent / 100;
};

/** What is known of the machine, of the steps by which flowberry does less, and of the log. */
export const HOST_METRICS: Readonly<Record<string, MetricEntry>> = {
  flowberry_host_cpu_ratio: gauge(
    'Part of the time that all cores together were busy, 0 to 1.',
    ratio((host) => host.cpuPercent),
  ),
  flowberry_host_cpu_hertz: gauge('Clock of the fastest core.', ({ frequencyMhz }) =>
    frequencyMhz === null ? null : frequencyMhz * 1e6,
  ),
  flowberry_host_temperature_celsius: gauge('Temperature of the CPU.', (host) => host.temperatureC),
  flowberry_host_under_voltage: gauge('1 while the supply voltage is too low.', (host) =>
    host.throttleBits === null ? null : Number(isUnderVoltage(host.throttleBits)),
  ),
  flowberry_host_throttled: gauge('1 while the firmware slows the CPU down.', (host) =>
    host.throttleBits === null ? null : Number(isThrottled(host.throttleBits)),
  ),
  flowberry_host_memory_total_bytes: gauge('Memory of the machine.', (host) => host.memoryTotalBytes),
  flowberry_host_memory_available_bytes: gauge('Memory that programs may still take.', (host) => host.memoryAvailableBytes),
  flowberry_memory_limit_bytes: gauge('Resident memory that flowberry may take.', (host) => host.memoryLimitBytes),
  flowberry_host_pressure_ratio: {
    type: 'gauge',
    help: 'Part of the last 10 s in which something waited for the resource, 0 to 1.',
    labels: ['resource'],
    values: ({ snapshot: { host } }) =>
      (
        [
          ['cpu', host.cpuPressurePercent],
          ['memory', host.memoryPressurePercent],
          ['io', host.ioPressurePercent],
        ] as const
      ).flatMap(([resource, percent]) => (percent === null ? [] : [[{ resource }, percent / 100] as const])),
  },
  flowberry_host_disk_free_bytes: gauge('Free on the disk of the database.', (host) => host.diskFreeBytes),
  flowberry_host_disk_total_bytes: gauge('Size of the file system of the database.', (host) => host.diskTotalBytes),
  flowberry_host_disk_read_bytes_total: counter(
    'Read from the disk of the database by all programs.',
    (host) => host.diskReadBytes,
  ),
  flowberry_host_disk_written_bytes_total: counter(
    'Written to the disk of the database by all programs.',
    (host) => host.diskWrittenBytes,
  ),
  flowberry_host_network_received_bytes_total: counter(
    'Received on all interfaces but the loopback.',
    (host) => host.networkReceivedBytes,
  ),
  flowberry_host_network_sent_bytes_total: counter('Sent on all interfaces but the loopback.', (host) => host.networkSentBytes),
  flowberry_reduced_mode: {
    type: 'gauge',
    help: '1 while flowberry does less of something to go on.',
    labels: ['mode'],
    values: ({ snapshot }) => snapshot.host.modes.map(({ name, isActive }) => [{ mode: name }, Number(isActive)]),
  },
  flowberry_reduced_mode_begins_total: {
    type: 'counter',
    help: 'Times that a reduced mode began.',
    labels: ['mode'],
    values: ({ snapshot }) => snapshot.host.modes.map(({ name, count }) => [{ mode: name }, count]),
  },
  flowberry_log_lines_total: counter('Lines of the log.', ({ log }) => log.lines),
  flowberry_log_bytes_total: counter('Bytes of the log, before compression.', ({ log }) => log.bytes),
  flowberry_log_writes_total: counter('Calls that wrote to the log.', ({ log }) => log.writes),
  flowberry_log_last_minute_lines: gauge('Lines of the last complete minute.', ({ log }) => log.linesPerMinute),
  flowberry_log_held_back_lines_total: counter('Lines that repeated another within a minute.', ({ log }) => log.heldBack),
  flowberry_log_lost_lines_total: counter('Lines that were given up while the log could not be written.', ({ log }) => log.lost),
  flowberry_config_reloads_total: counter('Reloads of the configuration that were applied.', (host) => host.reloads),
  flowberry_config_reloads_refused_total: counter(
    'Reloads that an invalid configuration prevented.',
    (host) => host.reloadsRefused,
  ),
};
