import { FrameWriter } from '../../src/capture/frame-writer.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { createRing, ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { createThreadBlock, ThreadBlock } from '../../src/ring/thread-block.js';
import { FlowRig, hashOfRound } from '../flow-records.js';
import type { Frames } from '../frames.js';
import { collidingSources, FLOOD_TARGET, type FloodSource, randomSources } from '../hash-flood.js';
import type { MicroCase, PreparedCase } from '../micro.js';

interface Values extends Record<string, number> {
  readonly packets: number;
  readonly flows: number;
  readonly seed: number;
  readonly slots: number;
}

/** Not the seed of the table that is measured. */
const GUESSED_SEED = 0x6b43_a9b5;
const LINKTYPE_ETHERNET = 1;
const FRAME_BYTES = 60;
const [IP, UDP] = [14, 34];
const RING_BYTES_PER_FRAME = 128;
const NS_PER_FRAME = 10_000;

/** Flows of the flood that are busy at a time; those before them stay in the table until they are evicted. */
const FLOWS_AT_A_TIME = 500;

/** Datagrams of a flood in a frame ring, all sources equally often; without checksums, which nobody here looks at. */
function floodFrames(sources: readonly FloodSource[], packets: number): Frames {
  const memory = createRing(2 ** Math.ceil(Math.log2(packets * RING_BYTES_PER_FRAME + 4096)));
  const block = new ThreadBlock(createThreadBlock());
  const writer = new FrameWriter([new RingProducer(memory, new Doorbell(block.memory))], block, true);
  const view = new DataView(new ArrayBuffer(FRAME_BYTES));
  view.setUint16(12, 0x0800);
  view.setUint16(IP, 0x4500);
  view.setUint16(IP + 2, FRAME_BYTES - IP);
  view.setUint8(IP + 8, 64);
  view.setUint8(IP + 9, FLOOD_TARGET.protocol);
  view.setUint32(IP + 16, FLOOD_TARGET.address);
  view.setUint16(UDP + 2, FLOOD_TARGET.port);
  view.setUint16(UDP + 4, FRAME_BYTES - UDP);
  const packetsPerGroup = Math.floor(packets / sources.length) * FLOWS_AT_A_TIME;
  for (let index = 0; index < packets; index++) {
    const group = Math.floor(index / packetsPerGroup) * FLOWS_AT_A_TIME;
    const { address, port } = sources[(group + (index % FLOWS_AT_A_TIME)) % sources.length] as FloodSource;
    view.setUint32(IP + 12, address);
    view.setUint16(UDP, port);
    const ns = index * NS_PER_FRAME;
    writer.frame(view, 0, FRAME_BYTES, FRAME_BYTES, Math.floor(ns / 1e9), ns % 1e9, 0, LINKTYPE_ETHERNET);
  }
  writer.flush();
  const consumer = new RingConsumer(memory, ResumeAt.Cursor);
  const payloads = Int32Array.from({ length: packets }, () => {
    const payload = consumer.peek();
    consumer.advance();
    return payload;
  });
  return { words: consumer.words, view: consumer.view, payloads, durationUs: (packets * NS_PER_FRAME) / 1000 };
}

/**
 * Packets whose 5-tuples would all meet in one bucket of the flow table if its hash had the seed that an attacker guessed, against the
 * same packets with 5-tuples at random: both through layer walk, flow table and inspection, in one thread.
 */
export const hashFloodCase: MicroCase<Values> = {
  name: 'hash-flood',
  operation: 'packet',
  smoke: { packets: 5_000, flows: 500, seed: 1, slots: 256 },
  full: { packets: 200_000, flows: 20_000, seed: 1, slots: 16_384 },
  prepare(values: Values): PreparedCase {
    const bucketBits = Math.ceil(Math.log2(values.slots * 2));
    const sources = collidingSources(values.flows, GUESSED_SEED, bucketBits);
    const flood = new FlowRig(floodFrames(sources, values.packets), values.slots);
    const ordinary = new FlowRig(floodFrames(randomSources(values.flows, values.seed), values.packets), values.slots);
    return {
      operationsPerBatch: values.packets,
      runBatch: () => {
        flood.run(null);
      },
      runReference: () => {
        ordinary.run(null);
      },
      resultHash: () => hashOfRound(flood),
      close: () => undefined,
    };
  },
};
