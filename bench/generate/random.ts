/**
 * Random numbers that are the same on every machine: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators"), seeded with splitmix32. Only 32-bit integer steps and exact floating-point operations, so that a generated
 * capture has the same bytes everywhere.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** `seed` is a 32-bit number. */
  constructor(seed: number) {
    let state = seed | 0;
    const splitmix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state ^ (state >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.a = splitmix();
    this.b = splitmix();
    this.c = splitmix();
    this.d = splitmix();
  }

  /** Uniform from 0 to 2^32 - 1. */
  next(): number {
    const five = Math.imul(this.b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9);
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result >>> 0;
  }

  /** Uniform from 0 to `bound - 1`, for a bound up to 2^21. The product and the shift by a power of two are exact. */
  below(bound: number): number {
    return Math.floor((this.next() * bound) / 2 ** 32);
  }

  /**
   * Pareto-distributed from 1 with exponent 8/7 (mean 8): few values carry most of the sum. The root is taken by three square
   * roots, which IEEE 754 rounds exactly, where `Math.pow` may differ from machine to machine.
   */
  heavyTailed(): number {
    const root2 = Math.sqrt((this.next() + 1) / 2 ** 32);
    const root4 = Math.sqrt(root2);
    return 1 / (root2 * root4 * Math.sqrt(root4));
  }
}
