import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EscapeStyle, escapeText } from '../../src/parse/app/text-escape.js';
import { readableName } from '../../src/store/reader/readable-name.js';

/** As a name is stored that a device tells in these bytes. */
function stored(bytes: Uint8Array | string): string {
  const buffer = Buffer.from(bytes as string);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  return escapeText(view, 0, buffer.length, 253, EscapeStyle.EscapeDot);
}

describe('readableName', () => {
  it('shows letters of all scripts and spaces as they are', () => {
    expect(stored('jörgs küche')).toBe('j\\195\\182rgs\\032k\\195\\188che');
    for (const name of ['jörgs küche', 'гостиная', '居間のテレビ', 'salón’s tv', '📺'])
      expect(readableName(stored(name)), name).toBe(name);
  });

  it('leaves a name without escapes alone, and keeps dots, quotes and backslashes inside a label escaped', () => {
    expect(readableName('printer.local')).toBe('printer.local');
    expect(readableName(stored('a.b"c\\d'))).toBe('a\\.b\\"c\\\\d');
    // The escaped backslash is none that begins the number of a byte.
    expect(readableName(stored('\\195\\182'))).toBe('\\\\195\\\\182');
  });

  it.each([
    ['control characters', 'a\u0007\u0085b', 'a\\007\\194\\133b'],
    ['what turns the direction of text', 'a\u202eb', 'a\\226\\128\\174b'],
    ['a zero-width space', 'a\u200bb', 'a\\226\\128\\139b'],
    ['line separators', 'a\u2028b', 'a\\226\\128\\168b'],
    ['private characters', '\ue000', '\\238\\128\\128'],
    ['bytes that are no UTF-8', Uint8Array.of(0x61, 0xf6, 0x62, 0xff), 'a\\246b\\255'],
    ['a character that is cut', Uint8Array.of(0x61, 0xe2, 0x82), 'a\\226\\130'],
    ['overlong forms and surrogates', Uint8Array.of(0xc0, 0xaf, 0xed, 0xa0, 0x80), '\\192\\175\\237\\160\\128'],
  ])('leaves %s escaped', (_, bytes, shown) => expect(readableName(stored(bytes))).toBe(shown));

  it('keeps every byte, so that no two names look the same, and shows nothing that is not to be shown', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 10 }).map((text) => Uint8Array.from(Buffer.from(text))),
    );
    const bytesOf = (shown: string): Buffer => {
      const parts = shown.match(/\\\d{3}|\\.|./gsu) ?? [];
      return Buffer.concat(
        parts.map((part) => (/^\\\d/.test(part) ? Buffer.of(Number(part.slice(1))) : Buffer.from(part.replace(/^\\/, '')))),
      );
    };
    fc.assert(
      fc.property(bytes, (name) => {
        const shown = readableName(stored(name));
        expect(shown).toMatch(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u);
        expect(bytesOf(shown)).toEqual(Buffer.from(name));
      }),
    );
  });

  it('does not trust what is in the file', () => {
    for (const text of ['\\999', '\\1', '\\', 'a\\', '\\12x', '\\195\\', '\\300\\195\\182'])
      expect(() => readableName(text)).not.toThrow();
    expect(readableName('\\999\\195\\182')).toBe('\\999\\195\\182');
  });
});
