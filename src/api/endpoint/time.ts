const SECOND_US = 1_000_000;
const UNITS_US: Readonly<Record<string, number>> = {
  s: SECOND_US,
  m: 60 * SECOND_US,
  h: 3_600 * SECOND_US,
  d: 86_400 * SECOND_US,
};
/** Microseconds since 1970 that a number tells exactly: up to the year 2255. */
const US_MAX = Number.MAX_SAFE_INTEGER;
const FRACTION_DIGITS = 6;

/** What a moment may look like in a request; the same pattern stands in the OpenAPI document. */
export const MOMENT_PATTERN = /^(now|\d{1,5}[smhd]|\d{1,18}|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z)?)$/;

/**
 * A moment in µs since 1970 UTC: `now`, so long before now (`90s`, `15m`, `24h`, `30d`), µs since 1970, or a date by ISO 8601 with or
 * without a time in UTC. Null for what is none of these, or names a day that there is not.
 */
export function readMoment(text: string, nowUs: number): number | null {
  if (!MOMENT_PATTERN.test(text)) return null;
  if (text === 'now') return nowUs;
  const unitUs = UNITS_US[text.slice(-1)];
  if (unitUs !== undefined) return Math.max(0, nowUs - Number(text.slice(0, -1)) * unitUs);
  if (/^\d+$/.test(text)) return Number(text) <= US_MAX ? Number(text) : null;
  return readDate(text);
}

/** Whether what the text means moves on with the clock. */
export function isRelative(text: string): boolean {
  return text === 'now' || UNITS_US[text.slice(-1)] !== undefined;
}

function readDate(text: string): number | null {
  const [, date = '', time = '', fraction = ''] = /^(.{10})(?:T([\d:]+)(?:\.(\d+))?Z)?$/.exec(text) ?? [];
  const ms = Date.parse(`${date}T${time === '' ? '00:00:00' : time.length === 5 ? `${time}:00` : time}Z`);
  // Date takes the 31st of every month for a day of the next one.
  if (!Number.isFinite(ms) || !new Date(ms).toISOString().startsWith(date)) return null;
  const us = ms * 1000 + Number(fraction.padEnd(FRACTION_DIGITS, '0') || 0);
  return us >= 0 && us <= US_MAX ? us : null;
}
