import type { Database } from 'better-sqlite3';
import { Cell, type ThreadBlock } from '../../ring/thread-block.js';
import type { Chore } from '../chore.js';
import type { Log } from '../trouble.js';
import { Scan, type Scanning } from './scan.js';
import { dueMsAfter } from './schedule.js';
import type { UpkeepNotes } from './upkeep-notes.js';

const DAY_MS = 86_400_000;
/** How often a check that runs is asked whether it has ended. */
const POLL_MS = 1000;
/** When a check comes again that was in the way. */
const STOPPED_MS = 3_600_000;
const OK = 'ok';

type Pragma = 'quick_check' | 'integrity_check';

/** Days between two checks; 0: never. */
export interface CheckDays {
  readonly quick: number;
  readonly full: number;
}

/**
 * Has the file checked: every so many days without its indexes (`quick_check`), more rarely with them (`integrity_check`). Results
 * and times are kept in the file, and shown in the block.
 */
export class FileChecks implements Chore, Scanning {
  readonly name = 'file check';
  dueMs: number;
  /** When each check was done last, µs since 1970; before the first, when the file was made. */
  private readonly doneUs: Record<Pragma, number>;
  private dues!: Record<Pragma, number>;
  private running: { readonly scan: Scan; readonly pragma: Pragma } | null = null;

  constructor(
    private readonly db: Database,
    private days: CheckDays,
    private readonly notes: UpkeepNotes,
    private readonly block: ThreadBlock,
    private readonly scanFile: URL,
    private readonly log: Log,
    nowMs: number,
  ) {
    const createdUs = Number(db.prepare<[], string>(`SELECT value FROM meta WHERE key = 'created_us'`).pluck().get() ?? 0);
    const [quick, full] = [notes.read('quick_check'), notes.read('integrity_check')];
    this.doneUs = { quick_check: quick?.doneUs ?? createdUs, integrity_check: full?.doneUs ?? createdUs };
    const last = quick && full ? (quick.doneUs > full.doneUs ? quick : full) : (quick ?? full);
    if (last) this.show(last.doneUs, last.result);
    this.dueMs = this.plan(nowMs);
  }

  /** Goes by other pauses from now on; a check that runs is not broken off. */
  adjust(days: CheckDays, nowMs: number): void {
    if (days.quick === this.days.quick && days.full === this.days.full) return;
    this.days = days;
    const dueMs = this.plan(nowMs);
    if (this.running === null) this.dueMs = dueMs;
  }

  /** Sets when the checks are due, and answers when the next one is. */
  private plan(nowMs: number): number {
    const dueOf = (doneUs: number, days: number): number =>
      days === 0 ? Number.POSITIVE_INFINITY : dueMsAfter(doneUs, days * DAY_MS, nowMs);
    this.dues = {
      quick_check: dueOf(this.doneUs.quick_check, this.days.quick),
      integrity_check: dueOf(this.doneUs.integrity_check, this.days.full),
    };
    return Math.min(...Object.values(this.dues));
  }

  step(nowMs: number): void {
    if (this.running === null) this.begin(nowMs);
    else if (this.running.scan.result !== null) this.end(nowMs, this.running);
    this.dueMs = this.running === null ? Math.min(...Object.values(this.dues)) : nowMs + POLL_MS;
  }

  get isScanning(): boolean {
    return this.running?.scan.result === null;
  }

  stop(): void {
    this.running?.scan.stop();
  }

  private begin(nowMs: number): void {
    // The full check finds all that the quick one does.
    const pragma = this.dues.integrity_check <= nowMs ? 'integrity_check' : 'quick_check';
    this.running = { scan: new Scan({ type: 'check', path: this.db.name, pragma }, this.scanFile), pragma };
  }

  private end(nowMs: number, { scan, pragma }: NonNullable<typeof this.running>): void {
    this.running = null;
    const { result } = scan;
    const isDone = result?.type === 'check';
    const againMs = result?.type === 'stopped' ? STOPPED_MS : DAY_MS;
    const nextMs = (days: number): number => (days === 0 ? Number.POSITIVE_INFINITY : nowMs + (isDone ? days * DAY_MS : againMs));
    if (pragma === 'integrity_check') this.dues.integrity_check = nextMs(this.days.full);
    this.dues.quick_check = nextMs(this.days.quick);
    if (result?.type === 'failed') this.log('warn', `${pragma}: the file could not be checked: ${result.message}`);
    if (result?.type === 'stopped') this.log('info', `${pragma}: put off by an hour, since much is written`);
    if (!isDone) return;
    this.doneUs.quick_check = nowMs * 1000;
    if (pragma === 'integrity_check') this.doneUs.integrity_check = nowMs * 1000;
    const text = result.faults.length === 0 ? OK : result.faults.join('; ');
    this.notes.write(pragma, nowMs * 1000, text);
    this.show(nowMs * 1000, text);
    if (text === OK) this.log('info', `${pragma}: the file is sound`);
    else this.log('error', `database ${this.db.name}: ${pragma} found: ${text}`, { code: 'DATABASE_DAMAGED' });
  }

  private show(doneUs: number, result: string): void {
    this.block.cells[Cell.FileCheckedUs] = doneUs;
    this.block.cells[Cell.FileDamaged] = result === OK ? 0 : 1;
  }
}
