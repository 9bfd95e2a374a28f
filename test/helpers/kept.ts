import { expect } from 'vitest';
import { Cell } from '../../src/ring/thread-block.js';
import { checkDatabase } from '../../src/store/check.js';
import { KeptWriter } from '../../src/store/faults/kept-writer.js';
import { flow, NOW_MS, WriterRig } from './flow-records.js';

const NOW_US = NOW_MS * 1000;
const LEDGER = 'SELECT coalesce(sum(packets_in_flows), 0) AS in_flows, coalesce(sum(packets_written), 0) AS written FROM ledger';
/** Has the database refuse every row. */
export const REFUSE = `CREATE TRIGGER refuse BEFORE INSERT ON flows BEGIN SELECT raise(ABORT, 'no room on the card'); END`;

/** A kept writer on a rig, and a clock that both follow. */
export class Kept {
  nowMs = NOW_MS;
  readonly writer: KeptWriter;
  private emitted = 0;

  constructor(readonly rig: WriterRig) {
    this.writer = KeptWriter.open(rig, (level, message, fields = {}) => rig.log.push({ level, message, fields }), this.nowMs);
  }

  emit(count: number): void {
    for (let i = 0; i < count; i++) this.rig.emit(flow({ emittedUs: NOW_US + ++this.emitted * 1000 }));
  }

  /** Steps every 100 ms as the thread does, for so long. */
  pass(ms: number): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; this.nowMs += 100) this.writer.step(this.nowMs, false);
  }

  /** Writes all that waits, and closes. */
  close(): void {
    for (let i = 0; i < 200 && !this.writer.isEmpty; i++) {
      this.writer.step(this.nowMs, true);
      this.nowMs += 100;
    }
    this.writer.close(this.nowMs);
  }

  cell(cell: Cell): number {
    return this.rig.writerBlock.cell(cell);
  }
}

/** On a run of its own. */
export function kept(options: ConstructorParameters<typeof WriterRig>[0] = {}): Kept {
  return new Kept(new WriterRig(options));
}

/** Closes, and finds nothing wrong: every packet in a flow is stored, or counted as lost. */
export function expectBalanced(writer: Kept, packetsLost: number): void {
  writer.close();
  const { rig } = writer;
  expect(checkDatabase(rig.path).checks.filter((check) => !check.ok)).toEqual([]);
  const [sums] = rig.query<{ in_flows: number; written: number }>(LEDGER);
  expect(sums?.in_flows).toBe((sums?.written ?? 0) + packetsLost);
  expect(rig.value('SELECT coalesce(sum(packets), 0) FROM unwritten')).toBe(packetsLost);
  expect(writer.cell(Cell.PacketsLost)).toBe(packetsLost);
  expect(writer.cell(Cell.FlowsWritten) + writer.cell(Cell.FlowsLost)).toBe(writer.rig.parse[0]?.cell(Cell.FlowsEmitted));
}
