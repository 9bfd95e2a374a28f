import { HEALTH_LIMITS } from './health-reasons.js';
import type { Snapshot, UpkeepSnapshot } from './snapshot.js';

/** What an operator should know of a run although nothing is wrong with it now. A code keeps its meaning. */
export const NOTE_CODES = [
  'unclean_start',
  'clock_stepped',
  'threads_hung',
  'file_over_limit',
  'pruning_suspended',
  'wal_held',
  'file_checked',
  'file_damaged',
  'file_set_aside',
  'file_replaced',
  'rows_lost',
  'backups_made',
  'in_memory',
  'host_warm',
  'writes_limited',
] as const;

interface Note {
  readonly code: (typeof NOTE_CODES)[number];
  readonly message: string;
}

const STEP_TEXTS: Readonly<Record<Snapshot['writer']['budget']['step'], string>> = {
  none: '',
  larger_batches: 'batches are larger',
  coarser_rollups: 'batches are larger and rollups coarser',
  shedding: 'batches are larger, rollups coarser, and rows of flows are left out',
};

/** The notes of a run so far. */
export function notesOf({ capture, writer, threads, host }: Snapshot): Note[] {
  const notes: Note[] = [];
  if (writer.uncleanSessions > 0)
    notes.push({
      code: 'unclean_start',
      message:
        `${writer.uncleanSessions} earlier runs did not end: they had counted ${writer.packetsUnwritten} packets in flows that were not ` +
        'written, and what came after their last commit is counted nowhere',
    });
  if (capture.clockSteps > 0)
    notes.push({
      code: 'clock_stepped',
      message:
        `the wall clock was set ${capture.clockSteps} times and is ${(capture.clockOffsetMs / 1000).toFixed(1)} s from the clock of this ` +
        'run, by which times are told',
    });
  const hung = threads.filter(({ hangs }) => hangs > 0).map(({ name, hangs }) => `${name} ${hangs} times`);
  if (hung.length > 0) notes.push({ code: 'threads_hung', message: `ended without a sign of life: ${hung.join(', ')}` });
  if (writer.budget.step !== 'none')
    notes.push({
      code: 'writes_limited',
      message: `more is written than the soft limit allows: ${STEP_TEXTS[writer.budget.step]}`,
    });
  const { temperatureMeanC } = host;
  if (temperatureMeanC !== null && temperatureMeanC > HEALTH_LIMITS.temperatureMeanMax)
    notes.push({
      code: 'host_warm',
      message: `the CPU had ${temperatureMeanC.toFixed(1)} °C in the mean of five minutes; from 80 °C on it is slowed down: see to cooling`,
    });
  notes.push(...upkeepNotes(writer.upkeep), ...faultNotes(writer));
  return notes;
}

function faultNotes(writer: Snapshot['writer']): Note[] {
  const notes: Note[] = [];
  if (writer.filesSetAside > 0)
    notes.push({
      code: 'file_set_aside',
      message: `the database was damaged and moved aside ${writer.filesSetAside} times; the log and the table file_events tell where to`,
    });
  if (writer.filesReplaced > 0)
    notes.push({
      code: 'file_replaced',
      message: `the database was removed or replaced ${writer.filesReplaced} times while it was open; what was in it is not here`,
    });
  if (writer.lost.flows > 0)
    notes.push({
      code: 'rows_lost',
      message: `${writer.lost.flows} flows with ${writer.lost.packets} packets are counted and in no row (table unwritten)`,
    });
  const { memoryBytesMax, lastUs } = writer.saves;
  if (memoryBytesMax > 0) {
    const when = lastUs > 0 ? `was last saved at ${new Date(lastUs / 1000).toISOString()}` : 'has not been saved in this run';
    notes.push({ code: 'in_memory', message: `the database lies in memory and ${when}` });
  }
  if (writer.backups.made > 0)
    notes.push({
      code: 'backups_made',
      message: `${writer.backups.made} daily backups were made, ${writer.backups.bytes} bytes`,
    });
  return notes;
}

function upkeepNotes({ isOverLimit, isClockInDoubt, walHeldBytes, checkedUs, isDamaged }: UpkeepSnapshot): Note[] {
  const notes: Note[] = [];
  if (isOverLimit)
    notes.push({
      code: 'file_over_limit',
      message: 'the database holds more than retention.file-bytes-max allows, and nothing is left that may go',
    });
  if (isClockInDoubt)
    notes.push({
      code: 'pruning_suspended',
      message: 'the clock has leapt: nothing is deleted for its age until a day and a thousand flows have gone by',
    });
  if (walHeldBytes > 0)
    notes.push({
      code: 'wal_held',
      message: `a reader holds the write-ahead log, which has ${walHeldBytes} bytes: close what has the database open for long`,
    });
  if (checkedUs !== null) {
    const when = new Date(checkedUs / 1000).toISOString();
    if (isDamaged)
      notes.push({ code: 'file_damaged', message: `the check of ${when} found the database damaged; the log says where` });
    else notes.push({ code: 'file_checked', message: `the database was checked at ${when} and is sound` });
  }
  return notes;
}
