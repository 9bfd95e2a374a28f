import type { Database } from 'better-sqlite3';
import { type LookupKind, type LookupSubject, SEGMENT_ROWS } from '../lookup/lookup-kind.js';
import type { Order } from './cursor.js';
import { SegmentSet } from './segment-set.js';
import { type Bound, rows, values } from './statement.js';

/** Rows outside of all runs that are read at a time. */
const CHUNK_ROWS = 4096;

/** A row has to have a key of this kind within one of the ranges. */
export interface Criterion {
  readonly kind: LookupKind;
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

/** What is asked for, in terms of the tables. */
export interface SearchPlan {
  readonly table: 'flows' | 'dns';
  readonly subject: LookupSubject;
  /** Each has to be met; blocks where one cannot be are passed over. */
  readonly criteria: readonly Criterion[];
  /** SQL that is true for the rows asked for, and what is bound in it. Holds for everything that the criteria say, and more. */
  readonly conditions: readonly string[];
  readonly bound: readonly Bound[];
  /** What SQL cannot tell; both addresses of the row. */
  readonly isMatch: ((first: number, second: number) => boolean) | null;
  /** Nothing can match: an address or a name that was never seen. */
  readonly isEmpty: boolean;
  /** Rows that began before `untilUs`, of so many bytes: as `conditions` say too. */
  readonly untilUs: number | null;
  readonly bytesMin: number;
  /** Rows with smaller ids cannot match. */
  readonly idMin: number;
}

export interface SearchBounds {
  readonly order: Order;
  /** The search begins behind this id; null at the beginning. */
  readonly afterId: number | null;
  /** From 1 on. */
  readonly limit: number;
  /** The search ends behind the block in which so many rows have been read. */
  readonly rowsExaminedMax: number;
}

export interface Found {
  /** In the order asked for. */
  readonly ids: readonly number[];
  /** Where the search goes on; null at its end. */
  readonly nextId: number | null;
  /** It ended because of `rowsExaminedMax`. */
  readonly isTruncated: boolean;
  readonly rowsExamined: number;
}

/** Ids above the first, up to the last. */
interface Range {
  readonly afterId: number;
  readonly lastId: number;
}

type Run = readonly [run: number, afterId: number, lastId: number, startUsMin: number, bytesMax: number];
type Block = readonly [block: number, lastId: number, rowCount: number, startUsMin: number, bytesMax: number, ages: string];

/**
 * Finds rows: in runs only the blocks that can hold any, between and behind them everything. Reads at most so many rows. On one state
 * of the database, the caller sees to that.
 */
export function searchIds(db: Database, plan: SearchPlan, bounds: SearchBounds): Found {
  return plan.isEmpty ? { ids: [], nextId: null, isTruncated: false, rowsExamined: 0 } : new Search(db, plan, bounds).run();
}

/** Rows of a search with columns of its own choice, a block at a time, to the end of the search or until `rowsExaminedMax`. */
export function* searchRows<R extends readonly unknown[]>(
  db: Database,
  plan: SearchPlan,
  bounds: SearchBounds,
  columns: string,
): Generator<{ readonly rows: readonly R[]; readonly rowsExamined: number; readonly nextId: number }> {
  if (!plan.isEmpty) yield* new Search(db, plan, bounds).each<R>(columns);
}

class Search {
  private readonly ids: number[] = [];
  private rowsExamined = 0;
  /** Ids that the search may look at. */
  private readonly window: Range;
  private readonly isNewestFirst: boolean;
  private readonly direction: 'ASC' | 'DESC';

  constructor(
    private readonly db: Database,
    private readonly plan: SearchPlan,
    private readonly bounds: SearchBounds,
  ) {
    const { order, afterId } = bounds;
    this.isNewestFirst = order === 'newest';
    this.direction = this.isNewestFirst ? 'DESC' : 'ASC';
    const lowest = plan.idMin - 1;
    this.window = {
      afterId: this.isNewestFirst ? lowest : Math.max(lowest, afterId ?? lowest),
      lastId: this.isNewestFirst && afterId !== null ? afterId - 1 : Number.MAX_SAFE_INTEGER,
    };
  }

