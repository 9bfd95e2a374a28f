import { BLOCK_SEGMENTS, COUNT_SPAN, RUN_BLOCKS, SEGMENT_SPAN, SEGMENTS_NAMED_MAX } from './lookup-kind.js';

/** What block n is in `lookup.places`, and what the segment that is named n-th is multiplied by; powers are slow. */
const BLOCK_BITS = Float64Array.from({ length: RUN_BLOCKS }, (_, block) => COUNT_SPAN * 2 ** block);
const NAMED_BITS = Float64Array.from({ length: SEGMENTS_NAMED_MAX }, (_, place) => COUNT_SPAN * SEGMENT_SPAN ** place);

/** The places of one kind and key as `lookup.places` holds them. Segments are added in ascending order, each once. */
export class Places {
  /** Segments that were added. */
  count = 0;
  private block = -1;
  /** Both forms: few segments by their numbers, many by their blocks. */
  private named = 0;
  private blockBits = 0;

  add(segment: number): void {
    const block = Math.floor(segment / BLOCK_SEGMENTS);
    if (this.count < SEGMENTS_NAMED_MAX) this.named += segment * (NAMED_BITS[this.count] as number);
    if (block !== this.block) this.blockBits += BLOCK_BITS[block] as number;
    this.block = block;
    this.count++;
  }

  /** The number of all that were added; the next kind and key begins. */
  take(): number {
    const places = this.count <= SEGMENTS_NAMED_MAX ? this.named + this.count : this.blockBits;
    this.count = 0;
    this.block = -1;
    this.named = 0;
    this.blockBits = 0;
    return places;
  }
}
