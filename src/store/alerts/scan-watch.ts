import { randomInt } from 'node:crypto';

/** Sources that are watched at a time; beyond them, the one that has tried least gives way, so that no crowd hides a scanner. */
const SOURCES_MAX = 256;
const WINDOW_US = 60e6;
/** Bits of the sketch of each source; 1,024 tell some 3,000 targets apart. */
const SKETCH_BITS = 1024;
const SKETCH_WORDS = SKETCH_BITS / 32;

/**
 * Finds hosts that try many targets, ports or hosts, within a minute and have no answer. The targets of each source are counted by
 * linear counting (Whang et al., "A linear-time probabilistic counting algorithm"): a bit for each, by a secret hash; so it takes
 * 128 bytes for a source, however many targets it has. Allocates nothing.
 */
export class ScanWatch {
  private readonly sources = new Float64Array(SOURCES_MAX).fill(Number.NaN);
  private readonly windowUs = new Float64Array(SOURCES_MAX).fill(Number.NEGATIVE_INFINITY);
  private readonly bits = new Int32Array(SOURCES_MAX);
  private readonly sketches = new Int32Array(SOURCES_MAX * SKETCH_WORDS);
  private readonly seed = randomInt(2 ** 31);
  private readonly bitsMax: number;

  /** `targetsMax`: as many targets within a minute are a scan, 10 to 3,000; about, since they are counted by a sketch. */
  constructor(targetsMax: number) {
    this.bitsMax = Math.floor(SKETCH_BITS * (1 - Math.exp(-targetsMax / SKETCH_BITS)));
  }

  /**
   * Takes a flow that had no answer: `src` and `dst` are addresses as rows have them, `us` any clock in µs. Returns whether it makes its
   * source a scanner, once within a minute.
   */
  add(src: number, dst: number, dstPort: number, us: number): boolean {
    const slot = this.slotOf(src, us);
    const hash = mix(mix(this.seed ^ dst) ^ (dst / 2 ** 32) ^ Math.imul(dstPort + 1, 0x9e3779b1));
    const bit = (hash >>> 0) % SKETCH_BITS;
    const word = slot * SKETCH_WORDS + (bit >> 5);
    const mask = 1 << (bit & 31);
    if (((this.sketches[word] as number) & mask) !== 0) return false;
    this.sketches[word] = (this.sketches[word] as number) | mask;
    const bits = (this.bits[slot] as number) + 1;
    this.bits[slot] = bits;
    return bits === this.bitsMax;
  }

  private slotOf(src: number, us: number): number {
    const { sources, windowUs, bits } = this;
    let idlest = 0;
    let idlestBits = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < SOURCES_MAX; slot++) {
      const isOver = Math.abs(us - (windowUs[slot] as number)) >= WINDOW_US;
      if (sources[slot] === src) {
        if (isOver) this.begin(slot, src, us);
        return slot;
      }
      const slotBits = isOver ? 0 : (bits[slot] as number);
      if (slotBits >= idlestBits) continue;
      idlest = slot;
      idlestBits = slotBits;
    }
    this.begin(idlest, src, us);
    return idlest;
  }

  private begin(slot: number, src: number, us: number): void {
    this.sources[slot] = src;
    this.windowUs[slot] = us;
    this.bits[slot] = 0;
    this.sketches.fill(0, slot * SKETCH_WORDS, (slot + 1) * SKETCH_WORDS);
  }
}

/** What is told of a host that has tried so many `targets`. */
export function scanDetail(address: string, targets: number): string {
  return `${address} tried about ${targets} ports or hosts within a minute and had no answer.`;
}

/** Finalizer of MurmurHash3. */
function mix(number: number): number {
  let bits = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
