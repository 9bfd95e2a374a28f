import type { Database, Statement } from 'better-sqlite3';

/** Statements of one connection that are kept; beyond that the one used longest ago is let go and prepared again. */
const KEPT_MAX = 256;

/** A value that is bound to a statement. */
export type Bound = number | string | null;

const kept = new WeakMap<Database, Map<string, Statement<Bound[]>>>();

function keptOf(db: Database): Map<string, Statement<Bound[]>> {
  const known = kept.get(db);
  if (known) return known;
  const statements = new Map<string, Statement<Bound[]>>();
  kept.set(db, statements);
  return statements;
}

function prepared(db: Database, mode: 'objects' | 'rows' | 'values', sql: string): Statement<Bound[]> {
  const statements = keptOf(db);
  const key = `${mode} ${sql}`;
  const known = statements.get(key);
  if (known) statements.delete(key);
  const found = known ?? db.prepare<Bound[]>(sql);
  if (!known && mode === 'rows') found.raw();
  if (!known && mode === 'values') found.pluck();
  statements.set(key, found);
  if (statements.size > KEPT_MAX) statements.delete(statements.keys().next().value as string);
  return found;
}

/**
 * All statements of readers are made here, once for each connection: `objects` gives rows by column name. The text is put together
 * from constants only; whatever is asked for is bound.
 */
export function objects<R>(db: Database, sql: string): Statement<Bound[], R> {
  return prepared(db, 'objects', sql) as Statement<Bound[], R>;
}

/** The same with each row as an array. */
export function rows<R extends readonly unknown[]>(db: Database, sql: string): Statement<Bound[], R> {
  return prepared(db, 'rows', sql) as unknown as Statement<Bound[], R>;
}

/** The same with the first column alone. */
export function values<R>(db: Database, sql: string): Statement<Bound[], R> {
  return prepared(db, 'values', sql) as Statement<Bound[], R>;
}

/** The texts of all statements that readers have made on this connection, for tests of their plans. */
export function statementTexts(db: Database): string[] {
  return [...new Set([...keptOf(db).values()].map((statement) => statement.source))];
}

/** Runs `work` on one state of the database, whatever a writer does meanwhile; inside a transaction, on that of the transaction. */
export function inSnapshot<T>(db: Database, work: () => T): T {
  return db.inTransaction ? work() : db.transaction(work)();
}
