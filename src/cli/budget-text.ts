import type { MemoryBudget } from '../memory-budget.js';

const MIB = 2 ** 20;

const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(1);

function eachOf(bytes: number): string {
  return bytes < MIB ? `${bytes} B` : `${mebibytes(bytes)} MiB`;
}

/** The memory formula, one term a line, for people. `residentBytes` is what a running daemon takes, null without one. */
export function formatBudget(budget: MemoryBudget, residentBytes: number | null = null): string {
  const rows = budget.items.map(({ name, count, eachBytes, eachText }) => [
    name,
    `${count} x ${eachOf(eachBytes)}`,
    mebibytes(count * eachBytes),
    eachText,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const line = ([name, each, total, text]: readonly string[]): string =>
    `${name?.padEnd(widths[0] as number)}  ${each?.padStart(widths[1] as number)}  = ${total?.padStart(widths[2] as number)} MiB  ${text}`.trimEnd();
  const total = `at most ${mebibytes(budget.totalBytes)} MiB of ${mebibytes(budget.limitBytes)} MiB${
    budget.isLimitChosen ? ', chosen by RAM' : ''
  } (host.memory-bytes-max); from 80 % of that on flowberry does less`;
  const heaps = `a thread whose heap grows beyond ${mebibytes(budget.heapBytesMax)} MiB is replaced`;
  const now = residentBytes === null ? [] : [`the daemon takes ${mebibytes(residentBytes)} MiB now`];
  return `${[...rows.map(line), total, heaps, ...now].join('\n')}\n`;
}
