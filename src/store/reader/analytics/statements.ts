import type { Database, Statement } from 'better-sqlite3';

/** SQL texts differ by kind, order and the levels that a range needs, so there are some hundred at most; beyond that, all are forgotten. */
const STATEMENTS_MAX = 500;

const prepared = new WeakMap<Database, Map<string, Statement<unknown[], unknown>>>();

/** The statement with this text, prepared once for each connection. */
export function statementOf<P extends unknown[], R>(db: Database, sql: string): Statement<P, R> {
  let statements = prepared.get(db);
  if (!statements) {
    statements = new Map();
    prepared.set(db, statements);
  }
  let statement = statements.get(sql);
  if (!statement) {
    if (statements.size === STATEMENTS_MAX) statements.clear();
    statement = db.prepare<unknown[], unknown>(sql);
    statements.set(sql, statement);
  }
  return statement as Statement<P, R>;
}
