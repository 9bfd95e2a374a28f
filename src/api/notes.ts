import type { Snapshot } from './snapshot.js';

/** What an operator should know of a run although nothing is wrong with it now. A code keeps its meaning. */
export const NOTE_CODES = ['unclean_start', 'clock_stepped', 'threads_hung', 'writes_limited'] as const;

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
export function notesOf({ capture, writer, threads }: Snapshot): Note[] {
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
  return notes;
}
