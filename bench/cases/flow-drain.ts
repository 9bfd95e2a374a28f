import { Slot } from '../../src/ring/layout.js';
import { ResumeAt, RingConsumer } from '../../src/ring/ring.js';

/** Packets, IP, wire and payload bytes, each in two directions, follow each other in a flow record. */
const SUMMED_FIELDS = Slot.PayloadBytes1F64 - Slot.Packets0F64 + 1;

/** Stands at the end of a flow ring where the writer would be, and takes the records out. */
export class FlowDrain {
  private readonly ring: RingConsumer;
  private readonly floats: Float64Array;
  /** Number of flows, then the sums of their fields, by protocol and end reason. */
  private readonly sums = new Map<string, number[]>();

  constructor(memory: SharedArrayBuffer) {
    this.ring = new RingConsumer(memory, ResumeAt.Cursor);
    this.floats = new Float64Array(memory);
  }

  /** Takes out all records; with `isSummed` their counts are added up. Returns how many there were. */
  drain(isSummed: boolean): number {
    let count = 0;
    for (let payload = this.ring.peek(); payload >= 0; payload = this.ring.peek()) {
      if (isSummed) this.add(payload);
      this.ring.advance();
      count++;
    }
    this.ring.release();
    return count;
  }

  /** All sums in a fixed order, and starts anew. */
  takeSums(): (string | number)[] {
    const names = [...this.sums.keys()].sort();
    const sums = names.flatMap((name) => [name, ...(this.sums.get(name) as number[])]);
    this.sums.clear();
    return sums;
  }

  private add(payload: number): void {
    const word = payload >> 2;
    const protocol = (this.ring.words[word + Slot.Protocol] as number) & 0xff;
    const name = `protocol ${protocol}, end ${this.ring.words[word + Slot.EndReason]}, TCP ${this.ring.words[word + Slot.TcpState]}`;
    const sum = this.sums.get(name) ?? new Array<number>(1 + SUMMED_FIELDS).fill(0);
    sum[0] = (sum[0] as number) + 1;
    for (let field = 0; field < SUMMED_FIELDS; field++)
      sum[1 + field] = (sum[1 + field] as number) + (this.floats[(payload >> 3) + Slot.Packets0F64 + field] as number);
    this.sums.set(name, sum);
  }
}
