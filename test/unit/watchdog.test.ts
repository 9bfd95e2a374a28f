import { describe, expect, it } from 'vitest';
import { ThreadState } from '../../src/ring/layout.js';
import { Cell, createThreadBlock, ThreadBlock } from '../../src/ring/thread-block.js';
import { Watchdog } from '../../src/watchdog.js';

/** Threads without threads: their blocks, a clock, and a list of those that were ended. */
class Rig {
  nowMs = 1_000_000;
  readonly ended: string[] = [];
  readonly watchdog = new Watchdog(() => this.nowMs);
  private readonly blocks = new Map<string, ThreadBlock>();

  watch(name: string, startMsMax = Number.POSITIVE_INFINITY): ThreadBlock {
    const memory = createThreadBlock();
    this.watchdog.watch({ name, block: memory, startMsMax, end: () => this.ended.push(name) });
    const block = new ThreadBlock(memory);
    this.blocks.set(name, block);
    return block;
  }

  running(name: string): ThreadBlock {
    const block = this.watch(name);
    block.state = ThreadState.Running;
    this.beat(block);
    return block;
  }

  beat(block: ThreadBlock): void {
    block.cells[Cell.HeartbeatMs] = this.nowMs;
  }

  /** Looks every second, while the threads named beat. */
  pass(seconds: number, ...alive: string[]): this {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      for (const name of alive) this.beat(this.blocks.get(name) as ThreadBlock);
      this.watchdog.look();
    }
    return this;
  }
}

describe('the watchdog', () => {
  it('ends a thread that was silent for 5 s, and counts it; others go on', () => {
    const rig = new Rig();
    const block = rig.running('writer');
    rig.running('api');
    rig.pass(10, 'writer', 'api').pass(4, 'api');
    expect(rig.ended).toEqual([]);
    rig.pass(1, 'api');
    expect(rig.ended).toEqual(['writer']);
    expect(block.cell(Cell.Hangs)).toBe(1);
  });

  it('ends a thread once, and the replacement again if that hangs as well', () => {
    const rig = new Rig();
    rig.running('writer');
    rig.pass(100);
    expect(rig.ended).toEqual(['writer']);
    rig.pass(1, 'writer').pass(5);
    expect(rig.ended).toEqual(['writer', 'writer']);
  });

  it('ends a replacement that never gives a sign of life, after the time for its start', () => {
    const rig = new Rig();
    rig.watch('parse-0', 30_000);
    rig.pass(29);
    expect(rig.ended).toEqual([]);
    rig.pass(1);
    expect(rig.ended).toEqual(['parse-0']);
    rig.pass(29);
    expect(rig.ended).toHaveLength(1);
    rig.pass(1);
    expect(rig.ended).toHaveLength(2);
  });

  it('gives a thread that died by itself the time that its replacement needs', () => {
    const rig = new Rig();
    rig.running('writer');
    rig.pass(3, 'writer').pass(3);
    rig.watchdog.replaced('writer');
    rig.pass(20);
    expect(rig.ended).toEqual([]);
  });

  it('leaves a thread alone in a call that it has announced, and looks at it again behind it', () => {
    const rig = new Rig();
    const block = rig.running('writer');
    rig.pass(1, 'writer');
    block.cells[Cell.Blocked] = 1;
    rig.pass(60);
    block.cells[Cell.Blocked] = 0;
    rig.pass(4);
    expect(rig.ended).toEqual([]);
    rig.pass(1);
    expect(rig.ended).toEqual(['writer']);
  });

  it('leaves a thread alone that has ended, or that a deadline watches at its start', () => {
    const rig = new Rig();
    rig.running('parse-0').state = ThreadState.Ended;
    rig.watch('api');
    rig.pass(100);
    expect(rig.ended).toEqual([]);
  });

  it.each([
    ['was stopped, or the machine slept', 3_600_000],
    ['was late by a few seconds', 7_000],
  ])('ends nobody when the whole process %s', (_, standstillMs) => {
    const rig = new Rig();
    rig.running('writer');
    rig.running('api');
    rig.pass(3, 'writer', 'api');
    rig.nowMs += standstillMs;
    // Main may look before the others have had their turn.
    rig.watchdog.look();
    rig.pass(10, 'writer', 'api');
    expect(rig.ended).toEqual([]);
  });

  it('ends a thread that goes on being silent after a standstill', () => {
    const rig = new Rig();
    rig.running('writer');
    rig.pass(3, 'writer');
    rig.nowMs += 3_600_000;
    rig.pass(5);
    expect(rig.ended).toEqual(['writer']);
  });
});
