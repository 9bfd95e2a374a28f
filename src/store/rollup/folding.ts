import type { Database, Statement } from 'better-sqlite3';
import type { Chore } from '../chore.js';
import { Accumulator, NO_KEY } from './accumulator.js';
import { KINDS, type Kind } from './kinds.js';
import { BUCKET_SQL, ID_STEP, LEVEL_MINUTES, LEVEL_NAMES, Level } from './levels.js';
import { RollupTable } from './rollup-table.js';

/** Rows that are read at once. */
const ROWS_PER_READ = 500;
/** Rows that are written at once at most: 10 ms. */
const ROWS_PER_WRITE = 4096;
/** Between two looks whether an hour is over. */
const PAUSE_MS = 30_000;

/** One table and the next coarser one. */
interface Step {
  readonly kind: Kind;
  readonly table: string;
  readonly target: RollupTable;
  /** Buckets of the finer level in one of the coarser. */
  readonly ratio: number;
  readonly findLast: Statement<[], number | null>;
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
    this.work ??= this.findWork();
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

  private findWork(): Work | null {
    for (const step of this.steps) {
      const last = step.findLast.get() ?? -1;
      const idRead = step.findFolded.get() as number;
      const idEnd = Math.floor(last / ID_STEP / step.ratio) * step.ratio * ID_STEP;
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

function stepOf(db: Database, kind: Kind, level: Level): Step {
  const table = `rollup_${kind.name}_${LEVEL_NAMES[level]}`;
  return {
    kind,
    table,
    target: new RollupTable(db, kind, level + 1),
    ratio: (LEVEL_MINUTES[level + 1] as number) / (LEVEL_MINUTES[level] as number),
    findLast: db.prepare<[], number | null>(`SELECT max(id) FROM ${table}`).pluck(),
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
