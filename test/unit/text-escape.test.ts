import { describe, expect, it } from 'vitest';
import { EscapeStyle, escapeText } from '../../src/parse/app/text-escape.js';
import { latin, placed } from '../helpers/placed.js';

const escaped = (text: string, charsMax = 253, style = EscapeStyle.Plain): string =>
  escapeText(...placed(latin(text)), charsMax, style);

describe('escaped text', () => {
  it('is itself where all characters are printable, in its own case', () => {
    expect(escaped('/Index.html?a=1&b=%20')).toBe('/Index.html?a=1&b=%20');
  });

  it.each([
    ['a backslash', '\\', '\\\\'],
    ['a quote', '"', '\\"'],
    ['a space', ' ', '\\032'],
    ['a zero byte', '\0', '\\000'],
    ['a line feed', '\n', '\\010'],
    ['the last control byte', '\x7f', '\\127'],
    ['a byte that is no ASCII', '\xff', '\\255'],
    ['two bytes of UTF-8', '\xc3\xa9', '\\195\\169'],
    ['the first printable character', '!', '!'],
    ['the last printable character', '~', '~'],
  ])('writes %s', (_, text, result) => {
    expect(escaped(`a${text}b`)).toBe(`a${result}b`);
  });

  it('keeps spaces where it is told to, and nothing else', () => {
    expect(escaped('Mozilla/5.0 (X11)\t"', 253, EscapeStyle.KeepSpace)).toBe('Mozilla/5.0 (X11)\\009\\"');
  });

  it('turns ASCII letters into lower case where it is told to', () => {
    expect(escaped('ÀExample.ORG', 253, EscapeStyle.LowerCase)).toBe('\\192example.org');
  });

  it('gives dots a backslash where it is told to', () => {
    expect(escaped('a.b', 253, EscapeStyle.EscapeDot)).toBe('a\\.b');
  });

  it.each([
    [0, ''],
    [1, 'a'],
    [2, 'a'],
    [4, 'a'],
    [5, 'a\\001'],
    [6, 'a\\001'],
    [7, 'a\\001\\\\'],
    [8, 'a\\001\\\\b'],
    [9, 'a\\001\\\\b'],
  ])('cuts at a whole escape: %d characters', (charsMax, result) => {
    expect(escaped('a\x01\\b', charsMax)).toBe(result);
  });

  it('is never longer than 253 characters', () => {
    expect(escaped('x'.repeat(1000), 1000)).toHaveLength(253);
    expect(escaped('\0'.repeat(1000), 1000)).toBe('\\000'.repeat(63));
  });

  it('reads from shared memory', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(8));
    bytes.set(latin('abc'), 2);
    expect(escapeText(new DataView(bytes.buffer), 2, 5, 253)).toBe('abc');
  });
});
