import type { Database } from 'better-sqlite3';
import { AppError } from '../../../errors.js';
import { KINDS, type KindName } from '../../rollup/kinds.js';
import { AGE_NEAR_MAX, BUCKET_SQL, ID_STEP, LEVEL_MINUTES, LEVEL_NAMES, Level, MINUTE_US } from '../../rollup/levels.js';
import { SCHEMA_VERSION } from '../../schema.js';
import type { Range } from './answer.js';
import { statementOf } from './statements.js';

/** Longest range, years; more is a mistake. */
const YEARS_MAX = 100;
const RANGE_US_MAX = YEARS_MAX * 366 * 86_400e6;
/** Ranges longer than this are widened to whole hours, and to whole days: their ends then need no finer rows. */
const MINUTES_BY_MINUTE_MAX = 2 * 1440;
const MINUTES_BY_HOUR_MAX = 62 * 1440;

/** A part of a table: rows whose bucket lies in the range, in minutes since 1970, and whose id is above `idAfter`. */
interface Slice {
  readonly level: Level;
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly idAfter: number;
}

interface State {
  readonly foldedId: number;
  readonly ageMin: number;
  readonly ageMax: number;
  /** Bucket of the oldest row that is left, in minutes since 1970, or a later one; 0 if nothing was ever deleted. */
  readonly keptFromMinute: number;
}

/** Throws `RANGE_INVALID`. */
export function checkRange({ fromUs, toUs }: Range): void {
  if (!Number.isSafeInteger(fromUs) || !Number.isSafeInteger(toUs) || fromUs < 0)
    throw new AppError('RANGE_INVALID', 'the ends of a range must be times since 1970');
  if (fromUs >= toUs) throw new AppError('RANGE_INVALID', 'the range ends before it begins');
  if (toUs - fromUs > RANGE_US_MAX) throw new AppError('RANGE_INVALID', `the range is longer than ${YEARS_MAX} years`);
}

/** Throws `RANGE_INVALID` for a number that is not from 1 to `max`. */
export function checkLimit(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new AppError('RANGE_INVALID', `${name} ${value} is not from 1 to ${max}`);
}

/**
 * Which rows of one kind make up a range, each packet once: days for the days in it, hours and minutes for its ends, and of the finer
 * rows also those that are not folded yet. Rows of a level are not looked for where retention has deleted them: the range is then
 * widened to the next coarser one.
 */
export class Coverage {
  readonly fromUs: number;
  readonly toUs: number;
  /** What both ends are multiples of, in minutes: the step, or more where finer rows have been deleted. */
  readonly stepMinutes: number;
  private readonly slices: Slice[] = [];
  private readonly states: readonly State[];

  /** `stepMinutes` is that of a series; null for one sum. Throws `RANGE_INVALID`. */
  constructor(
    private readonly db: Database,
    private readonly kind: KindName,
    range: Range,
    stepMinutes: number | null = null,
  ) {
    checkRange(range);
    this.states = LEVEL_NAMES.map((name) => readState(db, `rollup_${kind}_${name}`));
    const finest = this.finestLevel(range, stepMinutes);
    const unitMinutes = finest === Level.Minute ? KINDS[kind].bucketMinutes : (LEVEL_MINUTES[finest] as number);
    const unit = Math.ceil((stepMinutes ?? 1) / unitMinutes) * unitMinutes;
    this.stepMinutes = unit;
    const from = Math.floor(range.fromUs / MINUTE_US / unit) * unit;
    const to = Math.ceil(range.toUs / MINUTE_US / unit) * unit;
    this.fromUs = from * MINUTE_US;
    this.toUs = to * MINUTE_US;
    this.cover(stepMinutes === null ? Level.Day : levelOfStep(unit), finest, from, to);
  }

  /**
   * SQL for the rows: `minute` (start of the bucket) and `columns`; `condition` is SQL over them. Bind `values` in its place, once for
   * each part.
   */
  rows(columns: readonly string[], condition = ''): string {
    const where = condition === '' ? '' : ` AND ${condition}`;
    const parts = this.slices.flatMap(({ level }) => {
      const minute = level === Level.Minute ? BUCKET_SQL : `${BUCKET_SQL} * ${LEVEL_MINUTES[level]}`;
      const table = `rollup_${this.kind}_${LEVEL_NAMES[level]}`;
      const part = (from: string, age: string): string => `SELECT ${minute} AS minute, ${columns.join(', ')} FROM ${from}
        WHERE id > ? AND id < ? AND ${BUCKET_SQL} >= ? AND ${BUCKET_SQL} < ?${age}${where}`;
      const near = AGE_NEAR_MAX[level] as number;
      if (!this.hasLate(level)) return [part(table, '')];
      return [part(table, ` AND age <= ${near}`), part(`${table} INDEXED BY ${table}_late`, ` AND age > ${near}`)];
    });
    return `(${parts.join(' UNION ALL ')})`;
  }

