import assert from 'node:assert/strict';
import type { Database, Statement } from 'better-sqlite3';
import { RowBuffer } from '../row-buffer.js';
import { Accumulator, addMeasures, Field, NO_KEY } from './accumulator.js';
import type { Kind } from './kinds.js';
import { ID_STEP, LEVEL_NAMES, type Level } from './levels.js';

/** Which columns of a kind stand for flows, packets and bytes in `rollup_state`. */
interface StateColumns {
  readonly flows: readonly number[];
  readonly packets: readonly number[];
  readonly bytes: readonly number[];
}

/** One table of rollups, as the writer fills it. Has no transaction of its own. */
export class RollupTable {
  private readonly name: string;
  private readonly columns: StateColumns;
  private readonly rows: RowBuffer;
  private readonly findLast: Statement<[], number>;
  private readonly addState: Statement<number[]>;
  /** Id of the last row; -1 before the first; -Infinity when the database must be asked. */
  private idLast = Number.NEGATIVE_INFINITY;
  private rest: Accumulator | null = null;
  /** Of the rows that are being written; 0 is one of them. */
  private ageMin = 0;
  private ageMax = 0;

  constructor(
    db: Database,
    private readonly kind: Kind,
    level: Level,
  ) {
    this.name = `rollup_${kind.name}_${LEVEL_NAMES[level]}`;
    const indexesOf = (pattern: RegExp): number[] => kind.measures.flatMap((name, index) => (pattern.test(name) ? [index] : []));
    this.columns = {
      flows: indexesOf(/^(flows|queries)$/),
      packets: indexesOf(/^packets_/),
      bytes: indexesOf(/^bytes_/),
    };
    this.rows = new RowBuffer(db, this.name, 2 + kind.keys.length + kind.measures.length);
    this.findLast = db
      .prepare<[], number>(
        `SELECT max(coalesce((SELECT max(id) FROM ${this.name}), -1), folded_id) FROM rollup_state WHERE table_name = '${this.name}'`,
      )
      .pluck();
    this.addState = db.prepare<number[]>(
      `UPDATE rollup_state SET age_min = min(age_min, ?), age_max = max(age_max, ?), flows = flows + ?, packets = packets + ?,
       bytes = bytes + ? WHERE table_name = '${this.name}'`,
    );
  }

  /**
   * Id of the last row, -1 before the first. Ids of rows that retention has deleted are not given again: further rows must lie above
   * what is folded.
   */
  private get last(): number {
    if (this.idLast === Number.NEGATIVE_INFINITY) this.idLast = this.findLast.get() as number;
    return this.idLast;
  }

  /** The transaction was rolled back: the database is asked again. */
  revert(): void {
    this.idLast = Number.NEGATIVE_INFINITY;
    this.rows.begin();
  }

  /** Writes what is in `from` and clears it. `time` is the present in buckets of this level since 1970. */
  write(from: Accumulator, time: number): void {
    if (from.count === 0) return;
    this.idLast = Math.max(this.last, time * ID_STEP - 1);
    this.ageMin = 0;
    this.ageMax = 0;
    if (from.count <= this.kind.rowsMax) for (let row = 0; row < from.count; row++) this.push(from, row);
    else this.writeLargest(from);
    this.rows.finish();
    const { flows, packets, bytes } = this.columns;
    this.addState.run(this.ageMin, this.ageMax, sumOf(from, flows), sumOf(from, packets), sumOf(from, bytes));
    from.clear();
  }

  /**
   * The largest rows of each bucket: as many as a bucket may have, and of one that only the late part is written of, as many in proportion
   * to that part. What of the others has two keys is added up by the second of them: which device it was is lost before which name it
   * was. What finds no room even so is one row.
   */
  private writeLargest(from: Accumulator): void {
    const { kind } = this;
    const byBucket = new Map<number, number[]>();
    for (let row = 0; row < from.count; row++) {
      const bucket = from.values[row * from.width + Field.Bucket] as number;
      const rows = byBucket.get(bucket);
      if (rows) rows.push(row);
      else byBucket.set(bucket, [row]);
    }
    this.rest ??= new Accumulator(kind, REST_SLOTS);
    const { rest } = this;
    let rowsMost = 0;
    for (const { length } of byBucket.values()) rowsMost = Math.max(rowsMost, length);
    for (const [bucket, rows] of byBucket) {
      // Rows that weigh as much as the last one that has room are in or out by their order.
      const rowsMax = Math.ceil(kind.rowsMax * Math.max(rows.length / rowsMost, LATE_SHARE_MIN));
      let room = rowsMax;
      const weights = Float64Array.from(rows, (row) => this.weightOf(from, row));
      const least = rows.length > room ? (weights.slice().sort()[rows.length - room] as number) : 0;
      for (const weight of weights) if (weight > least) room--;
      for (let index = 0; index < rows.length; index++) {
        const weight = weights[index] as number;
        const row = rows[index] as number;
        if (weight > least || (weight === least && room-- > 0) || rows.length <= rowsMax) this.push(from, row);
        else addMeasures(rest, this.findRest(bucket, from.values[row * from.width + Field.Key1] as number, rowsMax), from, row);
      }
      for (let row = 0; row < rest.count; row++) this.push(rest, row);
      rest.clear();
    }
  }

  /** Index of the sums for a row that finds no room: those of its second key, or of all. */
  private findRest(bucket: number, key1: number, rowsMax: number): number {
    const { rest, kind } = this;
    assert(rest);
    const [other0 = NO_KEY, other1 = NO_KEY] = kind.others;
    return rest.find(bucket, other0, rest.count < rowsMax ? key1 : other1);
  }

  private weightOf(from: Accumulator, row: number): number {
    const { bytes, flows } = this.columns;
    const first = row * from.width + Field.Measures;
    let weight = 0;
    for (const measure of bytes.length > 0 ? bytes : flows) weight += from.values[first + measure] as number;
    return weight;
  }

  private push(from: Accumulator, row: number): void {
    const { kind, rows } = this;
    const { values } = rows;
    const first = row * from.width;
    const id = this.idLast + 1;
    // Buckets since 1970 fit into 31 bits.
    const age = (Math.floor(id / ID_STEP) - (from.values[first + Field.Bucket] as number)) | 0;
    this.idLast = id;
    if (age < this.ageMin) this.ageMin = age;
    if (age > this.ageMax) this.ageMax = age;
    let column = rows.at;
    values[column++] = id;
    values[column++] = age;
    for (let key = 0; key < kind.keys.length; key++) {
      const value = from.values[first + Field.Key0 + key] as number;
      values[column++] = value === NO_KEY ? null : value;
    }
    for (let at = first + Field.Measures; at < first + from.width; at++) values[column++] = from.values[at] as number;
    rows.push();
  }
}

/**
 * The part of a bucket's rows that its late part may have at least. Without this, the hundredth of an hour that is written with the next
 * one would take as many rows as the hour itself.
 */
const LATE_SHARE_MIN = 0.1;
/** A power of two, more than the rows that one bucket may have. */
const REST_SLOTS = 1024;

/** Sum of these measures over all rows. */
function sumOf({ count, width, values }: Accumulator, measures: readonly number[]): number {
  let sum = 0;
  for (const measure of measures)
    for (let row = 0; row < count; row++) sum += values[row * width + Field.Measures + measure] as number;
  return sum;
}
