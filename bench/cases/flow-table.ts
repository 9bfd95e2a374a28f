import { decode } from '../../src/parse/decode.js';
import { FlowEmitter } from '../../src/parse/flow-emitter.js';
import { FlowTable } from '../../src/parse/flow-table.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { createFlowSlots } from '../../src/ring/flow-slots.js';
import { EndReason, Frame } from '../../src/ring/layout.js';
import { createRing, RingProducer } from '../../src/ring/ring.js';
import { createThreadBlock, ThreadBlock } from '../../src/ring/thread-block.js';
import { Packet } from '../../src/wire/packet.js';
import { generateFrames } from '../frames.js';
import type { MicroCase, PreparedCase } from '../micro.js';
import { resultHash } from '../result-hash.js';
import { FlowDrain } from './flow-drain.js';

interface Values extends Record<string, number> {
  readonly packets: number;
  readonly flows: number;
  readonly seed: number;
  readonly slots: number;
}

/** The default timeouts in µs. */
const OPTIONS = { idleTcpUs: 300e6, idleUdpUs: 60e6, idleOtherUs: 30e6, tcpLingerUs: 5e6, activeUs: 300e6, keyVlan: false };
const HASH_SEED = 0x1234_5678;
const RING_BYTES_PER_FLOW = 256;
/** Frames after which the flow ring is emptied, as the writer would. */
const FRAMES_PER_DRAIN = 1024;
/** Between two batches, longer than every timeout: the same frames are new flows again. */
const PAUSE_US = 1e9;

/** Frames of a generated capture through the layer walk and the flow table, all flows written at the end, in one thread. */
export const flowTableCase: MicroCase<Values> = {
  name: 'flow-table',
  operation: 'packet',
  smoke: { packets: 5_000, flows: 500, seed: 1, slots: 256 },
  full: { packets: 200_000, flows: 20_000, seed: 1, slots: 16_384 },
  prepare(values: Values): PreparedCase {
    const { words, view, payloads, durationUs } = generateFrames(values);
    // Room for a whole table, and for a flow that each frame evicts before the ring is emptied: nobody else would.
    const ring = createRing(2 ** Math.ceil(Math.log2((values.slots + FRAMES_PER_DRAIN) * RING_BYTES_PER_FLOW)));
    const block = new ThreadBlock(createThreadBlock());
    const emitter = new FlowEmitter(new RingProducer(ring, new Doorbell(createThreadBlock())), 1);
    const table = new FlowTable(createFlowSlots(values.slots), OPTIONS, HASH_SEED, emitter, block);
    const drain = new FlowDrain(ring);
    const packet = new Packet();
    let shiftUs = 0;
    const run = (isSummed: boolean): number => {
      let flows = 0;
      for (let index = 0; index < payloads.length; index++) {
        const payload = payloads[index] as number;
        const word = payload >> 2;
        const start = payload + Frame.HeaderBytes;
        const end = start + (words[word + Frame.CopiedBytes] as number);
        const wireBytes = (words[word + Frame.WireBytes] as number) >>> 0;
        const drop = decode(view, start, end, wireBytes, words[word + Frame.LinkType] as number, packet);
        if (drop !== Drop.None) throw new Error(`bench case flow-table: frame ${index} was dropped, reason ${drop}`);
        const seconds = (words[word + Frame.Seconds] as number) >>> 0;
        const packetUs = shiftUs + seconds * 1e6 + Math.floor((words[word + Frame.Nanoseconds] as number) / 1000);
        table.advance(packetUs);
        table.add(packet, packetUs, wireBytes, words[word + Frame.InterfaceIndex] as number);
        if (index % FRAMES_PER_DRAIN === 0) flows += drain.drain(isSummed);
      }
      table.flush(EndReason.EndOfInput);
      shiftUs += durationUs + PAUSE_US;
      return flows + drain.drain(isSummed);
    };
    return {
      operationsPerBatch: payloads.length,
      runBatch: () => {
        run(false);
      },
      resultHash: () => {
        const flows = run(true);
        return resultHash([flows, ...drain.takeSums()]);
      },
      close: () => undefined,
    };
  },
};
