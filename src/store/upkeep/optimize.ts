import type { Database } from 'better-sqlite3';
import type { Chore } from '../chore.js';
import { dueMsAfter } from './schedule.js';
import type { Slices } from './slices.js';
import type { UpkeepNotes } from './upkeep-notes.js';

const EVERY_MS = 86_400_000;
const TASK = 'optimize';
/** Entries of an index that are looked at: enough to choose a plan by, and few enough for a moment's work. */
const ANALYSIS_ROWS = 400;

/** Lets SQLite look once a day at what its tables hold, by which it chooses how to read them. */
export class Optimize implements Chore {
  readonly name = 'optimize';
  dueMs: number;

  constructor(
    private readonly db: Database,
    private readonly notes: UpkeepNotes,
    private readonly slices: Slices,
    nowMs: number,
  ) {
    db.pragma(`analysis_limit = ${ANALYSIS_ROWS}`);
    this.dueMs = dueMsAfter(notes.read(TASK)?.doneUs ?? 0, EVERY_MS, nowMs);
  }

  step(nowMs: number): void {
    this.dueMs = nowMs + EVERY_MS;
    this.slices.blocking(() => this.db.pragma('optimize'));
    this.notes.write(TASK, nowMs * 1000, 'ok');
  }
}
