import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config.js';
import { frameRingBytesOf } from '../../src/memory.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe('rings from the capture', () => {
  it.each([
    ['live', 1, 8, 64],
    ['live', 2, 8, 32],
    ['live', 3, 8, 16],
    ['live', 2, 4, 16],
    ['live', 32, 4, 4],
    ['replay', 2, 8, 4],
  ] as const)('%s, %i workers, %i GB of RAM: %i MiB each', (mode, workers, gib, mib) => {
    expect(frameRingBytesOf(resolveConfig({}), workers, gib * GIB, mode)).toBe(mib * MIB);
  });

  it('have the size that is asked for', () => {
    const config = resolveConfig({ 'ring.frame-bytes': 2 * MIB });
    expect(frameRingBytesOf(config, 2, 8 * GIB, 'live')).toBe(2 * MIB);
  });
});
