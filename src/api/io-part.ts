import type { Config } from '../config.js';
import { enduranceYears } from '../store/reader/endurance.js';
import type { HealthBody } from './schema.js';
import type { WriterSnapshot } from './snapshot.js';

const rounded = (value: number): number => Math.round(value * 10) / 10;

/** What is written to disks, and what is done about it. */
export function ioPart(config: Config, { io, budget }: WriterSnapshot): HealthBody['io'] {
  const { hour, totalBytes, totalFlows, totalSeconds } = io;
  const years = enduranceYears(config.storeCardTbw, totalBytes, totalSeconds);
  return {
    profile: config.storeProfile,
    last_minute_bytes: io.minuteBytes,
    last_hour: {
      minutes: hour.minutes,
      bytes: hour.bytes,
      mean_bytes_per_minute: hour.minutes > 0 ? Math.round(hour.bytes / hour.minutes) : null,
      max_bytes_per_minute: hour.minutes > 0 ? hour.bytesMax : null,
    },
    process_bytes: io.processBytes,
    today_bytes: io.todayBytes,
    total_bytes: totalBytes,
    total_s: Math.round(totalSeconds),
    total_flows: totalFlows,
    bytes_per_flow: totalBytes !== null && totalFlows > 0 ? rounded(totalBytes / totalFlows) : null,
    device: {
      last_minute_bytes: io.deviceMinuteBytes,
      today_bytes: io.deviceTodayBytes,
      total_bytes: io.deviceTotalBytes,
    },
    endurance: { card_tbw: config.storeCardTbw, years: years === null ? null : rounded(years) },
    budget: {
      soft_bytes_per_minute: config.storeWriteBytesPerMinuteSoft,
      hard_bytes_per_minute: config.storeWriteBytesPerMinuteHard,
      step: budget.step,
      larger_batches: budget.largerBatches,
      coarser_rollups: budget.coarserRollups,
      shedding: budget.shedding,
      hard_stops: budget.hardStops,
      shed_flows: budget.flowsShed,
      shed_packets: budget.packetsShed,
      shed_dns: budget.dnsShed,
    },
  };
}
