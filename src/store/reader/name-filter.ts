import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { domainKey, LookupKind } from '../lookup/lookup-kind.js';
import type { PlanBuilder } from './filter-parts.js';
import { values } from './statement.js';

const NAME = /^(\*\.)?[^*\s]{1,255}$/;

/** Id of a text; null for one that was never seen. */
export function textId(db: Database, text: string): number | null {
  return values<number>(db, 'SELECT id FROM texts WHERE text = ?').get(text) ?? null;
}

/** Rows whose name, in `column`, is `text`, or below what follows `*.` in it. Names are lower case. Throws `FILTER_INVALID`. */
export function filterName(db: Database, plan: PlanBuilder, text: string, column: string): void {
  if (!NAME.test(text))
    throw new AppError('FILTER_INVALID', `${text} is no name; *.example.com finds all names below example.com`);
  const name = text.toLowerCase();
  if (!name.startsWith('*.')) {
    const id = textId(db, name);
    plan.keys(LookupKind.Name, id === null ? [] : [id]);
    if (id !== null) plan.condition(`${column} = ?`, id);
    return;
  }
  const ending = name.slice(1);
  plan.keys(LookupKind.Domain, [domainKey(ending.slice(1))]);
  plan.condition(`(SELECT substr(text, ?) FROM texts WHERE texts.id = ${column}) = ?`, -ending.length, ending);
}
