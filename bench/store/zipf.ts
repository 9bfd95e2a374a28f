import type { Random } from '../generate/random.js';

/** Draws numbers from 0 on, of which the first are drawn most: number k as often as 1 / (k + 1). */
export class Zipf {
  private readonly ends: Float64Array;

  constructor(
    private readonly random: Random,
    count: number,
  ) {
    this.ends = new Float64Array(count);
    let sum = 0;
    for (let k = 0; k < count; k++) {
      sum += 1 / (k + 1);
      this.ends[k] = sum;
    }
  }

  next(): number {
    const { ends } = this;
    const drawn = (this.random.next() / 2 ** 32) * (ends[ends.length - 1] as number);
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
