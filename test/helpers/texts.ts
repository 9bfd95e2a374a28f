import type { Texts } from '../../src/store/texts.js';

/** Asks as the writer does: for bytes somewhere in a ring. */
export function idOf(texts: Texts, text: string): number {
  const bytes = Buffer.from(`before${text}behind`, 'latin1');
  return texts.idOf(bytes, 6, bytes.length - 6);
}
