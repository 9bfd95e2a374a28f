import { BLOCK_SEGMENTS, COUNT_SPAN, RUN_BLOCKS, RUN_SEGMENTS, SEGMENT_SPAN } from '../lookup/lookup-kind.js';

const BLOCK_ALL = 2 ** BLOCK_SEGMENTS - 1;

/** Segments of a run: 16 bits for each of its blocks. */
export class SegmentSet {
  private readonly bits = new Uint16Array(RUN_SEGMENTS / BLOCK_SEGMENTS);

  constructor(isFull: boolean) {
    if (isFull) this.bits.fill(BLOCK_ALL);
  }

  /** Adds what `lookup.places` tells. */
  add(places: number): void {
    let rest = Math.floor(places / COUNT_SPAN);
    const count = places - rest * COUNT_SPAN;
    for (let i = 0; i < count; i++) {
      const segment = rest % SEGMENT_SPAN;
      rest = Math.floor(rest / SEGMENT_SPAN);
      this.bits[Math.floor(segment / BLOCK_SEGMENTS)] =
        this.ofBlock(Math.floor(segment / BLOCK_SEGMENTS)) | (1 << (segment % BLOCK_SEGMENTS));
    }
    if (count > 0) return;
    for (let block = 0; rest > 0 && block < RUN_BLOCKS; block++) {
      const half = Math.floor(rest / 2);
      if (rest - half * 2 === 1) this.bits[block] = BLOCK_ALL;
      rest = half;
    }
  }

  /** Keeps what is in `other` too, and tells whether anything is left. */
  keep(other: SegmentSet): boolean {
    let any = 0;
    for (let block = 0; block < this.bits.length; block++) any |= this.bits[block] = this.ofBlock(block) & other.ofBlock(block);
    return any !== 0;
  }

  /** Bit n is the n-th segment of the block. */
  ofBlock(block: number): number {
    return this.bits[block] as number;
  }
}
