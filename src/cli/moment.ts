import { AppError } from '../errors.js';

const UNITS_S: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400, w: 604_800 };

/** A time as people give it to `--flag`, so long ago or a date, µs since 1970. Throws `USAGE`. */
export function momentOf(flag: string, text: string | boolean, nowUs: number): number {
  const [, amount, unit = ''] = /^(\d{1,9})(s|min|h|d|w)$/.exec(String(text)) ?? [];
  if (amount !== undefined) return Math.max(0, nowUs - Number(amount) * (UNITS_S[unit] as number) * 1e6);
  const ms = isDate(String(text)) ? Date.parse(String(text)) : Number.NaN;
  if (ms >= 0) return ms * 1000;
  throw new AppError('USAGE', `--${flag} ${text} is no time; write 30s, 10min, 1h, 7d, 2w or 2025-06-15T12:00`);
}

/** Whether it begins with a day that there is: `Date` takes the 31st of every month for a day of the next one. */
function isDate(text: string): boolean {
  const [, year, month, day = '1'] = /^(\d{4})-(\d{2})(?:-(\d{2}))?/.exec(text) ?? [];
  return year !== undefined && new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
}
