import type { Database } from 'better-sqlite3';
import { HostBlock } from '../../ring/host-block.js';
import { Host } from '../../ring/host-layout.js';
import type { DetailLevel } from '../budget/detail-level.js';

/** Page cache while memory is short, KiB: enough for the pages that a batch touches again and again. */
const CACHE_KIB_SMALL = 2048;

/** What main orders the writer to do less of, while it runs. */
export class HostOrders implements DetailLevel {
  private readonly host: HostBlock;
  private areCachesSmall = false;
  private choredMs = Number.NEGATIVE_INFINITY;
  /** As `PRAGMA cache_size` has it. */
  private readonly cacheSize: number;

  constructor(
    memory: SharedArrayBuffer,
    private readonly db: Database,
  ) {
    this.host = new HostBlock(memory);
    this.cacheSize = db.pragma('cache_size', { simple: true }) as number;
  }

  /** Gives the pages back that SQLite keeps in memory, or lets it keep them again. Outside of any transaction. */
  obey(): void {
    const areSmall = this.host.control(Host.AreCachesSmall) !== 0;
    if (areSmall === this.areCachesSmall) return;
    this.areCachesSmall = areSmall;
    this.db.pragma(`cache_size = ${areSmall ? -CACHE_KIB_SMALL : this.cacheSize}`);
    if (areSmall) this.db.pragma('shrink_memory');
  }

  /** Whether rollups are to be coarser, since memory is short. */
  get isCoarse(): boolean {
    return this.host.control(Host.AreRollupsCoarser) !== 0;
  }

  /** Whether a chore may have a slice now; times are those of the writer. A clock that was set back delays none. */
  mayChore(nowMs: number): boolean {
    const sinceMs = nowMs - this.choredMs;
    return sinceMs < 0 || sinceMs >= this.host.control(Host.ChoreIntervalMs);
  }

  /** A chore had a slice. */
  chored(nowMs: number): void {
    this.choredMs = nowMs;
  }
}
