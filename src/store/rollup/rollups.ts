import type { Database, Statement } from 'better-sqlite3';
import type { DetailLevel } from '../budget/detail-level.js';
import { type Accumulator, NO_KEY } from './accumulator.js';
import { DnsSums } from './dns-sums.js';
import { StoredFlows, sampleRecord } from './flow-sample.js';
import { FlowSums } from './flow-sums.js';
import { FollowedTable } from './followed-table.js';
import { Level, MINUTE_US } from './levels.js';
import { LocalNetworks } from './local-networks.js';
import { RollupTable } from './rollup-table.js';

/**
 * Rows that are in memory and not in the rollups, flows and transactions together; then they are flushed before the minute is over. So
 * many rows at most are read again after the writer was killed, half a second's work.
 */
const PENDING_MAX = 50_000;
/** Minutes that share a row while rollups are coarse. */
const MINUTES_COARSE = 10;
/** Rows that the end of a session reads again, of those that no chore came to. The next session takes the others. */
const ROWS_AT_END_MAX = 200_000;

type DnsRow = readonly [
  id: number,
  seenUs: number,
  client: number,
  transport: number,
  code: number | null,
  latencyUs: number | null,
];
const DNS_SQL = 'SELECT id, id - seen_age_us, client, transport, code, latency_us FROM dns WHERE id > ? ORDER BY id LIMIT ?';

/**
 * Keeps the rollups by minute: adds up the rows of `flows` and `dns` as they are inserted, and writes the sums about once a minute, in
 * the transaction of a batch. Hours and days are folded from them by `Folding`. Has no transaction of its own but in `catchUp`.
 */
export class Rollups {
  private readonly networks: LocalNetworks;
  private readonly flows: FollowedTable;
  private readonly dns: FollowedTable;
  private readonly flowSums: FlowSums;
  private readonly dnsSums: DnsSums;
  private readonly flowTables: readonly RollupTable[];
  private readonly dnsTables: readonly RollupTable[];
  private readonly storedFlows: StoredFlows;
  private readonly storedDns: Statement<[number, number], DnsRow>;
  /** Flows in memory that have no row. */
  private readonly shed = { flows: 0, packets: 0, bytes: 0 };
  private readonly addShed: Statement<[number, number, number]>;
  private writing: DetailLevel = { isCoarse: false };
  private keeping: DetailLevel = { isCoarse: false };
  /** Time of the newest row in memory, minutes since 1970. */
  private minute = 0;

  constructor(
    private readonly db: Database,
    localNetworks: string,
  ) {
    this.networks = new LocalNetworks(localNetworks);
    this.flows = new FollowedTable(db, 'flows');
    this.dns = new FollowedTable(db, 'dns');
    this.flowSums = new FlowSums(() => this.makeRoom(this.flows));
    this.dnsSums = new DnsSums(() => this.makeRoom(this.dns));
    this.flowTables = this.flowSums.accumulators.map(({ kind }) => new RollupTable(db, kind, Level.Minute));
    this.dnsTables = this.dnsSums.accumulators.map(({ kind }) => new RollupTable(db, kind, Level.Minute));
    this.storedFlows = new StoredFlows(db, this.networks);
    this.storedDns = db.prepare<[number, number], DnsRow>(DNS_SQL).raw() as unknown as Statement<[number, number], DnsRow>;
    this.addShed = db.prepare<[number, number, number]>(
      "UPDATE rollup_state SET flows = flows + ?, packets = packets + ?, bytes = bytes + ? WHERE table_name = 'shed'",
    );
    this.revert();
  }

  /** Whether rows are in memory that a flush would write. */
  get hasPending(): boolean {
    return this.flows.pending + this.dns.pending > 0;
  }

  /** Whether rows are in the tables that are neither in the rollups nor in memory. */
  get isBehind(): boolean {
    return this.flows.isBehind || this.dns.isBehind;
  }

  /**
   * Adds the row of `flows` that is being inserted with this id, of the record whose slot starts at `word`; application and name are
   * null for none. One that is shed has no row. Tells whether it was added: a shed one is not while rows are read again. Allocates
   * nothing.
   */
  addFlow(
    words: Int32Array,
    doubles: Float64Array,
    word: number,
    id: number,
    src: number,
    dst: number,
    application: number | null,
    name: number | null,
    isShed: boolean,
  ): boolean {
    if (!(isShed ? this.flows.takesShed() : this.flows.takes(id))) return false;
    this.noteTime(id);
    const { sample } = this.flowSums;
    const number = application === null ? NO_KEY : application >> 1;
    sampleRecord(sample, this.networks, words, doubles, word, src, dst, number, name ?? NO_KEY);
    this.flowSums.add();
    return true;
  }

