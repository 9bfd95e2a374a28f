import type { Database } from 'better-sqlite3';
import type { Config } from '../../config.js';
import { Slot, SlotState, Table, TcpState } from '../../ring/layout.js';
import { ipv4Text, ipv6Text } from '../address-text.js';
import type { Chore } from '../chore.js';
import type { AlertBook } from './alert-book.js';
import { AlertKind } from './alert-kind.js';
import { ScanWatch, scanDetail } from './scan-watch.js';

const EVERY_MS = 10_000;
/** A connection that has not come about for so long is counted: its client has asked three times by then (RFC 6298 section 2.1). */
const UNANSWERED_US = 5e6;
/** Scans are told of what began within so long. */
const WINDOW_US = 60e6;
/** Hosts that are remembered as told of; at the limit all are forgotten, and the book counts them once more. */
const TOLD_MAX = 256;

type ScanOptions = Pick<Config, 'alertsPortScanTargets'>;

/**
 * Looks for scans among the flows that are open: where nobody answers, not even with a refusal, it takes them the idle timeout to become
 * rows, and `Alerts` sees them no sooner. In transactions of its own. Reads the slots where the parse workers keep them.
 */
export class OpenScans implements Chore {
  readonly name = 'scans';
  dueMs: number;
  private readonly tables: readonly Int32Array[];
  private targets: number;
  /** When each host was told of, µs. */
  private readonly toldUs = new Map<string, number>();

  constructor(
    private readonly db: Database,
    private readonly book: AlertBook,
    flowTables: readonly SharedArrayBuffer[],
    options: ScanOptions,
    nowMs: number,
  ) {
    this.tables = flowTables.map((table) => new Int32Array(table));
    this.targets = options.alertsPortScanTargets;
    this.dueMs = this.targets > 0 ? nowMs + EVERY_MS : Number.POSITIVE_INFINITY;
  }

  reconfigure({ alertsPortScanTargets }: ScanOptions): void {
    if (alertsPortScanTargets === this.targets) return;
    this.targets = alertsPortScanTargets;
    this.toldUs.clear();
    this.dueMs = this.targets > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  step(nowMs: number): void {
    this.dueMs = nowMs + EVERY_MS;
    const nowUs = nowMs * 1000;
    const scanners = this.find(nowUs).filter((address) => !(nowUs - (this.toldUs.get(address) ?? 0) < WINDOW_US));
    if (scanners.length === 0) return;
    this.db
      .transaction(() => {
        for (const address of scanners) this.book.raise(AlertKind.PortScan, address, scanDetail(address, this.targets), nowUs);
      })
      .immediate();
    if (this.toldUs.size + scanners.length > TOLD_MAX) this.toldUs.clear();
    for (const address of scanners) this.toldUs.set(address, nowUs);
  }

  /** Hosts that have tried too many targets lately. */
  private find(nowUs: number): string[] {
    const scanners: string[] = [];
    const watch = new ScanWatch(this.targets);
    for (const words of this.tables) {
      const floats = new Float64Array(words.buffer);
      const slotCount = words[Table.SlotCount] as number;
      for (let slot = 0; slot < slotCount; slot++) {
        const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
        const version = Atomics.load(words, word + Slot.Version);
        if (words[word + Slot.State] !== SlotState.Active || words[word + Slot.TcpState] !== TcpState.Attempt) continue;
        const ageUs = nowUs - (floats[(word >> 1) + Slot.SegmentUsF64] as number);
        if (ageUs < UNANSWERED_US || ageUs >= WINDOW_US || words[word + Slot.SegmentIndex] !== 0) continue;
        const ports = words[word + Slot.Ports] as number;
        const isFromLo = ((words[word + Slot.Initiator] as number) & 1) === 0;
        const src = word + (isFromLo ? Slot.AddressLo : Slot.AddressHi);
        const dst = word + (isFromLo ? Slot.AddressHi : Slot.AddressLo);
        const isScan = watch.add(numberOf(words, src), numberOf(words, dst), isFromLo ? ports & 0xffff : ports >>> 16, nowUs);
        if (!isScan) continue;
        const address = textOf(words, src, ((words[word + Slot.Protocol] as number) >>> 20) & 0xf);
        // The slot may have become another flow meanwhile.
        if (Atomics.load(words, word + Slot.Version) === version) scanners.push(address);
      }
    }
    return scanners;
  }
}

/** A number for the address at `word`; that two of IPv6 may have the same one is no matter. */
function numberOf(words: Int32Array, word: number): number {
  const high = Math.imul((words[word] as number) ^ Math.imul(words[word + 1] as number, 0x9e3779b1), 0x85ebca6b);
  const low = (words[word + 3] as number) ^ Math.imul(words[word + 2] as number, 0xc2b2ae35);
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

function textOf(words: Int32Array, word: number, version: number): string {
  return version === 6 ? ipv6Text(words, word) : ipv4Text(words[word + 3] as number);
}