  /** Values of the parameters of `rows`; `conditionValues` are those of its condition. */
  values(...conditionValues: readonly (number | string)[]): (number | string)[] {
    return this.slices.flatMap(({ level, fromMinute, toMinute, idAfter }) => {
      const { ageMin, ageMax } = this.states[level] as State;
      const unit = LEVEL_MINUTES[level] as number;
      const from = fromMinute / unit;
      const to = toMinute / unit;
      const boundTo = (age: number): (number | string)[] => {
        return [Math.max(idAfter, (from + ageMin) * ID_STEP - 1), (to + age) * ID_STEP, from, to, ...conditionValues];
      };
      return this.hasLate(level) ? [...boundTo(AGE_NEAR_MAX[level] as number), ...boundTo(ageMax)] : boundTo(ageMax);
    });
  }

  private hasLate(level: Level): boolean {
    return (this.states[level] as State).ageMax > (AGE_NEAR_MAX[level] as number);
  }

  /** Runs SQL over `rows`. */
  all<R>(sql: string, ...values: readonly (number | string)[]): R[] {
    return statementOf<(number | string)[], R>(this.db, sql).all(...values);
  }

  private finestLevel(range: Range, stepMinutes: number | null): Level {
    const minutes = (range.toUs - range.fromUs) / MINUTE_US;
    const fromMinute = Math.floor(range.fromUs / MINUTE_US);
    const isGone = (level: Level): boolean => fromMinute < (this.states[level] as State).keptFromMinute;
    const wanted =
      stepMinutes !== null
        ? Level.Minute
        : minutes > MINUTES_BY_HOUR_MAX
          ? Level.Day
          : minutes > MINUTES_BY_MINUTE_MAX
            ? Level.Hour
            : Level.Minute;
    if (wanted === Level.Day || isGone(Level.Hour)) return Level.Day;
    return wanted === Level.Hour || isGone(Level.Minute) ? Level.Hour : Level.Minute;
  }

  private cover(level: Level, finest: Level, from: number, to: number): void {
    if (from >= to) return;
    if (level === finest) {
      this.add(level, from, to);
      return;
    }
    const unit = LEVEL_MINUTES[level] as number;
    const first = Math.ceil(from / unit) * unit;
    const end = Math.floor(to / unit) * unit;
    if (first >= end) {
      this.cover(level - 1, finest, from, to);
      return;
    }
    this.cover(level - 1, finest, from, first);
    this.add(level, first, end);
    this.cover(level - 1, finest, end, to);
  }

  /** Rows of one level, and of the finer ones what is not folded into it. */
  private add(level: Level, fromMinute: number, toMinute: number): void {
    this.slices.push({ level, fromMinute, toMinute, idAfter: -1 });
    for (let finer: Level = level - 1; finer >= 0; finer--)
      this.slices.push({ level: finer, fromMinute, toMinute, idAfter: (this.states[finer] as State).foldedId });
  }
}

function readState(db: Database, table: string): State {
  const state = statementOf<[string], { folded_id: number; age_min: number; age_max: number; flows_pruned: number }>(
    db,
    'SELECT folded_id, age_min, age_max, flows_pruned FROM rollup_state WHERE table_name = ?',
  ).get(table);
  if (!state) {
    const isOlder = (db.pragma('user_version', { simple: true }) as number) < SCHEMA_VERSION;
    throw new AppError(
      isOlder ? 'DATABASE_OLDER' : 'DATABASE_INCONSISTENT',
      `database ${db.name}: rollup_state has no row ${table}`,
    );
  }
  let keptFromMinute = 0;
  if (state.flows_pruned > 0) {
    const level = LEVEL_NAMES.findIndex((name) => table.endsWith(name));
    const oldest = statementOf<[], { bucket: number | null }>(db, `SELECT min(id) >> 16 AS bucket FROM ${table}`).get();
    keptFromMinute = oldest?.bucket == null ? Number.POSITIVE_INFINITY : (oldest.bucket + 1) * (LEVEL_MINUTES[level] as number);
  }
  return { foldedId: state.folded_id, ageMin: state.age_min, ageMax: state.age_max, keptFromMinute };
}

/** The coarsest level whose buckets make up a step. */
function levelOfStep(stepMinutes: number): Level {
  return stepMinutes % 1440 === 0 ? Level.Day : stepMinutes % 60 === 0 ? Level.Hour : Level.Minute;
}

/** Id of the last flow that is in the rollups, µs since 1970; null without any. */
export function reachesUs(db: Database, source: 'flows' | 'dns' = 'flows'): number | null {
  const id = statementOf<[string], { folded_id: number }>(db, 'SELECT folded_id FROM rollup_state WHERE table_name = ?').get(
    source,
  );
  return id === undefined || id.folded_id < 0 ? null : id.folded_id;
}
