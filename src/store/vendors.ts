import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Lengths in hexadecimal digits of the blocks that the IEEE gives to vendors, the smallest block first: MA-S, MA-M, MA-L. */
const PREFIX_DIGITS = [9, 7, 6] as const;
/** Bit of an address's first byte that says that no vendor has given it (IEEE 802, section 8.2.2). */
const LOCALLY_ADMINISTERED = 0x02;

/**
 * The vendors of network cards by hardware address, as the IEEE lists them. The list takes some 20 MB while it is held and 60 ms to
 * read, so it is read when the first unknown address comes, and held for no longer than one batch.
 */
export class Vendors {
  private list: Readonly<Record<string, string>> | null = null;

  /**
   * Name of the vendor of the address with the upper 16 bits `high` and the lower 32 bits `low`; null where nobody is registered, and
   * for addresses that a device has given itself.
   */
  vendorOf(high: number, low: number): string | null {
    if (((high >> 8) & LOCALLY_ADMINISTERED) !== 0) return null;
    this.list ??= readList();
    const digits = hexadecimal(high, 4) + hexadecimal(low, 8);
    for (const length of PREFIX_DIGITS) {
      const entry = this.list[digits.slice(0, length)];
      // The lines behind the first are the vendor's postal address.
      if (entry !== undefined) return entry.split('\n', 1)[0] as string;
    }
    return null;
  }

  /** Lets the list go, until the next unknown address comes. */
  letGo(): void {
    this.list = null;
  }
}

/** The text of a hardware address: `aa:bb:cc:dd:ee:ff`. */
export function macText(high: number, low: number): string {
  const digits = (hexadecimal(high, 4) + hexadecimal(low, 8)).toLowerCase();
  return (digits.match(/../g) as string[]).join(':');
}

function hexadecimal(number: number, digits: number): string {
  return (number >>> 0).toString(16).toUpperCase().padStart(digits, '0');
}

/** Read as a file: what is loaded as a module is never let go. */
function readList(): Record<string, string> {
  const require = createRequire(import.meta.url);
  return JSON.parse(readFileSync(require.resolve('oui-data'), 'utf8')) as Record<string, string>;
}
