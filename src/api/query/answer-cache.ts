import type { Answer } from './answer.js';

/** Most answers have some 10 KiB, so that of these and the bytes neither is reached long before the other. */
const ENTRIES_MAX = 1_000;
const BYTES_MAX = 16 * 2 ** 20;
/** A larger answer is not kept: it would push out many others. */
const ENTRY_BYTES_MAX = 2 * 2 ** 20;

interface Entry {
  readonly answer: Answer;
  readonly expiresMs: number;
}

/** Answers that are asked for again and again. At its limits, in number and in bytes, the one that was used longest ago goes. */
export class AnswerCache {
  hits = 0;
  misses = 0;
  bytes = 0;
  /** Counts the changes. What was asked for before one is not given to who asks behind it. */
  generation = 0;
  private readonly entries = new Map<string, Entry>();

  get count(): number {
    return this.entries.size;
  }

  /** The answer under `key` if it has not expired; it is then the one that was used last. */
  get(key: string, nowMs: number): Answer | null {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.expiresMs <= nowMs) {
      if (entry) this.remove(key, entry);
      this.misses++;
      return null;
    }
    this.hits++;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.answer;
  }

  put(key: string, answer: Answer, expiresMs: number): void {
    const before = this.entries.get(key);
    if (before) this.remove(key, before);
    if (answer.body.length > ENTRY_BYTES_MAX) return;
    this.entries.set(key, { answer, expiresMs });
    this.bytes += answer.body.length;
    for (const [oldest, entry] of this.entries) {
      if (this.entries.size <= ENTRIES_MAX && this.bytes <= BYTES_MAX) break;
      this.remove(oldest, entry);
    }
  }

  /** Forgets everything: something that answers tell of has been changed. */
  clear(): void {
    this.generation++;
    this.entries.clear();
    this.bytes = 0;
  }

  private remove(key: string, { answer }: Entry): void {
    this.entries.delete(key);
    this.bytes -= answer.body.length;
  }
}
