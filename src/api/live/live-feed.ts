import type { Health } from '../health.js';
import type { Snapshot } from '../snapshot.js';
import type { LiveClient } from './live-client.js';
import type { LiveHub } from './live-hub.js';
import { type LiveFields, LiveMessage, type LiveTopic } from './live-message.js';
import { statsBetween } from './live-stats.js';

/** Rows that one question takes from the database: few, since they and their JSON are in memory at the same time. */
export const ROWS_PER_PAGE = 200;
/** So many full pages one after the other, and the stream is too far behind: what is left is passed over, and the clients are told. */
const PAGES_MAX = 50;
/**
 * Rows that are told at once, and how long after them the next: a batch that was committed is told over a second or so, in which the
 * queues of those that read never hold much of it.
 */
const ROWS_AT_ONCE = 100;
const ROWS_EVERY_MS = 50;

/** Topics that come out of the database, and the kind of their messages. */
const ROW_TYPES = { flows: 'flow', devices: 'device', alerts: 'alert' } as const;
export type RowTopic = keyof typeof ROW_TYPES;
const ROW_TOPICS = Object.keys(ROW_TYPES) as RowTopic[];

/** Where the feed looks. */
export interface LiveSource {
  /** The pipeline as it is now. */
  snapshot(): Snapshot;
  judge(snapshot: Snapshot): Health;
  /** The clock of the session, µs since 1970. */
  nowUs(): number;
  /**
   * Rows of a topic that are newer than `after`, the oldest first, `ROWS_PER_PAGE` or hardly more; null asks only where the newest is.
   * `after` is what the answer before had as `newest`. Rejects when the database cannot be read now.
   */
  rowsAfter(topic: RowTopic, after: number | null): Promise<{ readonly rows: readonly LiveFields[]; readonly newest: number }>;
}

/**
 * Makes the messages of the live stream, of those topics that somebody wants. Flows, devices and alerts come out of the database once
 * they are committed: names are joined by then, and what the stream has told is not lost any more.
 */
export class LiveFeed {
  private before: Snapshot | null = null;
  private healthBefore = '';
  /** Up to where the rows of each topic have been told; none for a topic that nobody wants. */
  private readonly told = new Map<RowTopic, number>();
  private readonly asking = new Set<RowTopic>();

  constructor(
    private readonly hub: LiveHub,
    private readonly source: LiveSource,
  ) {}

  /** To be called once a second. */
  tick(): void {
    const { hub, source } = this;
    if (hub.clientCount === 0) {
      this.before = null;
      this.told.clear();
      return;
    }
    const now = source.snapshot();
    if (hub.isWanted('stats') && this.before !== null) hub.publish(this.stats(this.before, now));
    this.before = now;
    if (hub.isWanted('health')) this.tellHealth(now);
    for (const topic of ROW_TOPICS)
      if (hub.isWanted(topic)) void this.tellRows(topic);
      else this.told.delete(topic);
  }

  /** Tells a client that has just subscribed what the state is; the rest comes with the next change. */
  greet(client: LiveClient, topics: readonly LiveTopic[]): void {
    if (!topics.includes('health')) return;
    this.hub.send(client, healthMessage(this.source.judge(this.source.snapshot())));
  }

  private stats(before: Snapshot, now: Snapshot): LiveMessage {
    return LiveMessage.of('stats', 'stats', { ...statsBetween(before, now, this.source.nowUs()) });
  }

  private tellHealth(now: Snapshot): void {
    const health = this.source.judge(now);
    const summary = [health.status, ...health.reasons.map(({ code }) => code)].join(' ');
    if (summary === this.healthBefore) return;
    this.healthBefore = summary;
    this.hub.publish(healthMessage(health));
  }

  /** One question at a time for each topic: a slow database makes the stream late, and asks nothing twice. */
  private async tellRows(topic: RowTopic): Promise<void> {
    if (this.asking.has(topic)) return;
    this.asking.add(topic);
    try {
      let pages = 0;
      while ((await this.tellPage(topic)) && this.hub.isWanted(topic)) if (++pages === PAGES_MAX) await this.passOver(topic);
    } catch {
      // The health tells of a database that cannot be read; the next second asks again for what is missing.
    } finally {
      this.asking.delete(topic);
    }
  }

  /** Tells the next rows. Returns whether there may be more of them. */
  private async tellPage(topic: RowTopic): Promise<boolean> {
    const { rows, newest } = await this.source.rowsAfter(topic, this.told.get(topic) ?? null);
    this.told.set(topic, newest);
    for (let first = 0; first < rows.length; first += ROWS_AT_ONCE) {
      for (const row of rows.slice(first, first + ROWS_AT_ONCE)) this.hub.publish(LiveMessage.of(topic, ROW_TYPES[topic], row));
      await pause(ROWS_EVERY_MS);
    }
    return rows.length >= ROWS_PER_PAGE;
  }

  private async passOver(topic: RowTopic): Promise<void> {
    this.told.set(topic, (await this.source.rowsAfter(topic, null)).newest);
    this.hub.publish(LiveMessage.of(topic, 'skipped', { topic }));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function healthMessage({ status, reasons }: Health): LiveMessage {
  return LiveMessage.of('health', 'health', { status, reasons });
}
