import { shown } from './query-text.js';

/** A column of a table for people. */
export interface PeopleColumn<R> {
  readonly title: string;
  readonly text: (row: R) => string;
  /** Numbers stand to the right. */
  readonly isRight?: boolean;
  /** The column may be cut to so many characters where the terminal is narrow; others keep their width. */
  readonly widthMin?: number;
  /** Left out where the terminal is still too narrow, the highest number first. */
  readonly spare?: number;
}

const GAP = '  ';

/** The lines of a table that fits into `width` characters if it can; null for no bound, as where nobody looks. Control characters are shown. */
export function peopleTable<R>(columns: readonly PeopleColumn<R>[], rows: readonly R[], width: number | null): string[] {
  const cells = new Map(columns.map((column) => [column, rows.map((row) => shown(column.text(row)))]));
  const widths = new Map(
    columns.map((column) => [column, Math.max(column.title.length, ...(cells.get(column) ?? []).map((cell) => cell.length))]),
  );
  const widthOf = (column: PeopleColumn<R>): number => widths.get(column) as number;
  const least = (column: PeopleColumn<R>): number => Math.min(widthOf(column), column.widthMin ?? Number.POSITIVE_INFINITY);
  const excess = (kept: readonly PeopleColumn<R>[], of: (column: PeopleColumn<R>) => number): number =>
    width === null ? 0 : kept.reduce((sum, column) => sum + of(column) + GAP.length, -GAP.length) - width;
  let kept = [...columns];
  for (let spare = Math.max(...columns.map((column) => column.spare ?? 0)); spare > 0 && excess(kept, least) > 0; spare--)
    kept = kept.filter((column) => column.spare !== spare);
  for (const column of [...kept].sort((a, b) => widthOf(b) - widthOf(a)))
    widths.set(column, Math.max(least(column), widthOf(column) - Math.max(0, excess(kept, widthOf))));
  const line = (textOf: (column: PeopleColumn<R>) => string): string =>
    kept
      .map((column) => {
        const text = cut(textOf(column), widthOf(column));
        return column.isRight ? text.padStart(widthOf(column)) : text.padEnd(widthOf(column));
      })
      .join(GAP)
      .trimEnd();
  return [
    line(({ title }) => title),
    kept.map((column) => '-'.repeat(widthOf(column))).join(GAP),
    ...rows.map((_, row) => line((column) => cells.get(column)?.[row] ?? '')),
  ];
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}

/** Characters in a line of standard output; null where it is no terminal. */
export function terminalWidth(): number | null {
  return process.stdout.isTTY ? process.stdout.columns : null;
}
