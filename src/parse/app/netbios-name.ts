import type { DnsName } from './dns-name.js';
import { EscapeStyle, putEscaped } from './text-escape.js';

/** A name has 16 bytes, each of which is two letters from `A` on, one for each half (RFC 1001 section 14.1). */
const NAME_BYTES = 16;
const LETTER_FIRST = 0x61;
const DOT = 0x2e;
const SPACE = 0x20;
const STYLE = EscapeStyle.LowerCase | EscapeStyle.EscapeDot;

/** The last byte, by which Microsoft tells services apart, where the name is that of a host. */
const SUFFIX_WORKSTATION = 0x00;
const SUFFIX_FILE_SERVER = 0x20;

const decoded = new Uint8Array(NAME_BYTES);

/**
 * Turns a name that was read from a message into the name that its first label encodes, in place: lower case, escaped ASCII, without
 * the blanks or zeros at its end, the last byte, and the scope. Returns the last byte, 0–255, or -1 if it is no such name, and then
 * leaves it as it is. Allocates nothing.
 */
export function decodeNetbiosName(name: DnsName): number {
  const { bytes } = name;
  const length = NAME_BYTES * 2;
  if (name.length < length || (name.length > length && bytes[length] !== DOT)) return -1;
  for (let i = 0; i < NAME_BYTES; i++) {
    const high = (bytes[2 * i] as number) - LETTER_FIRST;
    const low = (bytes[2 * i + 1] as number) - LETTER_FIRST;
    if (high < 0 || high > 15 || low < 0 || low > 15) return -1;
    decoded[i] = (high << 4) | low;
  }
  let end = NAME_BYTES - 1;
  while (end > 0 && (decoded[end - 1] === SPACE || decoded[end - 1] === 0)) end--;
  name.length = 0;
  for (let i = 0; i < end; i++) name.length = putEscaped(bytes, name.length, bytes.length, decoded[i] as number, STYLE);
  return decoded[NAME_BYTES - 1] as number;
}

/** Whether a name with this last byte names a host, and not a domain, a user or a service. */
export function isNetbiosHost(suffix: number): boolean {
  return suffix === SUFFIX_WORKSTATION || suffix === SUFFIX_FILE_SERVER;
}