  run(): Found {
    const { limit, rowsExaminedMax } = this.bounds;
    for (const range of this.ranges()) {
      this.read(range);
      if (this.ids.length > limit) {
        const ids = this.ids.slice(0, limit);
        return { ids, nextId: ids.at(-1) as number, isTruncated: false, rowsExamined: this.rowsExamined };
      }
      if (this.rowsExamined < rowsExaminedMax) continue;
      const nextId = this.isNewestFirst ? range.afterId + 1 : range.lastId;
      const isTruncated = this.hasMore(nextId);
      return { ids: this.ids, nextId: isTruncated ? nextId : null, isTruncated, rowsExamined: this.rowsExamined };
    }
    return { ids: this.ids, nextId: null, isTruncated: false, rowsExamined: this.rowsExamined };
  }

  *each<R extends readonly unknown[]>(
    columns: string,
  ): Generator<{ readonly rows: readonly R[]; readonly rowsExamined: number; readonly nextId: number }> {
    for (const range of this.ranges()) {
      const found = this.select<[number, number, number, ...unknown[]]>(range, `id, ${this.sides}, ${columns}`, CHUNK_ROWS);
      const { isMatch } = this.plan;
      const matching = isMatch ? found.filter(([, first, second]) => isMatch(first, second)) : found;
      const nextId = this.isNewestFirst ? range.afterId + 1 : range.lastId;
      yield { rows: matching as unknown as R[], rowsExamined: this.rowsExamined, nextId };
      if (this.rowsExamined >= this.bounds.rowsExaminedMax) return;
    }
  }

  /** Whether there is any row behind that id that the search may look at. */
  private hasMore(nextId: number): boolean {
    const { afterId, lastId } = this.window;
    const rest = this.isNewestFirst ? [afterId, Math.min(lastId, nextId - 1)] : [Math.max(afterId, nextId), lastId];
    return this.value('SELECT id FROM TABLE WHERE id > ? AND id <= ? LIMIT 1', ...rest) !== undefined;
  }

  /** What has to be read, in the order of the search. */
  private *ranges(): Generator<Range> {
    const runs = !hasLookups(this.db)
      ? []
      : rows<Run>(
          this.db,
          `SELECT run, after_id, last_id, start_us_min, bytes_max FROM lookup_runs WHERE subject = ? AND is_stale = 0
       ORDER BY last_id ${this.direction}`,
        ).all(this.plan.subject);
    if (this.isNewestFirst) {
      let lastId = Number.MAX_SAFE_INTEGER;
      for (const run of runs) {
        yield* this.gap({ afterId: run[2], lastId });
        yield* this.blocks(run);
        lastId = run[1];
        if (lastId <= this.window.afterId) return;
      }
      yield* this.gap({ afterId: -1, lastId });
      return;
    }
    let afterId = -1;
    for (const run of runs) {
      yield* this.gap({ afterId, lastId: run[1] });
      yield* this.blocks(run);
      afterId = run[2];
    }
    yield* this.gap({ afterId, lastId: Number.MAX_SAFE_INTEGER });
  }

  /** The part of a range that is in the window; null without any. */
  private clipped({ afterId, lastId }: Range): Range | null {
    const range = { afterId: Math.max(afterId, this.window.afterId), lastId: Math.min(lastId, this.window.lastId) };
    return range.afterId < range.lastId ? range : null;
  }

  /** Rows in no run, some at a time. */
  private *gap(whole: Range): Generator<Range> {
    let rest = this.clipped(whole);
    while (rest) {
      const { afterId, lastId }: Range = rest;
      const end = this.value(
        `SELECT id FROM TABLE WHERE id > ? AND id <= ? ORDER BY id ${this.direction} LIMIT 1 OFFSET ${CHUNK_ROWS - 1}`,
        afterId,
        lastId,
      );
      if (end === undefined) {
        this.rowsExamined += this.value('SELECT count(*) FROM TABLE WHERE id > ? AND id <= ?', afterId, lastId) as number;
        yield rest;
        return;
      }
      this.rowsExamined += CHUNK_ROWS;
      yield this.isNewestFirst ? { afterId: end - 1, lastId } : { afterId, lastId: end };
      rest = this.clipped(this.isNewestFirst ? { afterId, lastId: end - 1 } : { afterId: end, lastId });
    }
  }

