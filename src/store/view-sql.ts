import { ADDRESS_ID_BASE } from './addresses.js';

/** SQL that shows an address of a row as text; NULL stays NULL. */
export function addressSql(column: string): string {
  const bytes = [24, 16, 8, 0].map((shift) => `(${column} >> ${shift}) & 255`).join(', ');
  return `CASE WHEN ${column} >= ${ADDRESS_ID_BASE} THEN (SELECT ip FROM addresses WHERE addresses.id = ${column})
    WHEN ${column} IS NOT NULL THEN printf('%d.%d.%d.%d', ${bytes}) END`;
}

/** SQL that shows the name of a number: its place in `names`. NULL for the empty name and for numbers without one. */
export function nameSql(expression: string, names: readonly string[]): string {
  return `CASE ${expression} ${whenSql(names.map((name, number) => [number, name] as const))} END`;
}

/** The same for numbers that are not in a row; `other` is SQL for those without a name. */
export function codeSql(expression: string, names: readonly (readonly [code: number, name: string])[], other: string): string {
  return `CASE ${expression} ${whenSql(names)} ELSE ${other} END`;
}

/** SQL that shows the text with the id in `column`; NULL stays NULL. */
export function textSql(column: string): string {
  return `(SELECT text FROM texts WHERE texts.id = ${column})`;
}

function whenSql(names: readonly (readonly [number: number, name: string])[]): string {
  return names.flatMap(([number, name]) => (name === '' ? [] : [`WHEN ${number} THEN '${name}'`])).join(' ');
}
