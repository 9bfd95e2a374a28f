/** Words of a key: protocol, ports and the last address words come first, and are all that IPv4 has. */
export const KEY_WORDS_IPV4 = 4;
export const KEY_WORDS_IPV6 = 10;

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
    this.coefficients = Int32Array.from({ length: KEY_WORDS_IPV6 * 2 }, () => {
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
    let hash = this.ofIpv4(key);
    for (let i = KEY_WORDS_IPV4; i < KEY_WORDS_IPV6; i++) hash = (hash + this.word(a, key, i)) | 0;
    return hash;
  }

  private word(a: Int32Array, key: Int32Array, i: number): number {
    const word = key[i] as number;
    return (Math.imul(a[2 * i] as number, word >>> 16) + Math.imul(a[2 * i + 1] as number, word & 0xffff)) | 0;
  }
}
