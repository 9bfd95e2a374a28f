import type { Database } from 'better-sqlite3';
import type { Config } from '../../config.js';
import { Cell, type ThreadBlock } from '../../ring/thread-block.js';
import { ADDRESSES_MAX } from '../addresses.js';
import type { Chore } from '../chore.js';
import type { RecordRows } from '../record-rows.js';
import { TEXTS_MAX } from '../texts.js';
import type { Log } from '../trouble.js';
import { AgeGuard } from './age-guard.js';
import { agingRows } from './aging-rows.js';
import { Checkpoints } from './checkpoints.js';
import { type CheckDays, FileChecks } from './file-checks.js';
import { FileRoom, fileBytesMaxOf, type RoomLimits, walBytes } from './file-room.js';
import { Optimize } from './optimize.js';
import { Retention, type RetentionRows } from './retention.js';
import { type RetentionDays, retentionRows } from './retention-rows.js';
import { SCAN_FILE, type Scanning } from './scan.js';
import { Slices } from './slices.js';
import { Sweep } from './sweep.js';
import { UpkeepNotes } from './upkeep-notes.js';

/** What the upkeep of a database needs to know of its writer. */
export interface UpkeepSetup {
  readonly config: Config;
  /** A replay tells times by its packets and deletes nothing for its age; nor does it last long enough for checks. */
  readonly mode: 'live' | 'replay';
  readonly writer: ThreadBlock;
  readonly capture: ThreadBlock;
  readonly records: RecordRows;
  readonly log: Log;
  /** The program of scans; where there is none, the one that was built with this file. */
  readonly scanFile?: URL | undefined;
}

/** Each takes as long as the connection waits for readers. */
const CLEARINGS_MAX = 5;

const DAYS = ['retentionFlowsDays', 'retentionMinutesDays', 'retentionHoursDays'] as const satisfies (keyof RetentionDays)[];

function checkDaysOf({ maintenanceQuickCheckDays: quick, maintenanceFullCheckDays: full }: Config): CheckDays {
  return { quick, full };
}

/** What keeps a database within its limits and in order, as chores of its writer. */
export class Upkeep {
  readonly chores: readonly Chore[];
  private readonly retention: Retention;
  /** Looks whether there is room for the next batches, and makes some where there is not. For each batch; it is never due by itself. */
  readonly makingRoom: Chore;
  /** Ends a scan that lets the write-ahead log grow, and begins the log anew. After each write; it is never due by itself. */
  readonly clearingLog: Chore;
  private readonly scanning: readonly Scanning[];
  /** Attempts that are left to begin the log anew after a scan was ended. */
  private clearings = 0;
  private readonly room: FileRoom;
  private readonly checkpoints: Checkpoints | null = null;
  private readonly checks: FileChecks | null = null;
  private readonly records: RecordRows;
  /** Pages of the write-ahead log that the connection was opened with. */
  private readonly openedPages: number;
  private config: Config;
  private fileBytesMax: number;

  /** `nowMs` is the session's clock. Sets pragmas of the connection. */
  constructor(
    private readonly db: Database,
    setup: UpkeepSetup,
    nowMs: number,
  ) {
    const { config, mode, writer, capture, records, log, scanFile = SCAN_FILE } = setup;
    this.config = config;
    this.records = records;
    const slices = new Slices(db, writer);
    const notes = new UpkeepNotes(db);
    this.fileBytesMax = fileBytesMaxOf(db.name, config.retentionFileBytesMax);
    const room = new FileRoom(db, this.roomLimits(config));
    this.room = room;
    this.openedPages = db.pragma('wal_autocheckpoint', { simple: true }) as number;
    db.pragma(`wal_autocheckpoint = ${this.checkpointPages}`);
    this.makingRoom = {
      name: 'retention',
      dueMs: Number.POSITIVE_INFINITY,
      step: (_, budgetMs) => this.retention.makeRoomNow(budgetMs),
    };
    this.clearingLog = { name: 'checkpoint', dueMs: Number.POSITIVE_INFINITY, step: () => this.stopScans() };
    const isLive = mode === 'live';
    const guard = new AgeGuard(db, notes, nowMs * 1000);
    const clockOffsetMs = (): number => capture.cell(Cell.ClockOffsetMs);
    const ages = isLive ? { guard, clockOffsetMs } : null;
    this.retention = new Retention(this.rowsFor(config), room, slices, ages, writer, log, nowMs);
    records.dimensions.isFull = () => this.retention.isFull;
    if (!isLive) {
      this.chores = [this.retention];
      this.scanning = [];
      return;
    }
    const checks = new FileChecks(db, checkDaysOf(config), notes, writer, scanFile, log, nowMs);
    const { texts, addresses } = records.dimensions;
    const swept = {
      texts: { ids: texts.swept, rowsMax: TEXTS_MAX, alsoHeld: () => records.names.nameIds },
      addresses: { ids: addresses.swept, rowsMax: ADDRESSES_MAX, alsoHeld: () => [] },
    };
    const takeNeed = (): boolean => this.retention.takeNeed();
    const sweep = new Sweep(db.name, swept, takeNeed, notes, slices, scanFile, log, nowMs);
    const checkpoints = new Checkpoints(db, config.maintenanceCheckpointS * 1000, room.walBytesMax, slices, writer, nowMs);
    this.chores = [this.retention, checkpoints, new Optimize(db, notes, slices, nowMs), checks, sweep];
    this.scanning = [checks, sweep];
    this.checkpoints = checkpoints;
    this.checks = checks;
  }

  /** Goes by other limits, ages and pauses from now on. A limit that is half of what was free at the start stays what it is. */
  reconfigure(config: Config, nowMs: number): void {
    const before = this.config;
    this.config = config;
    const { retentionFileBytesMax: given } = config;
    if (given !== before.retentionFileBytesMax) this.fileBytesMax = fileBytesMaxOf(this.db.name, given);
    this.room.adjust(this.roomLimits(config));
    this.retention.adjust(DAYS.some((name) => config[name] !== before[name]) ? this.rowsFor(config) : null);
    this.checkpoints?.adjust(config.maintenanceCheckpointS * 1000, this.room.walBytesMax);
    this.checks?.adjust(checkDaysOf(config), nowMs);
  }

  /** Pages of the write-ahead log after which a commit is to move it into the file at the latest. */
  get checkpointPages(): number {
    return Math.min(this.openedPages, this.room.checkpointPages);
  }

  private roomLimits({ retentionFreeBytesMin: freeBytesMin, batchRowsMax }: Config): RoomLimits {
    return { fileBytesMax: this.fileBytesMax, freeBytesMin, batchRowsMax };
  }

  private rowsFor(config: Config): RetentionRows {
    return retentionRows(this.db, config, agingRows(this.db), () => this.records.devices.recount());
  }

  /** Whether there was no room at the last look, and there is something that may go. */
  get isRoomShort(): boolean {
    return this.retention.isUrgent;
  }

  /**
   * A scan is a long reader: when so much is written that it lets the log grow, it comes again later. Its process takes a moment to end,
   * in which the next writes would make the log longer still, so that is waited for; but not for readers that stay.
   */
  private stopScans(): void {
    if (walBytes(this.db.name) <= this.room.walBytesMax / 2) return;
    if (this.scanning.some(({ isScanning }) => isScanning)) {
      this.stop();
      this.clearings = CLEARINGS_MAX;
    }
    if (this.clearings === 0) return;
    this.clearings = this.checkpoints?.truncate() ? 0 : this.clearings - 1;
  }

  /** Ends what runs beside the writer. */
  stop(): void {
    for (const scanning of this.scanning) scanning.stop();
  }
}
