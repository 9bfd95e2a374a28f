import { describe, expect, it } from 'vitest';
import { Gathering } from '../../src/capture/gathering.js';

const BLOCK_BYTES = 262_144;
const BLOCKS = 64;
/** A slice is so long that nothing but the rest itself ends it. */
const WIDE_BYTES = 2 ** 30;

/** A ring that was looked at `elapsedMs` before the look at 1000 that found `blocks`. */
function looked(blocks: number, elapsedMs: number, ringBytes = WIDE_BYTES): Gathering {
  const gathering = new Gathering(ringBytes, BLOCKS);
  gathering.found(0, true, 1000 - elapsedMs);
  gathering.found(blocks, true, 1000);
  return gathering;
}

describe('Gathering', () => {
  it('leaves a ring alone until a quarter of it is full at the pace of late', () => {
    expect(looked(4, 1).restMs(1000)).toBe(4);
    expect(looked(16, 40).restMs(1000)).toBe(40);
    expect(looked(16, 40).restMs(1015)).toBe(25);
  });

  it('looks again when the rest is over, and after 100 ms at the latest', () => {
    expect(looked(16, 40).restMs(1040)).toBe(0);
    expect(looked(16, 40).restMs(2000)).toBe(0);
    expect(looked(1, 20).restMs(1000)).toBe(100);
  });

  it('waits for the kernel where no more than one block gathers: on a quiet line, and at the first frames after a silence', () => {
    expect(looked(0, 50).restMs(1000)).toBe(Number.POSITIVE_INFINITY);
    expect(looked(1, 100).restMs(1000)).toBe(Number.POSITIVE_INFINITY);
    const fresh = new Gathering(WIDE_BYTES, BLOCKS);
    expect(fresh.restMs(1000)).toBe(Number.POSITIVE_INFINITY);
    fresh.found(3, true, 1000);
    expect(fresh.restMs(1000)).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not guess a pace from two looks at one time', () => {
    for (const blocks of [0, 3]) expect(looked(blocks, 0).restMs(1000)).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not rest while there is more to read, and counts all of it', () => {
    const gathering = looked(0, 10);
    gathering.found(16, false, 1010);
    expect(gathering.restMs(1010)).toBe(0);
    gathering.found(0, true, 1016);
    expect(gathering.restMs(1016)).toBe(16);
  });

  it('has somebody look at the ring so often that a sudden 2.5 Gbit/s cannot fill it unseen', () => {
    expect(looked(2, 80, BLOCKS * BLOCK_BYTES).restMs(1000)).toBeCloseTo(53.7, 1);
    expect(looked(2, 80, BLOCKS * BLOCK_BYTES).restMs(1060)).toBe(40);
  });

  it('never rests with a ring of so few blocks that a quarter is one', () => {
    const gathering = new Gathering(4 * BLOCK_BYTES, 4);
    gathering.found(0, true, 990);
    gathering.found(3, true, 1000);
    expect(gathering.restMs(1000)).toBe(Number.POSITIVE_INFINITY);
  });
});
