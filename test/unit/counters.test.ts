import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DROP_REASONS, Drop } from '../../src/ring/drop-reason.js';
import { Command, Thread, ThreadState } from '../../src/ring/layout.js';
import { Cell, createThreadBlock, monotonicMs, ThreadBlock } from '../../src/ring/thread-block.js';

describe('ThreadBlock', () => {
  it('starts with every count at 0, running, and asked to run', () => {
    const block = new ThreadBlock(createThreadBlock());
    expect(block.cells).toHaveLength(Thread.CellCount);
    expect(block.cells.every((count) => count === 0)).toBe(true);
    expect(block.command).toBe(Command.Run);
    expect(block.state).toBe(ThreadState.Starting);
    expect(block.drops()).toEqual({});
  });

  it('shows to every view what one of them wrote', () => {
    const memory = createThreadBlock();
    const [writer, reader] = [new ThreadBlock(memory), new ThreadBlock(memory)];
    writer.cells[Cell.PacketsInFlows] = 2 ** 53 - 1;
    writer.command = Command.Drain;
    writer.state = ThreadState.Ended;
    expect(reader.cell(Cell.PacketsInFlows)).toBe(2 ** 53 - 1);
    expect(reader.command).toBe(Command.Drain);
    expect(reader.state).toBe(ThreadState.Ended);
  });

  it('keeps cells and control words apart', () => {
    const block = new ThreadBlock(createThreadBlock());
    const before = [...block.words.subarray(0, Thread.CellsF64 * 2)];
    block.cells.fill(-1);
    expect([...block.words.subarray(0, Thread.CellsF64 * 2)]).toEqual(before);
  });

  it('names the drops that happened, one cell for each reason', () => {
    const block = new ThreadBlock(createThreadBlock());
    for (let reason = 1; reason < Drop.Count; reason++) block.cells[Cell.Drops + reason] = reason * 10;
    const expected = DROP_REASONS.flatMap((name, reason) => (reason === Drop.None ? [] : [[name, reason * 10]]));
    expect(block.drops()).toEqual(Object.fromEntries(expected));
    block.cells.fill(0);
    block.cells[Cell.Drops + Drop.Ipv4Truncated] = 3;
    expect(block.drops()).toEqual({ ipv4_truncated: 3 });
  });

  it('beats with a clock that never goes back', () => {
    const block = new ThreadBlock(createThreadBlock());
    const before = monotonicMs();
    block.beat();
    const beat = block.cell(Cell.HeartbeatMs);
    expect(beat).toBeGreaterThanOrEqual(before);
    expect(monotonicMs()).toBeGreaterThanOrEqual(beat);
  });

  it('refuses memory of another layout version', () => {
    const memory = createThreadBlock();
    new Int32Array(memory)[Thread.Version] = 99;
    expect(() => new ThreadBlock(memory)).toThrow(/layout version/);
  });
});

describe('cells', () => {
  it('give every counter a cell of its own, before or behind the drops', () => {
    // A const enum is gone at run time, so its numbers are read where they are written.
    const source = readFileSync(new URL('../../src/ring/thread-block.ts', import.meta.url), 'utf8');
    const body = /const enum Cell \{(.*?)\n\}/s.exec(source)?.[1] ?? '';
    const indexes = [...body.matchAll(/^ {2}\w+ = (\d+),$/gm)].map((match) => Number(match[1]));
    expect(indexes.length).toBeGreaterThan(20);
    expect(new Set(indexes).size).toBe(indexes.length);
    expect(indexes.filter((index) => index > Cell.Drops && index < Cell.Drops + Drop.Count)).toEqual([]);
  });
});
