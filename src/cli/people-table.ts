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
  let kept = [...columns];
  const excess = (): number =>
    width === null ? 0 : kept.reduce((sum, column) => sum + widthOf(column) + GAP.length, -GAP.length) - width;
  const shrink = (): void => {
    for (const column of kept.filter(({ widthMin }) => widthMin !== undefined).sort((a, b) => widthOf(b) - widthOf(a)))
      if (excess() > 0) widths.set(column, Math.max(column.widthMin as number, widthOf(column) - excess()));
  };
  shrink();
  while (excess() > 0) {
    const spare = kept.reduce((most, column) => Math.max(most, column.spare ?? 0), 0);
    if (spare === 0) break;
    kept = kept.filter((column) => column.spare !== spare);
  }
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
