import type { Database } from 'better-sqlite3';
import type { Config } from '../../config.js';
import type { Chore } from '../chore.js';
import { top } from '../reader/analytics/top.js';
import type { AlertBook } from './alert-book.js';
import { AlertKind } from './alert-kind.js';

const EVERY_MS = 300_000;
const DAY_US = 86_400e6;
const MB = 1e6;
/** Devices that are looked at, those with the most traffic. */
const DEVICES_MAX = 20;

type QuotaOptions = Pick<Config, 'alertsQuotaMbPerDay'>;

/** Raises an alert for each device that has moved more than its share of today, once a day. In transactions of its own. */
export class QuotaWatch implements Chore {
  readonly name = 'quota';
  dueMs: number;
  /** What a device may move within a day, UTC; 0 watches nothing. */
  private bytesMax: number;
  private dayUs = 0;
  /** Devices that were told of today, by this quota. */
  private readonly told = new Set<string>();

  constructor(
    private readonly db: Database,
    private readonly book: AlertBook,
    options: QuotaOptions,
    nowMs: number,
  ) {
    this.bytesMax = bytesMaxOf(options);
    this.dueMs = this.bytesMax > 0 ? nowMs + EVERY_MS : Number.POSITIVE_INFINITY;
  }

  /** Goes by another quota, at once; by a larger one, devices may be told of once more. */
  reconfigure(options: QuotaOptions): void {
    const bytesMax = bytesMaxOf(options);
    if (bytesMax === this.bytesMax) return;
    if (bytesMax > this.bytesMax) this.told.clear();
    this.bytesMax = bytesMax;
    this.dueMs = bytesMax > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  step(nowMs: number): void {
    this.dueMs = nowMs + EVERY_MS;
    const nowUs = nowMs * 1000;
    const dayUs = nowUs - (nowUs % DAY_US);
    if (dayUs !== this.dayUs) this.told.clear();
    this.dayUs = dayUs;
    const { rows } = top(this.db, { subject: 'devices', fromUs: dayUs, toUs: nowUs, limit: DEVICES_MAX });
    const over = rows.filter(({ key, isRest, bytesOut, bytesIn }) => {
      return key !== null && !isRest && bytesOut + bytesIn > this.bytesMax && !this.told.has(key);
    });
    if (over.length === 0) return;
    this.db
      .transaction(() => {
        for (const { key, device, bytesOut, bytesIn } of over) {
          const name = device?.name ? `${device.name} (${key})` : key;
          const megabytes = Math.round((bytesOut + bytesIn) / MB);
          const detail = `${name} has moved ${megabytes} MB today, more than alerts.quota-mb-per-day.`;
          this.book.raise(AlertKind.Quota, key as string, detail, nowUs);
        }
      })
      .immediate();
    for (const { key } of over) this.told.add(key as string);
  }
}

function bytesMaxOf({ alertsQuotaMbPerDay: megabytes }: QuotaOptions): number {
  return megabytes * MB;
}