  /** The parts of a run in which all criteria may be met. */
  private *blocks([run, afterId, lastId, startUsMin, bytesMax]: Run): Generator<Range> {
    if (!this.clipped({ afterId, lastId }) || !this.mayHold(startUsMin, bytesMax)) return;
    const segments = this.segmentsOf(run);
    if (segments === null) return;
    const blocks = rows<Block>(
      this.db,
      'SELECT block, last_id, row_count, start_us_min, bytes_max, segment_ages FROM lookup_blocks WHERE run = ? ORDER BY block',
    ).all(run);
    for (let i = 0; i < blocks.length; i++) {
      const index = this.isNewestFirst ? blocks.length - 1 - i : i;
      const block = blocks[index] as Block;
      const before = blocks[index - 1]?.[1] ?? afterId;
      const bits = segments.ofBlock(block[0]);
      if (bits === 0 || !this.mayHold(block[3], block[4])) continue;
      if (this.clipped({ afterId: before, lastId: block[1] })) yield* this.segments(block, before, bits);
    }
  }

  /** The segments of a block whose bits are set, those that follow each other together. */
  private *segments([, lastId, rowCount, , , ages]: Block, afterId: number, bits: number): Generator<Range> {
    const lastIds = (JSON.parse(ages) as number[]).map((age) => lastId - age);
    const ranges: Range[] = [];
    const counts: number[] = [];
    for (let first = 0; first < lastIds.length; first++) {
      if (!hasBit(bits, first)) continue;
      let last = first;
      while (last + 1 < lastIds.length && hasBit(bits, last + 1)) last++;
      ranges.push({ afterId: lastIds[first - 1] ?? afterId, lastId: lastIds[last] as number });
      counts.push(Math.min(rowCount, (last + 1) * SEGMENT_ROWS) - first * SEGMENT_ROWS);
      first = last;
    }
    for (let i = 0; i < ranges.length; i++) {
      const index = this.isNewestFirst ? ranges.length - 1 - i : i;
      const range = this.clipped(ranges[index] as Range);
      if (!range) continue;
      this.rowsExamined += counts[index] as number;
      yield range;
    }
  }

  private mayHold(startUsMin: number, bytesMax: number): boolean {
    const { untilUs, bytesMin } = this.plan;
    return (untilUs === null || startUsMin < untilUs) && bytesMax >= bytesMin;
  }

  /** The segments of a run in which all criteria may be met; null without any. */
  private segmentsOf(run: number): SegmentSet | null {
    const found = new SegmentSet(true);
    for (const { kind, ranges } of this.plan.criteria) {
      const any = new SegmentSet(false);
      for (const [from, to] of ranges) {
        if (from === to) {
          const sql = 'SELECT places FROM lookup WHERE run = ? AND kind = ? AND key = ?';
          const places = values<number>(this.db, sql).get(run, kind, from);
          if (places !== undefined) any.add(places);
          continue;
        }
        const sql = 'SELECT places FROM lookup WHERE run = ? AND kind = ? AND key BETWEEN ? AND ?';
        for (const places of values<number>(this.db, sql).all(run, kind, from, to)) any.add(places);
      }
      if (!found.keep(any)) return null;
    }
    return found;
  }

  /** Takes the rows of a range that are asked for. */
  private read(range: Range): void {
    const { isMatch } = this.plan;
    const columns = isMatch ? `id, ${this.sides}` : 'id';
    const wanted = isMatch ? CHUNK_ROWS : this.bounds.limit + 1 - this.ids.length;
    for (const [id, first, second] of this.select<[id: number, first: number, second: number]>(range, columns, wanted))
      if (!isMatch || isMatch(first, second)) this.ids.push(id);
  }

  private get sides(): string {
    return this.plan.table === 'flows' ? 'src, dst' : 'client, server';
  }

  private select<R extends readonly unknown[]>({ afterId, lastId }: Range, columns: string, rowsMax: number): R[] {
    const { table, conditions, bound } = this.plan;
    const where = ['id > ? AND id <= ?', ...conditions].join(' AND ');
    const sql = `SELECT ${columns} FROM ${table} WHERE ${where} ORDER BY id ${this.direction} LIMIT ?`;
    return rows<R>(this.db, sql).all(afterId, lastId, ...bound, rowsMax);
  }

  /** The first value of a statement about the table; `TABLE` stands for its name. */
  private value(sql: string, ...bound: number[]): number | undefined {
    return values<number>(this.db, sql.replace('TABLE', this.plan.table)).get(...bound);
  }
}

/** Whether the database is of a version that has look-ups; readers take older ones too. */
function hasLookups(db: Database): boolean {
  return values(db, "SELECT 1 FROM sqlite_schema WHERE name = 'lookup_runs'").get() !== undefined;
}

function hasBit(bits: number, bit: number): boolean {
  return ((bits >> bit) & 1) === 1;
}
