import { renameSync, rmSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { Cell } from '../../src/ring/thread-block.js';
import { IoMeter } from '../../src/store/budget/io-meter.js';
import { checkDatabase } from '../../src/store/check.js';
import { type Kept, kept } from '../helpers/kept.js';

/** Little may be written, so that most of a flood is left out. */
const TIGHT = {
  'ring.flow-bytes': 1_048_576,
  'store.write-bytes-per-minute-soft': 150_000,
  'store.write-bytes-per-minute-hard': 300_000,
};
const isCounted = new IoMeter('.').processBytes() !== null;

/** Closes, and finds every one of the `emitted` flows counted once, in the file and in the cells. */
function expectAllCounted(writer: Kept, emitted: number): void {
  writer.close();
  expect(checkDatabase(writer.rig.path).checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(writer.cell(Cell.FlowsWritten) + writer.cell(Cell.FlowsLost) + writer.cell(Cell.FlowsShed)).toBe(emitted);
  expect(writer.rig.value('SELECT sum(flows_written) FROM ledger')).toBe(writer.cell(Cell.FlowsWritten));
  expect(writer.rig.value('SELECT sum(flows_shed) FROM ledger')).toBe(writer.cell(Cell.FlowsShed));
  expect(writer.rig.value('SELECT coalesce(sum(flows), 0) FROM unwritten')).toBe(writer.cell(Cell.FlowsLost));
  expect(writer.writer.flowsUnwritten).toBe(0);
}

describe.skipIf(!isCounted)('flows that were left out (needs a kernel that counts bytes written)', () => {
  it('are lost with the file that counted them', () => {
    const writer = kept({ options: TIGHT });
    writer.emit(2_500);
    writer.pass(3_000);
    expect(writer.cell(Cell.FlowsShed)).toBeGreaterThan(100);
    rmSync(writer.rig.path);
    writer.pass(4_000);
    writer.emit(20);
    writer.pass(2_000);
    expectAllCounted(writer, 2_520);
  });

  it('are lost as far as an older copy of the file does not count them', () => {
    const writer = kept({ options: TIGHT });
    writer.emit(2_500);
    writer.pass(3_000);
    const shed = writer.cell(Cell.FlowsShed);
    const copy = `${writer.rig.path}-copy`;
    writer.rig.execute(`VACUUM INTO '${copy}'`);
    writer.emit(2_000);
    writer.pass(3_000);
    expect(writer.cell(Cell.FlowsShed)).toBeGreaterThan(shed);
    renameSync(copy, writer.rig.path);
    writer.pass(4_000);
    expectAllCounted(writer, 4_500);
  });
});

describe.skipIf(!isCounted)('a reader that holds the write-ahead log beyond the hard limit (needs a kernel that counts)', () => {
  it('does not keep rows waiting', () => {
    const writer = kept({ options: { ...TIGHT, 'store.write-bytes-per-minute-hard': 1_000_000 } });
    writer.emit(60);
    writer.pass(2_000);
    const reader = new Database(writer.rig.path, { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM flows').get();
    for (let minute = 0; minute < 60; minute++) {
      writer.emit(120);
      writer.pass(60_000);
    }
    expect(statSync(`${writer.rig.path}-wal`).size).toBeGreaterThan(1_000_000);
    expect(writer.writer.flowsUnwritten).toBe(0);
    reader.close();
    writer.pass(120_000);
    expectAllCounted(writer, 7_260);
  });
});
