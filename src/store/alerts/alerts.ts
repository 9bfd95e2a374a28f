import type { Database, Statement } from 'better-sqlite3';
import type { Config } from '../../config.js';
import { Slot, TcpState } from '../../ring/layout.js';
import { ADDRESS_ID_BASE } from '../addresses.js';
import type { RecordMemory } from '../flow-rings.js';
import { LocalNetworks, Place } from '../rollup/local-networks.js';
import { OVERFLOW_ID } from '../texts.js';
import { addressSql } from '../view-sql.js';
import { AlertBook } from './alert-book.js';
import { AlertKind } from './alert-kind.js';
import { KnownDestinations } from './known-destinations.js';
import { ScanWatch, scanDetail } from './scan-watch.js';

const HOUR_US = 3_600e6;

export type AlertOptions = Pick<
  Config,
  'alertsNewDevice' | 'alertsNewDestination' | 'alertsPortScanTargets' | 'alertsLearningHours' | 'storeLocalNetworks'
>;

/** Raises the alerts that rows tell of, as they are inserted. Has no transaction of its own. */
export class Alerts {
  readonly book: AlertBook;
  private scans: ScanWatch | null = null;
  private destinations: KnownDestinations | null = null;
  /** Before this, everything is new and nothing is news. */
  private learntUs = 0;
  private readonly createdUs: number;
  private readonly networks: LocalNetworks;
  private readonly findAddress: Statement<[number], string>;

  /** `isLive`: what an old capture holds is nobody's news. */
  constructor(
    private readonly db: Database,
    private options: AlertOptions,
    private readonly isLive: boolean,
  ) {
    this.book = new AlertBook(db);
    this.networks = new LocalNetworks(options.storeLocalNetworks);
    const created = db.prepare<[], string>(`SELECT value FROM meta WHERE key = 'created_us'`).pluck().get();
    this.createdUs = Number(created ?? 0);
    this.findAddress = db.prepare<[number], string>(`SELECT ${addressSql('ip')} FROM (SELECT ? AS ip)`).pluck();
    this.apply(options, 0);
  }

  /** Goes by other options from now on; what was counted of scans by another threshold is forgotten. */
  reconfigure(options: AlertOptions): void {
    this.apply(options, this.options.alertsPortScanTargets);
  }

  private apply(options: AlertOptions, targetsBefore: number): void {
    const { alertsPortScanTargets: targets } = options;
    this.options = options;
    if (targets !== targetsBefore) this.scans = targets > 0 ? new ScanWatch(targets) : null;
    this.destinations = options.alertsNewDestination ? (this.destinations ?? new KnownDestinations(this.db)) : null;
    this.learntUs = this.createdUs + options.alertsLearningHours * HOUR_US;
  }

  /**
   * The flow record whose slot starts at `word` was written with the id `id`, or left out; `src`, `dst` and `name` are those of its row.
   * Only the first segment of a flow is looked at, and nothing is told of the entries that stand for all others. Allocates nothing, but for a name that a device has not reached lately.
   */
  flow({ words }: RecordMemory, word: number, id: number, src: number, dst: number, dstPort: number, name: number | null): void {
    if (!this.isLive || words[word + Slot.SegmentIndex] !== 0 || src === ADDRESS_ID_BASE) return;
    const state = words[word + Slot.TcpState] as number;
    if (state === TcpState.Attempt || state === TcpState.Rejected) this.unanswered(src, dst, dstPort, id);
    else if (this.destinations !== null && name !== null && name !== OVERFLOW_ID && this.isFromUs(words, word))
      this.reached(src, name, id);
  }

  /** A host has tried a port at `us`, and had no answer but a refusal. */
  unanswered(src: number, dst: number, dstPort: number, us: number): void {
    if (this.isLive && this.scans?.add(src, dst, dstPort, us)) this.raiseScan(src, us);
  }

  /** A device of ours has reached a name, an id in `texts`, at `us`. */
  reached(src: number, name: number, us: number): void {
    const site = this.isLive ? this.destinations?.add(src, name) : null;
    if (site && us >= this.learntUs) this.raiseDestination(src, site, us);
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

  private isFromUs(words: Int32Array, word: number): boolean {
    const version = ((words[word + Slot.Protocol] as number) >> 20) & 0xf;
    const direction = (words[word + Slot.Initiator] as number) & 1;
    const src = word + (direction === 0 ? Slot.AddressLo : Slot.AddressHi);
    return this.networks.placeOf(version, words, src) === Place.Local;
  }

  private raiseScan(src: number, us: number): void {
    const address = this.addressOf(src);
    this.book.raise(AlertKind.PortScan, address, scanDetail(address, this.options.alertsPortScanTargets), us);
  }

  private raiseDestination(src: number, site: string, us: number): void {
    const address = this.addressOf(src);
    this.book.raise(AlertKind.NewDestination, `${address} ${site}`, `${address} has reached ${site} for the first time.`, us);
  }

  private addressOf(ip: number): string {
    return this.findAddress.get(ip) ?? 'an unknown address';
  }
}
