import type { Database, Statement } from 'better-sqlite3';
import { RowBuffer } from '../row-buffer.js';
import { Accumulator, FULL, NO_KEY } from './accumulator.js';
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
  /** Id of the last row; -1 before the first; null when the database must be asked. */
  private idLast: number | null = null;
  private rest: Accumulator | null = null;

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
    this.idLast ??= this.findLast.get() as number;
    return this.idLast;
  }

  /** The transaction was rolled back: the database is asked again. */
  revert(): void {
    this.idLast = null;
    this.rows.begin();
  }

  /** Writes what is in `from` and clears it. `time` is the present in buckets of this level since 1970. */
  write(from: Accumulator, time: number): void {
    if (from.count === 0) return;
    const sums = [0, 0, 0];
    const ages = [0, 0];
    this.idLast = Math.max(this.last, time * ID_STEP - 1);
    if (from.count <= this.kind.rowsMax) for (let row = 0; row < from.count; row++) this.push(from, row, sums, ages);
    else this.writeLargest(from, sums, ages);
    this.rows.finish();
    this.addState.run(...ages, ...sums);
    from.clear();
  }

  /** The largest rows of each bucket, and one for the others. */
  private writeLargest(from: Accumulator, sums: number[], ages: number[]): void {
    const { kind } = this;
    const byBucket = new Map<number, number[]>();
    for (let row = 0; row < from.count; row++) {
      const bucket = from.buckets[row] as number;
      const rows = byBucket.get(bucket);
      if (rows) rows.push(row);
      else byBucket.set(bucket, [row]);
    }
    this.rest ??= new Accumulator(kind, REST_SLOTS);
    const { rest } = this;
    for (const [bucket, rows] of byBucket) {
      if (rows.length > kind.rowsMax) {
        const weights = new Map(rows.map((row) => [row, this.weightOf(from, row)]));
        rows.sort((a, b) => (weights.get(b) as number) - (weights.get(a) as number));
        const to = rest.find(bucket, kind.others[0] as number, kind.others[1] ?? NO_KEY);
        if (to !== FULL) for (const row of rows.splice(kind.rowsMax)) addRow(rest, to, from, row);
      }
      for (const row of rows) this.push(from, row, sums, ages);
      for (let row = 0; row < rest.count; row++) this.push(rest, row, sums, ages);
      rest.clear();
    }
  }

  private weightOf(from: Accumulator, row: number): number {
    const { bytes, flows } = this.columns;
    return sumOf(from, row, bytes.length > 0 ? bytes : flows);
  }

  private push(from: Accumulator, row: number, sums: number[], ages: number[]): void {
    const { kind, columns, rows } = this;
    const { values, at } = rows;
    const id = ++(this.idLast as number);
    const age = Math.floor(id / ID_STEP) - (from.buckets[row] as number);
    let column = at;
    values[column++] = id;
    values[column++] = age;
    for (let key = 0; key < kind.keys.length; key++) {
      const value = from.keys[2 * row + key] as number;
      values[column++] = value === NO_KEY ? null : value;
    }
    const first = row * from.measureCount;
    for (let measure = 0; measure < from.measureCount; measure++) values[column++] = from.values[first + measure] as number;
    rows.push();
    if (age < (ages[0] as number)) ages[0] = age;
    if (age > (ages[1] as number)) ages[1] = age;
    sums[0] = (sums[0] as number) + sumOf(from, row, columns.flows);
    sums[1] = (sums[1] as number) + sumOf(from, row, columns.packets);
    sums[2] = (sums[2] as number) + sumOf(from, row, columns.bytes);
  }
}

/** There is one row of others at a time. */
const REST_SLOTS = 2;

function sumOf(from: Accumulator, row: number, measures: readonly number[]): number {
  let sum = 0;
  for (const measure of measures) sum += from.values[row * from.measureCount + measure] as number;
  return sum;
}

/** Adds a row to the sums at `at` of another accumulator of the same kind. */
function addRow(to: Accumulator, at: number, from: Accumulator, row: number): void {
  const first = row * from.measureCount;
  for (let measure = 0; measure < from.measureCount; measure++)
    to.values[at + measure] = (to.values[at + measure] as number) + (from.values[first + measure] as number);
}
