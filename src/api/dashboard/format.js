/** How numbers, sizes and times are shown. All of it is pure. */

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const BIT_UNITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];

function scaled(value, units) {
  let unit = 0;
  let number = value;
  while (number >= 999.5 && unit < units.length - 1) {
    number /= 1000;
    unit++;
  }
  const digits = unit === 0 || number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return `${number.toFixed(digits)} ${units[unit]}`;
}

export const bytes = (value) => scaled(value, BYTE_UNITS);
export const bitRate = (value) => scaled(value, BIT_UNITS);

/** What a tick of an axis says: 50.0 kbit/s is 50 kbit/s there. */
export const tick = (text) => text.replace(/(\.\d*?)0+(?=\s)/, '$1').replace(/\.(?=\s)/, '');

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
export const count = (value) => whole.format(value);

/** 12,345 stays; 1,234,567 becomes 1.23 M. */
export function shortCount(value) {
  if (value < 100_000) return count(value);
  return scaled(value, ['', 'k', 'M', 'G']).trim();
}

export function percent(part, all) {
  if (all === 0) return '–';
  const value = (100 * part) / all;
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} %`;
}

/** A duration in µs, null for one that is not known. */
export function duration(us) {
  if (us === null || us === undefined) return '–';
  if (us < 1000) return `${us} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms`;
  if (us < 60e6) return `${(us / 1e6).toFixed(1)} s`;
  if (us < 3600e6) return `${Math.floor(us / 60e6)} min ${Math.round((us % 60e6) / 1e6)} s`;
  if (us < 86_400e6) return `${Math.floor(us / 3600e6)} h ${Math.round((us % 3600e6) / 60e6)} min`;
  return `${(us / 86_400e6).toFixed(1)} days`;
}

const two = (number) => String(number).padStart(2, '0');

const dayOf = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** Date, hour and minute of a moment in ms since 1970, in the browser's time zone. */
export function minute(ms) {
  const date = new Date(ms);
  return `${dayOf(date)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A moment in µs since 1970 in the browser's time zone: with the date if it is not today's. */
export function moment(us, nowUs = Date.now() * 1000) {
  if (us === null || us === undefined) return '–';
  const date = new Date(us / 1000);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const isToday = date.toDateString() === new Date(nowUs / 1000).toDateString();
  return isToday ? time : `${dayOf(date)} ${time}`;
}

/** Times at the ticks of an axis, in seconds since 1970: as much of them as the span of the axis, in seconds, asks for. */
export function clock(ticks, spanS) {
  return ticks.map((seconds) => {
    const date = new Date(seconds * 1000);
    const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
    const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    if (spanS <= 600) return `${time}:${two(date.getSeconds())}`;
    if (spanS <= 90_000) return time;
    // Over days, midnight is named by its day, and other hours by themselves.
    return spanS > 8 * 86_400 || time === '00:00' ? day : time;
  });
}

/** How long ago, for people. */
export function ago(us, nowUs = Date.now() * 1000) {
  const age = Math.max(0, nowUs - us);
  if (age < 60e6) return 'just now';
  if (age < 3600e6) return `${Math.floor(age / 60e6)} min ago`;
  if (age < 86_400e6) return `${Math.floor(age / 3600e6)} h ago`;
  return `${Math.floor(age / 86_400e6)} days ago`;
}

const PROTOCOLS = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  89: 'OSPF',
  132: 'SCTP',
};
export const protocol = (number) => PROTOCOLS[number] ?? `IP ${number}`;

/** Address and port; IPv6 addresses stand in brackets before a port (RFC 5952 section 6). */
export function endpoint(ip, port) {
  if (!port) return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
