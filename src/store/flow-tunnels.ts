import type { Database } from 'better-sqlite3';
import { Slot, TunnelBit } from '../ring/layout.js';
import type { Dimensions } from './dimensions.js';
import { RowBuffer } from './row-buffer.js';

/** Columns of `flow_tunnels`, in the order of the table. */
const enum Column {
  Id = 0,
  Type,
  TunnelId,
  Src,
  Dst,
  Count,
}

/** Writes the tunnels of flows that came in one. Has no transaction of its own. */
export class FlowTunnels {
  private readonly rows: RowBuffer;

  constructor(
    db: Database,
    private readonly dimensions: Dimensions,
  ) {
    this.rows = new RowBuffer(db, 'flow_tunnels', Column.Count);
  }

  /** Starts a batch; what an abandoned one has left is forgotten. */
  begin(): void {
    this.rows.begin();
  }

  /**
   * Adds the tunnel of the flow record that starts at `word`, whose row has the id `id` and whose initiator sends in `direction`. The
   * tunnel's source is at the initiator's end, as that of the flow, whoever sent the first packet.
   */
  add(id: number, words: Int32Array, word: number, direction: number): void {
    const tunnel = words[word + Slot.Tunnel] as number;
    const { values, at } = this.rows;
    values[at + Column.Id] = id;
    values[at + Column.Type] = tunnel & TunnelBit.TypeMask;
    values[at + Column.TunnelId] = (tunnel & TunnelBit.HasId) === 0 ? null : (words[word + Slot.TunnelId] as number) >>> 0;
    const version = tunnel >> TunnelBit.IpVersion;
    const isTurned = ((tunnel & TunnelBit.IsFromHi) !== 0) !== (direction === 1);
    const src = word + (isTurned ? Slot.TunnelDst : Slot.TunnelSrc);
    const dst = word + (isTurned ? Slot.TunnelSrc : Slot.TunnelDst);
    values[at + Column.Src] = version === 0 ? null : this.dimensions.addressOf(version, words, src);
    values[at + Column.Dst] = version === 0 ? null : this.dimensions.addressOf(version, words, dst);
    this.rows.push();
  }

  /** Inserts the rows that do not fill a statement. */
  finish(): void {
    this.rows.finish();
  }
}
