import { expect, it } from 'vitest';
import { warmUp } from '../../src/capture/warm-up.js';

it.each([1, 3])('the capture warms up for %i workers', (workers) => {
  expect(() => warmUp(workers)).not.toThrow();
});
