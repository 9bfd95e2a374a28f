import type { Config } from '../config.js';
import { bytesAfter, daysUntil, type Plan, type PlannedRows, planDatabase } from '../store/upkeep/plan.js';
import { bytesText } from './bytes-text.js';
import { queryLines } from './query-text.js';

/** Spans that are looked ahead, in days. */
const SPANS = [
  ['day', 1],
  ['month', 30],
  ['year', 365],
] as const;

/** `flowberry db plan`: how large each kind of rows becomes, and what the limit makes of it. Throws `AppError`. */
export function runDbPlan(config: Config, options: { readonly json: boolean }): number {
  const plan = planDatabase(config);
  if (options.json) process.stdout.write(`${JSON.stringify(jsonOf(plan))}\n`);
  else for (const line of linesOf(plan)) process.stdout.write(`${line}\n`);
  return 0;
}

/** What rows become when nothing is ever deleted for its age. */
function unlimited(rows: readonly PlannedRows[]): PlannedRows[] {
  return rows.map((row) => ({ ...row, daysKept: Number.POSITIVE_INFINITY }));
}

function jsonOf(plan: Plan): object {
  const spans = (rows: readonly PlannedRows[]): object =>
    Object.fromEntries(SPANS.map(([name, days]) => [`bytes_after_${name}`, Math.round(bytesAfter(rows, days))]));
  return {
    path: plan.path,
    days_seen: plan.daysSeen,
    flows_per_second: plan.flowsPerSecond,
    tables: plan.rows.map((row) => ({
      table: row.table,
      rows_per_day: row.rowsPerDay,
      bytes_per_row: row.bytesPerRow,
      days_kept: Number.isFinite(row.daysKept) ? row.daysKept : null,
      ...spans([row]),
    })),
    total: spans(plan.rows),
    total_without_ages: spans(unlimited(plan.rows)),
    used_bytes: plan.bytesUsed,
    file_bytes_max: plan.bytesMax,
    days_until_limit: daysUntil(plan.rows, plan.bytesMax),
  };
}

function linesOf(plan: Plan): string[] {
  const { rows, bytesMax } = plan;
  if (plan.flowsPerSecond === 0) return [`${plan.path}: too few flows to plan by`];
  const cells = (name: string, kept: string, planned: readonly PlannedRows[]): string[] => [
    name,
    planned.length === 1 ? Math.round(planned[0]?.rowsPerDay ?? 0).toLocaleString('en-US') : '',
    planned.length === 1 ? (planned[0]?.bytesPerRow ?? 0).toFixed(0) : '',
    kept,
    ...SPANS.map(([, days]) => bytesText(bytesAfter(planned, days))),
  ];
  const table = [
    ...rows.map((row) => cells(row.table, Number.isFinite(row.daysKept) ? `${row.daysKept} days` : 'for ever', [row])),
    cells('all', '', rows),
    cells('all, if no age were set', '', unlimited(rows)),
  ];
  const columns = ['table', 'rows a day', 'bytes a row', 'kept', ...SPANS.map(([name]) => `after a ${name}`)];
  const limitDay = daysUntil(rows, bytesMax);
  return [
    `${plan.path}: ${bytesText(plan.bytesUsed)} in use; ${plan.flowsPerSecond.toPrecision(3)} flows a second over ${plan.daysSeen.toPrecision(2)} days`,
    ...queryLines('table', columns, table),
    limitDay === null
      ? `the limit of ${bytesText(bytesMax)} (retention.file-bytes-max) is not reached`
      : `the limit of ${bytesText(bytesMax)} (retention.file-bytes-max) is reached after ${limitDay.toPrecision(2)} days; from then on the oldest flows go, then sums by minute, hour and day`,
  ];
}
