import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';
import { BudgetStep, LARGER_BATCH_AGE_MS } from '../../src/ring/budget-step.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Command, RecordKind, ThreadState } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/ring.js';
import { Cell, ThreadBlock } from '../../src/ring/thread-block.js';
import { Progress } from '../../src/service/progress.js';

const SILENCE_MS_MAX = 5_000;
const BATCH_AGE_MS_MAX = 5_000;

/** All threads run, and beat whenever the clock moves on, but for those that stand still. */
function scene() {
  const config = resolveConfig({ 'parse.workers': 2, 'batch.age-ms-max': BATCH_AGE_MS_MAX });
  const memory = allocateMemory(config, 2);
  const blocks = {
    capture: new ThreadBlock(memory.capture),
    'parse-0': new ThreadBlock(memory.parse[0] as SharedArrayBuffer),
    'parse-1': new ThreadBlock(memory.parse[1] as SharedArrayBuffer),
    writer: new ThreadBlock(memory.writer),
    api: new ThreadBlock(memory.api),
  };
  const still = new Set<string>();
  let nowMs = 1_000_000;
  const progress = new Progress(memory, config, SILENCE_MS_MAX, nowMs);
  for (const block of Object.values(blocks)) block.state = ThreadState.Running;
  const pass = (ms: number): string | null => {
    nowMs += ms;
    for (const [name, block] of Object.entries(blocks)) if (!still.has(name)) block.cells[Cell.HeartbeatMs] = nowMs;
    return progress.look(nowMs);
  };
  const emit = (): void => {
    const ring = new RingProducer(memory.flowRings[0] as SharedArrayBuffer, new Doorbell(memory.writer));
    expect(ring.tryPush(RecordKind.Flow, 288)).toBeGreaterThanOrEqual(0);
    ring.publish();
  };
  return { blocks, still, pass, progress, emit };
}

describe('progress', () => {
  it('is there while all threads beat', () => {
    const { pass, progress } = scene();
    expect(progress.areAllRunning).toBe(true);
    for (let look = 0; look < 100; look++) expect(pass(2_000)).toBeNull();
  });

  it.each(['capture', 'parse-0', 'parse-1', 'writer', 'api'])('is missed when %s stands still, and found again', (name) => {
    const { still, pass } = scene();
    expect(pass(1_000)).toBeNull();
    still.add(name);
    expect(pass(SILENCE_MS_MAX)).toBeNull();
    expect(pass(1)).toBe(`${name} gave no sign of life for 5.0 s`);
    still.delete(name);
    expect(pass(1)).toBeNull();
  });

  it('is missed when a thread has ended, unless flowberry stops', () => {
    const { blocks, pass } = scene();
    blocks['parse-1'].state = ThreadState.Ended;
    expect(pass(1)).toBe('parse-1 has ended');
    blocks.capture.command = Command.Drain;
    expect(pass(1)).toBeNull();
  });

  it('asks the writer to commit what waits longer than a batch may', () => {
    const { blocks, pass, emit } = scene();
    expect(pass(60_000)).toBeNull();
    emit();
    expect(pass(0)).toBeNull();
    expect(pass(BATCH_AGE_MS_MAX + SILENCE_MS_MAX)).toBeNull();
    expect(pass(1)).toBe('writer has committed nothing for 10.0 s although rows wait');
    blocks.writer.cells[Cell.BatchesWritten] = 1;
    expect(pass(1)).toBeNull();
  });

  it('lets rows wait for the larger batches of the budget, and for its hard limit as long as the writer looks at them', () => {
    const { blocks, pass, emit } = scene();
    blocks.writer.cells[Cell.BudgetStep] = BudgetStep.LargerBatches;
    emit();
    expect(pass(0)).toBeNull();
    expect(pass(LARGER_BATCH_AGE_MS + SILENCE_MS_MAX)).toBeNull();
    expect(pass(1)).toContain('writer has committed nothing for 35.0 s');
    blocks.writer.cells[Cell.BudgetStep] = BudgetStep.None;
    for (let look = 1; look < 20; look++) {
      blocks.writer.cells[Cell.BatchesHeld] = look;
      expect(pass(9_000)).toBeNull();
    }
    expect(pass(BATCH_AGE_MS_MAX + SILENCE_MS_MAX + 1)).toContain('committed nothing');
  });

  it('takes a database that refuses again and again for movement, since a new process would meet the same', () => {
    const { blocks, pass, emit } = scene();
    emit();
    for (let look = 1; look < 20; look++) {
      blocks.writer.cells[Cell.WriteErrors] = look;
      expect(pass(BATCH_AGE_MS_MAX)).toBeNull();
    }
  });
});
