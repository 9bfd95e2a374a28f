/**
 * Longest rest. At 10,000 packets/s, looking each 100 ms takes a quarter less of capture and parse threads than waking for each block
 * of the ring, and at 100,000 a third: a thread that wakes finds its caches full of others' data, so that few frames cost as much as many.
 */
const REST_MS_MAX = 100;
/** So much of the ring may fill at the pace of late, while nobody looks … */
const FILL_MAX = 1 / 4;
/** … and at a sudden 2.5 Gbit/s all of it, before somebody looks whether a rest must end. */
const SUDDEN_BYTES_PER_MS = 312_500;
/** A rest in which fewer blocks come gains nothing: the kernel's own timer hands over one in `REST_MS_MAX`. */
const BLOCKS_MIN = 1.5;

/** Decides how long a ring is left alone, so that frames gather in it. It knows no clock, only monotonic ms that it is told. */
export class Gathering {
  /** After so long in a rest, somebody must look how full the ring is. */
  private readonly sliceMs: number;
  private readonly blocksMax: number;
  private blocks = 0;
  private lookedMs = Number.NEGATIVE_INFINITY;
  private untilMs = Number.POSITIVE_INFINITY;

  constructor(ringBytes: number, blockCount: number) {
    this.sliceMs = ringBytes / SUDDEN_BYTES_PER_MS;
    this.blocksMax = blockCount * FILL_MAX;
  }

  /** A look at `nowMs` found `blocks`; `isAll`: and then no more. */
  found(blocks: number, isAll: boolean, nowMs: number): void {
    this.blocks += blocks;
    this.untilMs = nowMs;
    if (!isAll) return;
    const elapsedMs = nowMs - this.lookedMs;
    const blocksPerMs = this.blocks / elapsedMs;
    this.blocks = 0;
    this.lookedMs = nowMs;
    const restMs = Math.min(REST_MS_MAX, this.blocksMax / blocksPerMs);
    // Two looks at one time tell no pace, and give no number here.
    this.untilMs = restMs * blocksPerMs >= BLOCKS_MIN ? nowMs + restMs : Number.POSITIVE_INFINITY;
  }

  /** How long from `nowMs` on the ring may be left alone before it is asked again; 0: look now; `Infinity`: wait until the kernel calls. */
  restMs(nowMs: number): number {
    if (this.untilMs === Number.POSITIVE_INFINITY) return this.untilMs;
    return Math.min(Math.max(0, this.untilMs - nowMs), this.sliceMs);
  }
}
