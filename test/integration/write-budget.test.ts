import { describe, expect, it } from 'vitest';
import type { OptionValues } from '../../src/config.js';
import { BudgetStep } from '../../src/ring/budget-step.js';
import { Cell } from '../../src/ring/thread-block.js';
import { IoMeter } from '../../src/store/budget/io-meter.js';
import { checkDatabase } from '../../src/store/check.js';
import type { Writer } from '../../src/store/writer.js';
import { isDiskCounted } from '../helpers/counted-disk.js';
import { flow, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';

const STEP_MS = 250;

/** A run on a clock of its own: emits flows at a rate, as far as the ring takes them, and notes what the process has written. */
class Flood {
  readonly rig: WriterRig;
  readonly writer: Writer;
  emitted = 0;
  nowMs = NOW_MS;
  private readonly meter: IoMeter;
  private readonly bytesAt: { ms: number; bytes: number }[] = [];

  constructor(options: OptionValues) {
    this.rig = new WriterRig({ options: { 'ring.flow-bytes': 1_048_576, 'store.profile': 'sd', ...options } });
    this.writer = this.rig.open();
    this.meter = new IoMeter(this.rig.path);
  }

  /** So many seconds with so many flows each; every flow has a name of its own. */
  run(seconds: number, flowsPerSecond: number): void {
    for (let i = 0; i < (seconds * 1000) / STEP_MS; i++) {
      for (let count = 0; count < flowsPerSecond * (STEP_MS / 1000); count++) {
        const emittedUs = this.nowMs * 1000 + count;
        const isTaken = this.rig.tryEmit(
          flow({ emittedUs, startUs: emittedUs - 1e6, endUs: emittedUs, details: { sni: `h${this.emitted}.example.org` } }),
        );
        if (!isTaken) break;
        this.emitted++;
      }
      this.nowMs += STEP_MS;
      this.note();
      for (let steps = 0; steps < 20 && this.writer.step(this.nowMs, false); steps++);
      this.note();
    }
  }

  /** Ends the run as a stop does. */
  end(): void {
    while (this.writer.step(this.nowMs, true));
    this.writer.close(this.nowMs);
    this.note();
  }

  /** Bytes of the minute in which most was written. */
  get bytesPerMinuteMax(): number {
    let most = 0;
    for (const { ms, bytes } of this.bytesAt) {
      const before = this.bytesAt.filter((each) => each.ms <= ms - 60_000).at(-1) ?? this.bytesAt[0];
      most = Math.max(most, bytes - (before?.bytes ?? bytes));
    }
    return most;
  }

  cell(cell: Cell): number {
    return this.rig.writerBlock.cell(cell);
  }

  private note(): void {
    const bytes = this.meter.processBytes();
    if (bytes !== null) this.bytesAt.push({ ms: this.nowMs, bytes });
  }
}

const failedOf = (rig: WriterRig): string[] =>
  checkDatabase(rig.path)
    .checks.filter(({ ok }) => !ok)
    .map(({ name }) => name);

describe.skipIf(!isDiskCounted())('the write budget (needs a temporary directory on a disk)', () => {
  it('is kept in a flood: the rest is left out, and every flow is counted once', () => {
    const hardBytes = 1_000_000;
    const flood = new Flood({ 'store.write-bytes-per-minute-soft': 400_000, 'store.write-bytes-per-minute-hard': hardBytes });
    flood.run(5, 20);
    flood.run(75, 800);
    expect(flood.cell(Cell.BudgetHardStops)).toBe(1);
    flood.end();
    expect(flood.bytesPerMinuteMax).toBeLessThanOrEqual(hardBytes);
    const { rig, emitted } = flood;
    const written = rig.value('SELECT count(*) FROM flows');
    expect(written).toBeGreaterThan(500);
    expect(flood.cell(Cell.FlowsShed)).toBeGreaterThan(10_000);
    expect(written + flood.cell(Cell.FlowsShed)).toBe(emitted);
    expect(flood.cell(Cell.PacketsShed)).toBe(2 * flood.cell(Cell.FlowsShed));
    expect(rig.value('SELECT sum(flows_written) + sum(flows_shed) FROM ledger')).toBe(emitted);
    expect(rig.value('SELECT flows_shed FROM sessions')).toBe(flood.cell(Cell.FlowsShed));
    expect(failedOf(rig)).toEqual([]);
  });

  it('is aimed at step by step, and every flow has its row again when the load is over', () => {
    const flood = new Flood({ 'store.write-bytes-per-minute-soft': 20_000, 'store.write-bytes-per-minute-hard': 20_000_000 });
    flood.run(1_100, 20);
    expect(flood.cell(Cell.BudgetStep)).toBe(BudgetStep.Shedding);
    flood.run(2_400, 0);
    expect(flood.cell(Cell.BudgetStep)).toBe(BudgetStep.None);
    const shed = flood.cell(Cell.FlowsShed);
    expect(shed).toBeGreaterThan(0);
    flood.run(5, 1);
    flood.end();
    expect(flood.cell(Cell.FlowsShed)).toBe(shed);
    // What had waited in the ring may take a step once more on the way.
    const said = flood.rig.log.map(({ message }) => message.replace(/.*: /, ''));
    expect(said.slice(0, 3)).toEqual(['batches are larger', 'rollups are coarser', 'rows of flows are left out and counted']);
    expect(said.slice(-3)).toEqual(['every flow has its row', 'rollups are as usual', 'batches are as usual']);
    expect(failedOf(flood.rig)).toEqual([]);
  });

  it('holds nothing back in a replay', () => {
    const options = { 'store.write-bytes-per-minute-soft': 10_000, 'store.write-bytes-per-minute-hard': 100_000 };
    const rig = new WriterRig({ options });
    Object.assign(rig.session, { mode: 'replay' });
    rig.store(Array.from({ length: 5_000 }, (_, i) => flow({ emittedUs: NOW_MS * 1000 + i, dstPort: i })));
    expect(rig.value('SELECT count(*) FROM flows')).toBe(5_000);
    expect(rig.writerBlock.cell(Cell.FlowsShed)).toBe(0);
  });

  it('counts bytes by day, over restarts', () => {
    const path = `${temporaryDirectory()}/flowberry.db`;
    for (const startMs of [NOW_MS, NOW_MS + 86_400_000]) {
      const rig = new WriterRig({ path });
      const writer = rig.open(startMs);
      for (let second = 0; second < 180; second += 5) {
        rig.emit(flow({ emittedUs: (startMs + second * 1000) * 1000 }));
        writer.step(startMs + second * 1000, true);
      }
      while (writer.step(startMs + 180_000, true));
      writer.close(startMs + 180_000);
      expect(rig.writerBlock.cell(Cell.IoTodayBytes)).toBeLessThanOrEqual(rig.writerBlock.cell(Cell.IoTotalBytes));
    }
    const rig = new WriterRig({ path });
    const days = rig.query<{ flows: number; seconds: number; process_bytes: number }>(
      'SELECT flows, seconds, process_bytes FROM bytes_written ORDER BY day_us',
    );
    expect(days.map(({ flows, seconds }) => [flows, seconds])).toEqual([
      [36, 180],
      [36, 180],
    ]);
    expect(Math.min(...days.map(({ process_bytes }) => process_bytes))).toBeGreaterThan(36 * 4096);
  });
});
