/** Words of a key: protocol, ports and the last address words come first, and these four are all that IPv4 has. */
export const KEY_WORDS_MAX = 10;

/**
 * Multilinear hashing: Σ aᵢ·xᵢ modulo 2^32 over the 16-bit halves xᵢ of a key, with secret random coefficients aᵢ. The upper 17
 * bits are universal (Dietzfelbinger, "Universal hashing and k-wise independent random variables via integer arithmetic without
 * primes"): any two keys meet with a probability of 2^-17 at most over the choice of the coefficients, so whoever sends the
 * packets cannot aim them at one bucket. Take the bucket from the upper bits.
 */
export class FlowHash {
  private readonly coefficients: Int32Array;

  /** `seed` is an integer from 0 to 2^53; the same seed gives the same hash in another thread. */
  constructor(seed: number) {
    let [state0, state1] = [seed | 0, Math.floor(seed / 2 ** 32) | 0x5bd1e995];
    this.coefficients = Int32Array.from({ length: KEY_WORDS_MAX * 2 }, () => {
      // xorshift64 in two halves would do; multiplying afterwards hides its linearity.
      state0 = (state0 + 0x9e3779b9) | 0;
      state1 = Math.imul(state1 ^ (state1 >>> 15) ^ state0, 0x2c1b3c6d);
      let mixed = Math.imul(state0 ^ (state0 >>> 16) ^ state1, 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      return mixed ^ (mixed >>> 16);
    });
  }

  /** Hash of the four words of an IPv4 key. Allocates nothing. */
  ofIpv4(key: Int32Array): number {
    const a = this.coefficients;
    return (this.word(a, key, 0) + this.word(a, key, 1) + this.word(a, key, 2) + this.word(a, key, 3)) | 0;
  }

  /** Hash of the ten words of an IPv6 key. Allocates nothing. */
  ofIpv6(key: Int32Array): number {
    const a = this.coefficients;
    const upper = this.word(a, key, 4) + this.word(a, key, 5) + this.word(a, key, 6);
    return (this.ofIpv4(key) + upper + this.word(a, key, 7) + this.word(a, key, 8) + this.word(a, key, 9)) | 0;
  }

  private word(a: Int32Array, key: Int32Array, index: number): number {
    const word = key[index] as number;
    return (Math.imul(a[2 * index] as number, word >>> 16) + Math.imul(a[2 * index + 1] as number, word & 0xffff)) | 0;
  }
}
