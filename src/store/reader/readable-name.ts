/** An escaped backslash, quote or dot, or bytes of which each is a backslash and three decimal digits. */
const ESCAPES = /\\[^\d]|(?:\\\d{3})+/g;
/** Letters, marks, numbers, punctuation, symbols and the plain space; nothing that controls how text runs, and nothing unassigned. */
const READABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const ESCAPE_CHARS = 4;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Length of the UTF-8 sequence that begins with this byte (RFC 3629 section 3); 0 for a byte that begins none. */
function sequenceBytes(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The character that the bytes begin with; '' where they are no UTF-8, or it is none that people read. */
function readableAt(bytes: Uint8Array, at: number): string {
  const length = sequenceBytes(bytes[at] as number);
  if (length === 0 || at + length > bytes.length) return '';
  try {
    const character = utf8.decode(bytes.subarray(at, at + length));
    return READABLE.test(character) ? character : '';
  } catch {
    // No UTF-8: it stays as it stands.
    return '';
  }
}

function readableRun(run: string): string {
  const numbers = run.slice(1).split('\\').map(Number);
  if (numbers.some((number) => !(number <= 0xff))) return run;
  const bytes = Uint8Array.from(numbers);
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const character = readableAt(bytes, at);
    text += character || run.slice(at * ESCAPE_CHARS, (at + 1) * ESCAPE_CHARS);
    at += character === '' ? 1 : Buffer.byteLength(character);
  }
  return text;
}

/**
 * A name that a device tells of itself, as people read it. It is stored as escaped ASCII (RFC 1035 section 5.1); mDNS and LLMNR names
 * are UTF-8 (RFC 6762 section 16, RFC 4795 section 3). Letters of all scripts and spaces are shown as they are; control characters,
 * what turns the direction of text, and bytes that are no UTF-8 stay escaped.
 */
export function readableName(name: string): string {
  return name.includes('\\') ? name.replace(ESCAPES, (found) => (/^\\\d/.test(found) ? readableRun(found) : found)) : name;
}

/** The same of a row with the name of a device in it, or null. */
export function withReadableName<R extends { readonly name: string | null }>(row: R): R {
  return row.name?.includes('\\') ? { ...row, name: readableName(row.name) } : row;
}
