/** The tables that rows name by number, as far as new entries cost writes. */
interface EntrySource {
  /** Entries added since the start; those of a batch that was rolled back may be among them. */
  readonly entriesAdded: number;
  /** Pages that a new entry may fall into. */
  readonly entryPages: number;
  /** True: what has no entry is given none, and is named by the entry for all others. */
  set isClosed(isClosed: boolean);
}

const PAGE_BYTES = 4096;

/**
 * Goes through one batch with what it may write: tells of each flow whether its row is left out, and of the batch whether it has to
 * end. A row costs what rows have cost lately. A new name or address changes a page of its own until all pages of the index are
 * changed.
 */
export class Shedder {
  /** Rows of flows, and records of other kinds, that the batch has kept. */
  kept = 0;
  private isShedding = false;
  private keepRatio = 1;
  private share = 0;
  private creditBytes = Number.POSITIVE_INFINITY;
  private rowBytes = 0;
  private entriesAdded = 0;
  private pagesLeft = 0;

  constructor(private readonly entries: EntrySource) {}

  /** Whether the batch has used up what it may write, and the rest has to wait. */
  get isFull(): boolean {
    return this.creditBytes <= 0 && !this.isShedding && this.kept > 0;
  }

  /** The next batch may write `creditBytes`, with rows of about `rowBytes`; what does not fit waits. */
  allow(creditBytes: number, rowBytes: number): void {
    this.isShedding = false;
    this.start(creditBytes, rowBytes);
  }

  /** The same, but nothing waits: of each 1 / `keepRatio` flows one row is written, as long as the credit lasts. */
  shed(creditBytes: number, rowBytes: number, keepRatio: number): void {
    this.isShedding = true;
    this.keepRatio = keepRatio;
    this.start(creditBytes, rowBytes);
  }

  /** Whether the next record is left out. Allocates nothing. */
  isShed(): boolean {
    if (!this.isShedding) return false;
    this.share += this.keepRatio;
    const isKept = this.share >= 1 && this.creditBytes > 0;
    if (isKept) this.share -= 1;
    else if (this.share > 1) this.share = 1;
    this.entries.isClosed = !isKept;
    return !isKept;
  }

  /** That record was written. */
  wrote(): void {
    this.kept++;
    this.creditBytes -= this.rowBytes;
    const { entriesAdded } = this.entries;
    const pages = Math.min(entriesAdded - this.entriesAdded, this.pagesLeft);
    this.entriesAdded = entriesAdded;
    this.pagesLeft -= pages;
    this.creditBytes -= pages * PAGE_BYTES;
  }

  /** The batch is over: whatever comes outside of one is kept. */
  end(): void {
    this.isShedding = false;
    this.entries.isClosed = false;
  }

  private start(creditBytes: number, rowBytes: number): void {
    this.kept = 0;
    this.creditBytes = creditBytes;
    this.rowBytes = rowBytes;
    this.entriesAdded = this.entries.entriesAdded;
    this.pagesLeft = this.entries.entryPages;
    this.entries.isClosed = false;
  }
}
