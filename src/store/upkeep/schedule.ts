const US_PER_MS = 1000;
/** A start is busy enough without upkeep. */
const AFTER_START_MS = 600_000;

/**
 * When a task is due that is to be done every `everyMs` and was done at `doneUs`, by whatever clock: not within ten minutes of the
 * start at `nowMs`, and soon when the last time lies ahead.
 */
export function dueMsAfter(doneUs: number, everyMs: number, nowMs: number): number {
  const doneMs = doneUs / US_PER_MS;
  return Math.max(doneMs > nowMs ? 0 : doneMs + everyMs, nowMs + AFTER_START_MS);
}
