import { Cell, type ThreadBlock } from '../../ring/thread-block.js';
import type { FlowRings } from '../flow-rings.js';

/**
 * Makes room in rings that are nearly full while the database refuses: the oldest records give way, so that new flows go on being
 * recorded and the capture has no reason to drop packets. What is dropped is counted in the writer's `block`. Nothing was taken from the
 * rings since the last release, and nothing that is in them is stored; the caller sees to that.
 */
export function shedOldest(rings: FlowRings, block: ThreadBlock): void {
  if (!rings.isNearlyFull) return;
  const lost = rings.dropOldest();
  const { cells } = block;
  cells[Cell.LossRounds] = block.cell(Cell.LossRounds) + 1;
  cells[Cell.FlowsLost] = block.cell(Cell.FlowsLost) + lost.flows;
  cells[Cell.PacketsLost] = block.cell(Cell.PacketsLost) + lost.packets;
  cells[Cell.IpBytesLost] = block.cell(Cell.IpBytesLost) + lost.ipBytes;
  cells[Cell.WireBytesLost] = block.cell(Cell.WireBytesLost) + lost.wireBytes;
  cells[Cell.NamesLost] = block.cell(Cell.NamesLost) + lost.names;
  rings.release();
}
