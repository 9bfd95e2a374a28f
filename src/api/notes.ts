import { HEALTH_LIMITS } from './health-reasons.js';
import type { Snapshot } from './snapshot.js';

/** What an operator should know of a run although nothing is wrong with it now. A code keeps its meaning. */
export const NOTE_CODES = ['unclean_start', 'clock_stepped', 'threads_hung', 'host_warm'] as const;

interface Note {
  readonly code: (typeof NOTE_CODES)[number];
  readonly message: string;
}

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
  const { temperatureMeanC } = host;
  if (temperatureMeanC !== null && temperatureMeanC > HEALTH_LIMITS.temperatureMeanMax)
    notes.push({
      code: 'host_warm',
      message: `the CPU had ${temperatureMeanC.toFixed(1)} °C in the mean of five minutes; from 80 °C on it is slowed down: see to cooling`,
    });
  return notes;
}