  /** The flow that was just added has no row: it is counted apart, so that rollups and rows can be compared. */
  countShed(packets: number, bytes: number): void {
    this.shed.flows++;
    this.shed.packets += packets;
    this.shed.bytes += bytes;
  }

  /**
   * Goes by these from now on. While either is coarse, ten minutes have one row together, which a long flow takes instead of one for each
   * of its minutes. What is written (`writing`) then waits until they are over; what is kept in memory (`keeping`) does not.
   */
  follow(writing: DetailLevel, keeping: DetailLevel): void {
    this.writing = writing;
    this.keeping = keeping;
  }

  /** Adds the row of `dns` that is being inserted with this id; `code` and `latencyUs` are negative without an answer. */
  addDns(id: number, seenUs: number, client: number, transport: number, code: number, latencyUs: number): void {
    if (!this.dns.takes(id)) return;
    this.noteTime(id);
    this.dnsSums.add(seenUs, client, transport, code, latencyUs);
  }

  /** All rows of the open transaction are inserted: flushes if it is time, or if `isMinuteOver`. */
  finish(isMinuteOver: boolean): void {
    const { flows, dns } = this;
    const minutes = this.writing.isCoarse ? MINUTES_COARSE : 1;
    const isDue =
      (isMinuteOver && (this.minute + 1) % minutes === 0) ||
      flows.isUrgent ||
      dns.isUrgent ||
      flows.pending + dns.pending >= PENDING_MAX;
    if (isDue && this.hasPending) this.flush();
  }

  /** The session ends, in the open transaction: flushes, and reads again what no chore came to. */
  end(): void {
    if (this.hasPending) this.flush();
    for (let rows = 0; rows < ROWS_AT_END_MAX && this.isBehind; rows += PENDING_MAX) this.readAgain(PENDING_MAX);
  }

  /** Rows were rolled back, or it is in doubt whether they are committed: forgets what is in memory. */
  revert(): void {
    this.forgetShed();
    this.flowSums.clear();
    this.dnsSums.clear();
    for (const table of [...this.flowTables, ...this.dnsTables]) table.revert();
    this.flows.resume();
    this.dns.resume();
  }

  /** Reads rows again, at most about `rowsMax`, in a transaction of its own. Throws what SQLite throws; nothing has changed then. */
  catchUp(rowsMax: number): void {
    try {
      this.db.transaction(() => this.readAgain(rowsMax)).immediate();
    } catch (error) {
      this.revert();
      throw error;
    }
  }

  private readAgain(rowsMax: number): void {
    if (this.flows.isBehind) {
      const rows = this.storedFlows.after(this.flows.foldedId, rowsMax);
      for (const row of rows) {
        this.noteTime(row[0]);
        this.storedFlows.put(this.flowSums.sample, row);
        this.flowSums.add();
      }
      this.flows.caughtUp(rows.at(-1)?.[0] ?? this.flows.foldedId, rows.length < rowsMax);
    }
    if (this.dns.isBehind) {
      const rows = this.storedDns.all(this.dns.foldedId, rowsMax);
      for (const [id, seenUs, client, transport, code, latencyUs] of rows) {
        this.noteTime(id);
        this.dnsSums.add(seenUs, client, transport, code ?? -1, latencyUs ?? -1);
      }
      this.dns.caughtUp(rows.at(-1)?.[0] ?? this.dns.foldedId, rows.length < rowsMax);
    }
    this.flush();
  }

  private forgetShed(): void {
    this.shed.flows = 0;
    this.shed.packets = 0;
    this.shed.bytes = 0;
  }

  private noteTime(id: number): void {
    const minute = Math.floor(id / MINUTE_US);
    if (minute > this.minute) this.minute = minute;
  }

  /** An accumulator is full: writes a part, which the open transaction must complete. */
  private makeRoom(followed: FollowedTable): void {
    followed.isUrgent = true;
    this.write();
  }

  private flush(): void {
    this.write();
    const { shed } = this;
    if (shed.flows > 0) this.addShed.run(shed.flows, shed.packets, shed.bytes);
    this.forgetShed();
    const minutes = this.writing.isCoarse || this.keeping.isCoarse ? MINUTES_COARSE : 1;
    this.flowSums.minutes = minutes;
    this.dnsSums.minutes = minutes;
    this.flows.flushed();
    this.dns.flushed();
    this.minute = 0;
  }

  private write(): void {
    this.flowSums.derive();
    this.writeTables(this.flowTables, this.flowSums.accumulators);
    this.writeTables(this.dnsTables, this.dnsSums.accumulators);
  }

  private writeTables(tables: readonly RollupTable[], accumulators: readonly Accumulator[]): void {
    tables.forEach((table, index) => {
      table.write(accumulators[index] as Accumulator, this.minute);
    });
  }
}
