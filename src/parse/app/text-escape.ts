import { lowerCase } from './byte-match.js';

/** How `putEscaped` writes a byte; bits. */
export const enum EscapeStyle {
  /** As in paths: only bytes 0x21–0x7e stand for themselves, but for `\` and `"`. */
  Plain = 0,
  /** Spaces stay: user agents are full of them. */
  KeepSpace = 1,
  /** Letters are written in lower case, as in names of hosts. */
  LowerCase = 2,
  /** Dots get a backslash, as inside a DNS label. */
  EscapeDot = 4,
}

/** Longest text that `escapeText` makes, in characters. */
export const ESCAPED_CHARS_MAX = 253;

const enum Char {
  Space = 0x20,
  Quote = 0x22,
  Zero = 0x30,
  Dot = 0x2e,
  Backslash = 0x5c,
  Tilde = 0x7e,
}

/**
 * Writes a byte as escaped ASCII (RFC 1035 section 5.1) at `at`: itself, itself behind a backslash, or a backslash and three decimal
 * digits. Returns the offset behind it, or `at` if it would reach beyond `outEnd`: an escape is never cut. Allocates nothing.
 */
export function putEscaped(out: Uint8Array, at: number, outEnd: number, byte: number, style: EscapeStyle): number {
  const isKept = byte > Char.Space ? byte <= Char.Tilde : byte === Char.Space && (style & EscapeStyle.KeepSpace) !== 0;
  if (!isKept) return putDecimal(out, at, outEnd, byte);
  const isSpecial =
    byte === Char.Backslash || byte === Char.Quote || (byte === Char.Dot && (style & EscapeStyle.EscapeDot) !== 0);
  if (at + (isSpecial ? 2 : 1) > outEnd) return at;
  let next = at;
  if (isSpecial) out[next++] = Char.Backslash;
  out[next++] = (style & EscapeStyle.LowerCase) !== 0 ? lowerCase(byte) : byte;
  return next;
}

function putDecimal(out: Uint8Array, at: number, outEnd: number, byte: number): number {
  if (at + 4 > outEnd) return at;
  out[at] = Char.Backslash;
  out[at + 1] = Char.Zero + Math.floor(byte / 100);
  out[at + 2] = Char.Zero + (Math.floor(byte / 10) % 10);
  out[at + 3] = Char.Zero + (byte % 10);
  return at + 4;
}

/**
 * Writes the bytes from `offset` to `end` as escaped ASCII from `at` on and returns the offset behind the last one that fits below
 * `outEnd`. Allocates nothing.
 */
export function escapeBytes(
  view: DataView,
  offset: number,
  end: number,
  out: Uint8Array,
  at: number,
  outEnd: number,
  style: EscapeStyle,
): number {
  let next = at;
  for (let from = offset; from < end; from++) {
    const behind = putEscaped(out, next, outEnd, view.getUint8(from), style);
    if (behind === next) break;
    next = behind;
  }
  return next;
}

const scratch = Buffer.alloc(ESCAPED_CHARS_MAX);

/**
 * The bytes from `offset` to `end` as escaped ASCII of at most `charsMax` characters, `ESCAPED_CHARS_MAX` at most: letters keep their
 * case unless `style` says otherwise.
 */
export function escapeText(view: DataView, offset: number, end: number, charsMax: number, style = EscapeStyle.Plain): string {
  const length = escapeBytes(view, offset, end, scratch, 0, Math.min(charsMax, ESCAPED_CHARS_MAX), style);
  return scratch.toString('latin1', 0, length);
}
