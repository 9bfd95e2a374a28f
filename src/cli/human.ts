/** Figures and times as people read them in tables. */

/** Bytes in three digits or so: `1.2 MB`. */
export function bytesText(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${power === 0 ? value : (value / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** A span of µs: `850 µs`, `12 ms`, `3.4 s`, `5 min`, `2.5 h`. */
export function spanText(us: number): string {
  if (us < 1000) return `${us} µs`;
  if (us < 1e6) return `${Math.round(us / 1e3)} ms`;
  if (us < 120e6) return `${(us / 1e6).toFixed(1)} s`;
  if (us < 7200e6) return `${Math.round(us / 60e6)} min`;
  return `${(us / 3600e6).toFixed(1)} h`;
}

/** A time of µs since 1970, local, to the second: `2025-06-15 17:06:00`. */
export function timeText(us: number): string {
  const date = new Date(us / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
