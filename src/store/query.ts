import type { Database, Statement } from 'better-sqlite3';
import { AppError } from '../errors.js';
import { communityId } from './community-id.js';
import { openForReading } from './open-database.js';
import { isBusy, isSqliteError, openError } from './sqlite-error.js';

/** A value of a row: integers beyond 2^53 stay exact. */
export type QueryValue = number | bigint | string | Uint8Array | null;

/**
 * The view that users know, with one column more. A temporary view goes before that of the file, which has no such function: the
 * `sqlite3` shell reads it too.
 */
const VIEW_WITH_COMMUNITY_ID = `CREATE TEMP VIEW flow_view AS SELECT *, CASE WHEN icmp_type IS NULL
  THEN community_id(protocol, src_ip, src_port, dst_ip, dst_port)
  ELSE community_id(protocol, src_ip, icmp_type, dst_ip, icmp_code) END AS community_id FROM main.flow_view`;

/**
 * A read-only connection on which a person's own SQL is run. It knows the function `community_id(protocol, src_ip, src_port, dst_ip,
 * dst_port[, seed])`, which takes type and code in place of the ports for ICMP, and `flow_view` has a column of that name.
 */
export class QueryConnection {
  private readonly db: Database;

  /** Throws what `openForReading` throws. */
  constructor(private readonly path: string) {
    this.db = openForReading(path);
    try {
      registerCommunityId(this.db);
      this.db.pragma('temp_store = MEMORY');
      this.db.exec(VIEW_WITH_COMMUNITY_ID);
      this.db.pragma('query_only = ON');
    } catch (error) {
      this.db.close();
      throw openError(path, error);
    }
  }

  /**
   * Prepares one statement. Throws `AppError`: QUERY_WRITES for a statement that does anything but read, QUERY_INVALID with what
   * SQLite has to say for one that it does not understand.
   */
  prepare(sql: string): QueryResult {
    let statement: Statement<[], QueryValue[]>;
    try {
      statement = this.db.prepare<[], QueryValue[]>(sql);
    } catch (error) {
      throw this.queryError(error);
    }
    if (!statement.readonly || !statement.reader)
      throw new AppError('QUERY_WRITES', `a statement that does more than read: ${firstWords(sql)}`);
    const columns = statement.columns().map(({ name }) => name);
    return { columns, rows: () => this.rowsOf(statement) };
  }

  close(): void {
    this.db.close();
  }

  private *rowsOf(statement: Statement<[], QueryValue[]>): Generator<QueryValue[]> {
    try {
      yield* statement.raw().safeIntegers().iterate();
    } catch (error) {
      throw this.queryError(error);
    }
  }

  /** What is wrong with the statement, or with the file. */
  private queryError(error: unknown): unknown {
    if (isSqliteError(error) && (isBusy(error) || /^SQLITE_(CORRUPT|NOTADB|IOERR|CANTOPEN|FULL|NOMEM)/.test(error.code)))
      return openError(this.path, error);
    // Bad SQL is an SqliteError; two statements, none, or parameters without values are errors of the library.
    const isOfStatement = isSqliteError(error) || error instanceof RangeError || error instanceof TypeError;
    return isOfStatement ? new AppError('QUERY_INVALID', oneLine((error as Error).message), { cause: error }) : error;
  }
}

/** A statement that is ready to run. */
export interface QueryResult {
  /** Names as SQLite gives them; two columns may have the same. */
  readonly columns: readonly string[];
  /** Runs the statement, row by row: values in the order of the columns. Throws as `prepare` does. */
  rows(): Iterable<QueryValue[]>;
}

/** Gives a connection the SQL function `community_id(protocol, src_ip, src_port, dst_ip, dst_port[, seed])`. */
export function registerCommunityId(db: Database): void {
  const id = (protocol: unknown, src: unknown, srcPort: unknown, dst: unknown, dstPort: unknown, seed: unknown = 0) => {
    if (typeof src !== 'string' || typeof dst !== 'string') return null;
    if (!isWithin(protocol, 0xff) || !isWithin(srcPort, 0xffff) || !isWithin(dstPort, 0xffff) || !isWithin(seed, 0xffff))
      return null;
    return communityId({ protocol, src, srcPort, dst, dstPort, seed });
  };
  const options = { deterministic: true, directOnly: false };
  // SQLite takes the number of parameters from the function's own.
  db.function('community_id', options, (a, b, c, d, e) => id(a, b, c, d, e));
  db.function('community_id', options, (a, b, c, d, e, f) => id(a, b, c, d, e, f));
}

function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}

const WORDS_SHOWN = 40;

function firstWords(sql: string): string {
  const text = oneLine(sql);
  return text.length > WORDS_SHOWN ? `${text.slice(0, WORDS_SHOWN)}…` : text;
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
