import type { Database, Statement } from 'better-sqlite3';
import type { Config } from '../../config.js';
import { addressSql } from '../view-sql.js';
import { AlertBook } from './alert-book.js';
import { AlertKind } from './alert-kind.js';
import { KnownDestinations } from './known-destinations.js';
import { ScanWatch } from './scan-watch.js';

const HOUR_US = 3_600e6;

export type AlertOptions = Pick<
  Config,
  'alertsNewDevice' | 'alertsNewDestination' | 'alertsPortScanTargets' | 'alertsLearningHours'
>;

/** Raises the alerts that rows tell of, as they are inserted. Has no transaction of its own. */
export class Alerts {
  readonly book: AlertBook;
  private readonly scans: ScanWatch | null;
  private readonly destinations: KnownDestinations | null;
  /** Before this, everything is new and nothing is news. */
  private readonly learntUs: number;
  private readonly findAddress: Statement<[number], string>;

  /** `isLive`: what an old capture holds is nobody's news. */
  constructor(
    db: Database,
    private readonly options: AlertOptions,
    private readonly isLive: boolean,
  ) {
    this.book = new AlertBook(db);
    this.scans = options.alertsPortScanTargets > 0 ? new ScanWatch(options.alertsPortScanTargets) : null;
    this.destinations = options.alertsNewDestination ? new KnownDestinations(db) : null;
    const created = db.prepare<[], string>(`SELECT value FROM meta WHERE key = 'created_us'`).pluck().get();
    this.learntUs = Number(created ?? 0) + options.alertsLearningHours * HOUR_US;
    this.findAddress = db.prepare<[number], string>(`SELECT ${addressSql('ip')} FROM (SELECT ? AS ip)`).pluck();
  }

  /**
   * A flow was written at `us`: `src` and `dst` are addresses as in the row, `name` an id in `texts`. `isUnanswered`: the other side has
   * not sent anything but a refusal. `isFromUs`: a device of ours began it.
   */
  flow(
    src: number,
    dst: number,
    dstPort: number,
    name: number | null,
    isUnanswered: boolean,
    isFromUs: boolean,
    us: number,
  ): void {
    if (!this.isLive) return;
    if (isUnanswered) {
      if (this.scans?.add(src, dst, dstPort, us)) this.raiseScan(src, us);
    } else if (isFromUs && name !== null && this.destinations !== null) {
      const site = this.destinations.add(src, name);
      if (site !== null && us >= this.learntUs) this.raiseDestination(src, site, us);
    }
  }

  /** A device was seen at `us` whose hardware address is new; `vendor` and `ip` as far as they are known. */
  device(mac: string, vendor: string | null, ip: number | null, us: number): void {
    if (!this.isLive || !this.options.alertsNewDevice || us < this.learntUs) return;
    const where = ip === null ? '' : ` with the address ${this.addressOf(ip)}`;
    const detail = `A new device${where}: ${mac}, ${vendor ?? 'of no registered vendor'}.`;
    this.book.raise(AlertKind.NewDevice, mac, detail, us);
  }

  /** Rows were rolled back, or nobody knows. */
  revert(): void {
    this.book.revert();
    this.destinations?.revert();
  }

  private raiseScan(src: number, us: number): void {
    const address = this.addressOf(src);
    const { alertsPortScanTargets: targets } = this.options;
    const detail = `${address} tried about ${targets} ports or hosts within a minute and had no answer.`;
    this.book.raise(AlertKind.PortScan, address, detail, us);
  }

  private raiseDestination(src: number, site: string, us: number): void {
    const address = this.addressOf(src);
    this.book.raise(AlertKind.NewDestination, `${address} ${site}`, `${address} has reached ${site} for the first time.`, us);
  }

  private addressOf(ip: number): string {
    return this.findAddress.get(ip) ?? 'an unknown address';
  }
}
