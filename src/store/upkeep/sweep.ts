import type { Chore } from '../chore.js';
import type { Log } from '../trouble.js';
import type { IdMarks } from './id-marks.js';
import { Scan, type Scanning } from './scan.js';
import { dueMsAfter } from './schedule.js';
import type { Slices } from './slices.js';
import type { SweptIds } from './swept-ids.js';
import type { UpkeepNotes } from './upkeep-notes.js';

const DAY_MS = 86_400_000;
/** Between two looks whether a sweep is needed. */
const LOOK_MS = 3_600_000;
const TASK = 'sweep';
const POLL_MS = 2000;
/** Share of a table's cap above which it is swept, and above which there is haste. */
const SWEPT_SHARE = 0.5;
const HASTE_SHARE = 0.9;
/** A row that goes costs a page of the index on its text: one a second is half a megabyte a minute. */
const SLICE_MS = 60_000;
const ROWS_PER_SLICE = 60;
const HASTE_MS = 5_000;
const LOOK_PER_SLICE = 5_000;

/** A dimension table, and what else holds ids of it in memory. */
export interface SweptTable {
  readonly ids: SweptIds;
  readonly rowsMax: number;
  readonly alsoHeld: () => Iterable<number>;
}

/**
 * Deletes texts and addresses that no row refers to any more, once a table is half full, or when sums go for want of room: at most one
 * sweep a day. A scan marks what rows refer to; what the writer holds it marks itself; what is left goes a few rows at a time, so that it
 * takes hours and costs the card next to nothing. A sweep that is broken off begins again a day later.
 */
export class Sweep implements Chore, Scanning {
  readonly name = 'sweep';
  dueMs: number;
  private scan: Scan | null = null;
  private tables: readonly (SweptTable & { readonly marks: IdMarks })[] = [];
  private index = 0;
  private id = 0;
  private removed = 0;
  private isForRoom = false;

  /** `takeNeed` tells whether there is need of room, once. */
  constructor(
    private readonly path: string,
    private readonly swept: { readonly texts: SweptTable; readonly addresses: SweptTable },
    private readonly takeNeed: () => boolean,
    private readonly notes: UpkeepNotes,
    private readonly slices: Slices,
    private readonly scanFile: URL,
    private readonly log: Log,
    nowMs: number,
  ) {
    this.dueMs = dueMsAfter(notes.read(TASK)?.doneUs ?? 0, DAY_MS, nowMs);
  }

  step(nowMs: number, budgetMs: number): void {
    if (this.tables.length === 0) this.begin(nowMs);
    else if (this.scan !== null) this.take(nowMs, this.scan);
    else this.remove(nowMs, budgetMs);
  }

  get isScanning(): boolean {
    return this.scan?.result === null;
  }

  stop(): void {
    this.scan?.stop();
  }

  private begin(nowMs: number): void {
    this.dueMs = nowMs + LOOK_MS;
    const { texts, addresses } = this.swept;
    this.isForRoom = this.takeNeed();
    if (!this.isForRoom && shareOf(texts) < SWEPT_SHARE && shareOf(addresses) < SWEPT_SHARE) return;
    this.notes.write(TASK, nowMs * 1000, 'begun');
    const marked = [texts, addresses].map((table) => ({ ...table, marks: table.ids.begin(table.alsoHeld()) }));
    const [ofTexts, ofAddresses] = marked.map(({ marks }) => marks.range) as [IdMarks['range'], IdMarks['range']];
    this.tables = marked;
    this.index = 0;
    this.id = -1;
    this.removed = 0;
    this.scan = new Scan({ type: 'mark', path: this.path, texts: ofTexts, addresses: ofAddresses }, this.scanFile);
    this.dueMs = nowMs + POLL_MS;
  }

  private take(nowMs: number, { result }: Scan): void {
    this.dueMs = nowMs + POLL_MS;
    if (result === null) return;
    this.scan = null;
    if (result.type !== 'mark') {
      if (result.type === 'failed') this.log('warn', `sweep: the file could not be scanned: ${result.message}`);
      this.end(nowMs);
      return;
    }
    this.tables[0]?.marks.addAll(result.texts);
    this.tables[1]?.marks.addAll(result.addresses);
  }

  private remove(nowMs: number, budgetMs: number): void {
    const table = this.tables[this.index];
    if (table === undefined) {
      this.log('info', `sweep: ${this.removed} texts and addresses were deleted that nothing refers to`);
      this.notes.write(TASK, nowMs * 1000, `${this.removed} deleted`);
      this.end(nowMs);
      return;
    }
    let removed = 0;
    this.slices.run(budgetMs, () => {
      const swept = table.ids.sweep(this.id, LOOK_PER_SLICE, ROWS_PER_SLICE);
      removed = swept.removed;
      if (swept.id === null) this.index++;
      this.id = swept.id ?? -1;
      return 0;
    });
    this.removed += removed;
    this.dueMs = removed === 0 ? nowMs : nowMs + (this.isForRoom || shareOf(table) > HASTE_SHARE ? HASTE_MS : SLICE_MS);
  }

  private end(nowMs: number): void {
    for (const { ids } of this.tables) ids.end();
    this.tables = [];
    this.dueMs = nowMs + DAY_MS;
  }
}

function shareOf({ ids, rowsMax }: SweptTable): number {
  return ids.rowsStored / rowsMax;
}
