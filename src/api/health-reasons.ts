import { TEMPERATURE_HOT_C } from '../ring/host-layout.js';

/** What a reason does to the status: `degraded` answers 200, `failed` answers 503. */
type HealthSeverity = 'degraded' | 'failed';

export type HealthStatus = 'ok' | HealthSeverity;

interface ReasonEntry {
  readonly severity: HealthSeverity;
  /** For operators; README lists it. */
  readonly meaning: string;
}

const degraded = (meaning: string): ReasonEntry => ({ severity: 'degraded', meaning });
const failed = (meaning: string): ReasonEntry => ({ severity: 'failed', meaning });

/** From when on something is worth a reason. */
export const HEALTH_LIMITS = {
  /** A thread that should run beats at least so often. The writer is given the database's busy timeout on top. */
  heartbeatAgeMsMax: 5_000,
  /** So long after its start, flowberry may be without threads. */
  startupMsMax: 10_000,
  /** Part of a ring's capacity. */
  ringUsedRatioMax: 0.8,
  /** Writes that fail for longer are a failure. */
  writeFailingMsMax: 30_000,
  /** Losses are told for so long. */
  lossWindowMs: 60_000,
  restartWindowMs: 300_000,
  /** What counts as just now. */
  recentWindowMs: 10_000,
  temperatureMax: TEMPERATURE_HOT_C,
  /** °C: worth a note when it is the mean of five minutes. */
  temperatureMeanMax: 70,
  /** Nothing came in for so long, so that everything received must be accounted for. */
  settledMs: 1_000,
} as const;

/** Every reason that `/health` can give. A code keeps its meaning and its severity. */
export const HEALTH_REASONS = {
  thread_stalled: failed(
    'A thread that should run gave no sign of life for 5 s (the writer: for 5 s more than db.busy-timeout-ms), or never started.',
  ),
  thread_ended: failed('A parse worker or the writer ended although nobody asked it to.'),
  capture_ended: failed('A live capture ended by itself; nothing is recorded any more.'),
  writer_stuck: failed('No row could be written for 30 s; the rows wait in memory.'),
  starting: degraded('A thread is still starting.'),
  stopping: degraded('flowberry finishes what it has received and then ends.'),
  thread_restarted: degraded('A thread died and was replaced within the last 5 minutes.'),
  interface_down: degraded(
    'A watched interface is not there, is down, has no link or cannot be opened; the capture goes on when it is back.',
  ),
  card_drops: degraded('A network card lost packets within the last minute for want of room (missed, fifo and overrun errors).'),
  kernel_drops: degraded('The kernel dropped packets within the last minute: capture.buffer-bytes was full.'),
  ring_full: degraded('Packets were dropped within the last minute because the ring of a parse worker was full.'),
  ring_filling: degraded('A ring is more than 80 % full (live capture only: a replay fills its rings on purpose).'),
  parse_blocked: degraded('A parse worker had to wait for the writer within the last 10 s (live capture only).'),
  writer_busy: degraded(
    'Another process held the database within the last 10 s, or the writer is silent and may be waiting for it.',
  ),
  writer_failing: degraded('The last write failed; the rows wait in memory and are tried again.'),
  rows_lost: degraded(
    'Rows were lost within the last minute: the database could not be written for longer than they could wait, or its file was lost.',
  ),
  backup_failed: degraded('The last daily backup failed; the log says why. Earlier ones are as they were.'),
  save_failed: degraded(
    'The database lies in memory, and the last attempt to save it under db.path failed; the log says why. What was saved before is as it was.',
  ),
  rows_shed: degraded(
    'Within the last minute, flows were counted and not written as rows, since more was written than the disk should take: see store.write-bytes-per-minute-soft and -hard.',
  ),
  addresses_overflowed: degraded('The table of IPv6 addresses was full within the last minute; some rows have no address.'),
  host_hot: degraded('The CPU has 80 °C or more.'),
  host_throttled: degraded('The firmware slows the CPU down, for heat or for want of voltage.'),
  host_under_voltage: degraded('The supply voltage is too low: another power supply or a shorter cable is needed.'),
  log_failing: degraded('The log file cannot be written; the capture goes on.'),
  reduced_mode: degraded(
    'Want of memory, of disk or of time made flowberry do less; the message names it. Chores that are slowed down are no reason.',
  ),
  ledger_unbalanced: degraded(
    'The counters disagree: a packet was counted twice or not at all. This is a defect; please report it.',
  ),
} as const satisfies Record<string, ReasonEntry>;

export type HealthReasonCode = keyof typeof HEALTH_REASONS;

/** One reason for a status that is not `ok`. */
export interface HealthReason {
  readonly code: HealthReasonCode;
  readonly severity: HealthSeverity;
  /** Names the thing at fault, with counts. */
  readonly message: string;
}

/** Makes a reason with the severity that the table gives it. */
export function reason(code: HealthReasonCode, message: string): HealthReason {
  return { code, severity: HEALTH_REASONS[code].severity, message };
}
