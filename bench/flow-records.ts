import { Inspector } from '../src/parse/app/inspector.js';
import { Decoder } from '../src/parse/decode.js';
import { FlowEmitter } from '../src/parse/flow-emitter.js';
import { FlowTable } from '../src/parse/flow-table.js';
import { Doorbell } from '../src/ring/doorbell.js';
import { Drop } from '../src/ring/drop-reason.js';
import { createFlowSlots } from '../src/ring/flow-slots.js';
import { EndReason, Frame, RecordKind, Slot } from '../src/ring/layout.js';
import { createRing, ResumeAt, RingConsumer, RingProducer } from '../src/ring/ring.js';
import { createThreadBlock, ThreadBlock } from '../src/ring/thread-block.js';
import { Packet } from '../src/wire/packet.js';
import type { Frames } from './frames.js';
import { resultHash } from './result-hash.js';

/** The default timeouts in µs. */
const OPTIONS = {
  idleTcpUs: 300e6,
  idleUdpUs: 60e6,
  idleOtherUs: 30e6,
  tcpLingerUs: 5e6,
  activeUs: 300e6,
  keyVlan: false,
  workerIndex: 0,
};
const HASH_SEED = 0x1234_5678;
/** A flow record with its details, and the DNS record that most flows have instead, take less. */
const RING_BYTES_PER_FLOW = 640;
/** Frames after which the flow ring is emptied, as the writer would. */
const FRAMES_PER_DRAIN = 1024;
/** Between two rounds, longer than every timeout: the same frames are new flows again. */
const PAUSE_US = 1e9;

/** Takes one flow record: its payload starts at `word` of `words`. */
export type RecordSink = (words: Int32Array, word: number) => void;

/** Walks frames through layer walk, flow table and inspection in one thread, and takes the flow records out again. */
export class FlowRig {
  private readonly table: FlowTable;
  private readonly drain: RingConsumer;
  private readonly decoder = new Decoder(true, null);
  private readonly packet = new Packet();
  private readonly inspector: Inspector;
  private shiftUs = 0;

  constructor(
    private readonly frames: Frames,
    slots: number,
  ) {
    // Room for a whole table, and for a flow that each frame evicts before the ring is emptied: nobody else would.
    const ring = createRing(2 ** Math.ceil(Math.log2((slots + FRAMES_PER_DRAIN) * RING_BYTES_PER_FLOW)));
    const memory = createFlowSlots(slots);
    const block = new ThreadBlock(createThreadBlock());
    const emitter = new FlowEmitter(new RingProducer(ring, new Doorbell(createThreadBlock())), 1, memory, block);
    this.table = new FlowTable(memory, OPTIONS, HASH_SEED, emitter, block);
    this.inspector = new Inspector(memory, emitter, false);
    this.drain = new RingConsumer(ring, ResumeAt.Cursor);
  }

  /** One round over all frames; every flow is written at its end. Returns the number of flow records. */
  run(sink: RecordSink | null): number {
    const { words, view, payloads } = this.frames;
    const { table, decoder, packet, inspector, shiftUs } = this;
    let flows = 0;
    for (let index = 0; index < payloads.length; index++) {
      const payload = payloads[index] as number;
      const word = payload >> 2;
      const start = payload + Frame.HeaderBytes;
      const end = start + (words[word + Frame.CopiedBytes] as number);
      const wireBytes = (words[word + Frame.WireBytes] as number) >>> 0;
      const linkType = words[word + Frame.LinkType] as number;
      const seconds = (words[word + Frame.Seconds] as number) >>> 0;
      const drop = decoder.decode(view, start, end, wireBytes, linkType, seconds, packet);
      if (drop !== Drop.None) throw new Error(`bench: generated frame ${index} was dropped, reason ${drop}`);
      const packetUs = shiftUs + seconds * 1e6 + Math.floor((words[word + Frame.Nanoseconds] as number) / 1000);
      table.advance(packetUs);
      const interfaceIndex = words[word + Frame.InterfaceIndex] as number;
      const slot = table.add(packet, packetUs, wireBytes, interfaceIndex);
      inspector.inspect(view, packet, slot, table.direction, start, linkType, packetUs, interfaceIndex);
      if (index % FRAMES_PER_DRAIN === 0) flows += this.empty(sink);
    }
    table.flush(EndReason.EndOfInput);
    inspector.flush();
    this.shiftUs += this.frames.durationUs + PAUSE_US;
    return flows + this.empty(sink);
  }

  private empty(sink: RecordSink | null): number {
    let count = 0;
    for (let payload = this.drain.peek(); payload >= 0; payload = this.drain.peek()) {
      if (this.drain.kindAt(payload) === RecordKind.Flow) {
        if (sink) sink(this.drain.words, payload >> 2);
        count++;
      }
      this.drain.advance();
    }
    this.drain.release();
    return count;
  }
}

/** Names what one round of `rig` writes. */
export function hashOfRound(rig: FlowRig): string {
  const sums = new FlowSums();
  const flows = rig.run((words, word) => sums.add(words, word));
  return resultHash([flows, ...sums.values()]);
}

/** Packets, IP, wire and payload bytes, each in two directions, follow each other in a flow record. */
const SUMMED_FIELDS = Slot.PayloadBytes1F64 - Slot.Packets0F64 + 1;

/** Adds flow records up by protocol, end and TCP state, for a hash that does not depend on their order. */
class FlowSums {
  private readonly sums = new Map<string, number[]>();

  add(words: Int32Array, word: number): void {
    const floats = new Float64Array(words.buffer, word * 4, Slot.RecordBytes / 8);
    const protocol = (words[word + Slot.Protocol] as number) & 0xff;
    const name = `protocol ${protocol}, end ${words[word + Slot.EndReason]}, TCP ${words[word + Slot.TcpState]}`;
    const sum = this.sums.get(name) ?? new Array<number>(1 + SUMMED_FIELDS).fill(0);
    sum[0] = (sum[0] as number) + 1;
    for (let field = 0; field < SUMMED_FIELDS; field++)
      sum[1 + field] = (sum[1 + field] as number) + (floats[Slot.Packets0F64 + field] as number);
    this.sums.set(name, sum);
  }

  /** Number of flows and sums of the fields, in a fixed order. */
  values(): (string | number)[] {
    const names = [...this.sums.keys()].sort();
    return names.flatMap((name) => [name, ...(this.sums.get(name) as number[])]);
  }
}
