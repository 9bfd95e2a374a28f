import type { LiveSource } from './live-feed.js';
import type { Webhook } from './webhook.js';

/** How often the database is asked for new alerts. */
const EVERY_MS = 5_000;

/** Hands alerts to the webhook as they are stored; those of before the start are nobody's news. */
export class AlertPosts {
  private askedMs = Number.NEGATIVE_INFINITY;
  private told: number | null = null;
  private isAsking = false;

  constructor(
    private readonly source: LiveSource,
    private readonly webhook: Webhook,
  ) {}

  /** To be called once a second with the monotonic clock. */
  tick(nowMs: number): void {
    if (this.isAsking || nowMs - this.askedMs < EVERY_MS) return;
    this.askedMs = nowMs;
    void this.ask();
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    try {
      const { rows, newest } = await this.source.rowsAfter('alerts', this.told);
      this.told = newest;
      for (const row of rows) this.webhook.offer(row);
    } catch {
      // The health tells of a database that cannot be read; the next question has what is missing.
    } finally {
      this.isAsking = false;
    }
  }
}
