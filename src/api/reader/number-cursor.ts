import { AppError } from '../../errors.js';

/** A place in a list that is sorted by numbers, as text that means nothing to who holds it. */
export function writeCursor(...numbers: readonly number[]): string {
  return numbers.map((number) => number.toString(36)).join('-');
}

/** The numbers of a cursor, exactly `count`. Throws `FILTER_INVALID` for a text that is none. */
export function readCursor(text: string, count: number): number[] {
  const numbers = text.split('-').map((digits) => (/^[0-9a-z]{1,11}$/.test(digits) ? Number.parseInt(digits, 36) : Number.NaN));
  if (numbers.length !== count || !numbers.every(Number.isSafeInteger))
    throw new AppError('FILTER_INVALID', 'the cursor is none that this flowberry gave');
  return numbers;
}
