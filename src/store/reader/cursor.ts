import { AppError } from '../../errors.js';

/** Which rows come first: those emitted last, or first. */
export type Order = 'newest' | 'oldest';

const PATTERN = /^([no])([0-9a-z]{1,11})$/;

/**
 * A place between rows, as text that means nothing to who holds it: behind it, in the order of the search, are the rows with smaller ids
 * (newest first) or larger ones than `id`. It stays true when rows are added or deleted.
 */
export function cursorText(order: Order, id: number): string {
  return `${order === 'newest' ? 'n' : 'o'}${Math.max(id, 0).toString(36)}`;
}

/** The id in a cursor. Throws `FILTER_INVALID` for a text that is none, or that is of a search in the other order. */
export function cursorId(order: Order, text: string): number {
  const [, letter, digits = ''] = PATTERN.exec(text) ?? [];
  const id = Number.parseInt(digits, 36);
  if (letter === undefined || !Number.isSafeInteger(id))
    throw new AppError('FILTER_INVALID', 'the cursor is none that this flowberry gave');
  if (letter !== order[0]) throw new AppError('FILTER_INVALID', 'the cursor is of a search in the other order');
  return id;
}
