import { describe, expect, it } from 'vitest';
import { poolFlags } from '../../src/pool-flags.js';

const NEEDED = '--no-experimental-require-module';

describe('the flags of the threads of a pool', () => {
  it('have code to load first and profiles, with their values', () => {
    const own = ['--import', './a.mjs', '--cpu-prof', '--cpu-prof-dir=p', '-r', './b.cjs', '--import=./c.mjs'];
    expect(poolFlags(own)).toEqual([NEEDED, ...own]);
  });

  it('have none of V8, which a thread would not start with', () => {
    expect(poolFlags(['--max-old-space-size=512', '--trace-gc', '--stack-size', '900'])).toEqual([NEEDED]);
  });
});
