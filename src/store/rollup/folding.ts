import type { Database, Statement } from 'better-sqlite3';
import type { Chore } from '../chore.js';
import { Accumulator, NO_KEY } from './accumulator.js';
import { KINDS, type Kind } from './kinds.js';
import { BUCKET_SQL, ID_STEP, LEVEL_MINUTES, LEVEL_NAMES, Level, MINUTE_US } from './levels.js';
import { RollupTable } from './rollup-table.js';

/** Rows that are read at once. */
const ROWS_PER_READ = 500;
/**
 * Rows in memory that are written before the hour or day is read to its end. Most of them share a bucket, of which only the largest are
 * written, so the fewer writes the fewer rows.
 */
const ROWS_PER_WRITE = 16_384;
/** Between two looks whether an hour is over. */
const PAUSE_MS = 30_000;

/** One table and the next coarser one. */
interface Step {
  readonly kind: Kind;
  readonly table: string;
  readonly target: RollupTable;
  /** Buckets of the finer level in one of the coarser. */
  readonly ratio: number;
  /** Of a bucket of the coarser level. */
  readonly unitMs: number;
  readonly findLast: Statement<[], number | null>;
  /** The first row behind `idAfter` that belongs to a bucket of the finer level from one to below another. */
  readonly findWithin: Statement<[idAfter: number, from: number, to: number], number | null>;
  readonly findFolded: Statement<[], number>;
  readonly read: Statement<[idAfter: number, idBelow: number], (number | null)[]>;
  readonly setFolded: Statement<[number]>;
}

/** A step under way: what was read and is not written yet. */
interface Work {
  readonly step: Step;
  readonly sums: Accumulator;
  /** Rows up to here are in `sums` or folded; those from `idEnd` on stay for later. */
  idRead: number;
  readonly idEnd: number;
}

/**
 * Folds minutes into hours, and hours into days: the rows that were written before the last full hour, or day, each once. What comes late
 * is folded with the next hour, as further rows of the buckets that it belongs to. Sums and the mark of how far they reach are written in one
 * transaction; a slice that is cut short is begun again.
 */
export class Folding implements Chore {
  readonly name = 'rollups';
  dueMs: number;
  private readonly steps: readonly Step[];
  private work: Work | null = null;

  constructor(
    private readonly db: Database,
    nowMs: number,
  ) {
    this.dueMs = nowMs + PAUSE_MS;
    this.steps = [Level.Minute, Level.Hour].flatMap((level) => Object.values<Kind>(KINDS).map((kind) => stepOf(db, kind, level)));
  }

  step(nowMs: number, budgetMs: number): void {
    this.work ??= this.findWork(nowMs);
    if (this.work === null) {
      this.dueMs = nowMs + PAUSE_MS;
      return;
    }
    this.dueMs = nowMs;
    const { work } = this;
    try {
      if (this.readSome(work, performance.now() + budgetMs / 2)) this.write(work);
    } catch (error) {
      this.work = null;
      work.step.target.revert();
      throw error;
    }
  }

  private findWork(nowMs: number): Work | null {
    for (const step of this.steps) {
      const last = step.findLast.get() ?? -1;
      const idRead = step.findFolded.get() as number;
      const idEnd = endOf(step, last, idRead, nowMs);
      if (last >= 0 && idRead < idEnd - 1) return { step, sums: new Accumulator(step.kind, 2 * ROWS_PER_WRITE), idRead, idEnd };
    }
    return null;
  }

  /** Reads until the time is up. True when all is read, or so much that it must be written. */
  private readSome(work: Work, untilMs: number): boolean {
    const { step, sums } = work;
    const keyCount = step.kind.keys.length;
    do {
      const rows = step.read.all(work.idRead, work.idEnd);
      for (const row of rows) {
        const bucket = Math.floor((row[1] as number) / step.ratio);
        const at = sums.find(bucket, row[2] ?? NO_KEY, keyCount === 2 ? (row[3] ?? NO_KEY) : NO_KEY);
        for (let measure = 0; measure < step.kind.measures.length; measure++)
          sums.values[at + measure] = (sums.values[at + measure] as number) + (row[2 + keyCount + measure] as number);
        work.idRead = row[0] as number;
      }
      if (rows.length < ROWS_PER_READ) {
        work.idRead = work.idEnd - 1;
        return true;
      }
    } while (sums.count < ROWS_PER_WRITE && performance.now() < untilMs);
    return sums.count >= ROWS_PER_WRITE;
  }

  private write(work: Work): void {
    const { step, sums, idRead, idEnd } = work;
    const time = Math.floor(idEnd / ID_STEP / step.ratio);
    this.db
      .transaction(() => {
        step.target.write(sums, time);
        step.setFolded.run(idRead);
      })
      .immediate();
    if (idRead >= idEnd - 1) this.work = null;
  }
}

/**
 * Id below which rows were written before the last full hour, or day. After a run by a clock that was ahead, ids stand still in the hour
 * of that run until it has come, which may be years: then rows count as written when they belong to the present hour.
 */
function endOf({ ratio, unitMs, findWithin }: Step, last: number, idRead: number, nowMs: number): number {
  const newest = Math.floor(last / ID_STEP / ratio);
  const present = Math.floor(nowMs / unitMs);
  if (newest <= present) return newest * ratio * ID_STEP;
  return findWithin.get(idRead, present * ratio, (present + 1) * ratio) ?? last + 1;
}

function stepOf(db: Database, kind: Kind, level: Level): Step {
  const table = `rollup_${kind.name}_${LEVEL_NAMES[level]}`;
  return {
    kind,
    table,
    target: new RollupTable(db, kind, level + 1),
    ratio: (LEVEL_MINUTES[level + 1] as number) / (LEVEL_MINUTES[level] as number),
    unitMs: (LEVEL_MINUTES[level + 1] as number) * (MINUTE_US / 1000),
    findLast: db.prepare<[], number | null>(`SELECT max(id) FROM ${table}`).pluck(),
    findWithin: db
      .prepare<[number, number, number], number | null>(
        `SELECT min(id) FROM ${table} WHERE id > ? AND ${BUCKET_SQL} >= ? AND ${BUCKET_SQL} < ?`,
      )
      .pluck(),
    findFolded: db.prepare<[], number>(`SELECT folded_id FROM rollup_state WHERE table_name = '${table}'`).pluck(),
    read: db
      .prepare<[number, number], (number | null)[]>(
        `SELECT id, ${BUCKET_SQL}, ${[...kind.keys, ...kind.measures].join(', ')} FROM ${table}
         WHERE id > ? AND id < ? ORDER BY id LIMIT ${ROWS_PER_READ}`,
      )
      .raw() as unknown as Statement<[number, number], (number | null)[]>,
    setFolded: db.prepare<[number]>(`UPDATE rollup_state SET folded_id = ? WHERE table_name = '${table}'`),
  };
}
