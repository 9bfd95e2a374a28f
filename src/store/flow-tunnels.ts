import type { Database, Statement } from 'better-sqlite3';
import { Slot, TunnelBit } from '../ring/layout.js';
import type { Addresses } from './addresses.js';

/** Columns of `flow_tunnels`, in the order of the table. */
const enum Column {
  Id = 0,
  Type,
  TunnelId,
  Src,
  Dst,
  Count,
}

/** Rows per statement; see `FlowRows`. */
const ROWS_PER_STATEMENT = 32;

type Values = (number | null)[];

/** Writes the tunnels of flows that came in one, several rows per statement. Has no transaction of its own. */
export class FlowTunnels {
  private readonly insertMany: Statement<Values>;
  private readonly insertOne: Statement<Values>;
  /** Values of the rows that are not inserted yet. */
  private readonly values: Values = new Array<number | null>(ROWS_PER_STATEMENT * Column.Count).fill(0);
  private filled = 0;

  constructor(
    db: Database,
    private readonly addresses: Addresses,
  ) {
    const tuple = `(${new Array(Column.Count).fill('?').join()})`;
    this.insertMany = db.prepare<Values>(`INSERT INTO flow_tunnels VALUES ${new Array(ROWS_PER_STATEMENT).fill(tuple).join()}`);
    this.insertOne = db.prepare<Values>(`INSERT INTO flow_tunnels VALUES ${tuple}`);
  }

  /** Starts a batch; what an abandoned one has left is forgotten. */
  begin(): void {
    this.filled = 0;
  }

  /**
   * Adds the tunnel of the flow record that starts at `word`, whose row has the id `id` and whose initiator sends in `direction`. The
   * tunnel's source is at the initiator's end, as that of the flow, whoever sent the first packet.
   */
  add(id: number, words: Int32Array, word: number, direction: number): void {
    const tunnel = words[word + Slot.Tunnel] as number;
    const values = this.values;
    const at = this.filled;
    values[at + Column.Id] = id;
    values[at + Column.Type] = tunnel & TunnelBit.TypeMask;
    values[at + Column.TunnelId] = (tunnel & TunnelBit.HasId) === 0 ? null : (words[word + Slot.TunnelId] as number) >>> 0;
    const version = tunnel >> TunnelBit.IpVersion;
    const isTurned = ((tunnel & TunnelBit.IsFromHi) !== 0) !== (direction === 1);
    values[at + Column.Src] = this.addressOf(words, word + (isTurned ? Slot.TunnelDst : Slot.TunnelSrc), version);
    values[at + Column.Dst] = this.addressOf(words, word + (isTurned ? Slot.TunnelSrc : Slot.TunnelDst), version);
    this.filled = at + Column.Count;
    if (this.filled === values.length) {
      this.insertMany.run(...values);
      this.filled = 0;
    }
  }

  /** Inserts the rows that do not fill a statement. */
  finish(): void {
    for (let at = 0; at < this.filled; at += Column.Count) this.insertOne.run(...this.values.slice(at, at + Column.Count));
    this.filled = 0;
  }

  private addressOf(words: Int32Array, word: number, version: number): number | null {
    if (version === 0) return null;
    return version === 6 ? this.addresses.idOf(words, word) : (words[word + 3] as number);
  }
}
