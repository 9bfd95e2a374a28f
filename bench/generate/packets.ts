import { FLOWS_MAX, FlowMix } from './flow-mix.js';
import { FRAME_BYTES_MAX, FrameWriter } from './frame-writer.js';
import { FlowKind, OpenFlows } from './open-flows.js';
import { Random } from './random.js';
import { FIN_PACKETS, HANDSHAKE_PACKETS } from './tcp-script.js';

/** Increased whenever the same parameters give other bytes. */
export const GENERATOR_VERSION = 3;

const PACKETS_MAX = 1_000_000_000;

/** What to generate. `packets` from 1 to `PACKETS_MAX`, `flows` from 1 to `packets` and at most `FLOWS_MAX`. */
export interface CaptureParameters {
  readonly packets: number;
  readonly flows: number;
  /** 32-bit number; the same one gives the same bytes. */
  readonly seed: number;
}

/** What is in a generated capture, known without reading it. */
export interface CaptureTruth {
  readonly packets: number;
  /** Different 5-tuples, both directions together. */
  readonly flows: number;
  /** Sum of the IP lengths, and of the frame lengths. */
  readonly ipBytes: number;
  readonly wireBytes: number;
  /** Bytes of the capture file. */
  readonly fileBytes: number;
}

/** Takes the capture piece by piece; a piece is valid only during the call. */
export type CaptureSink = (piece: Uint8Array) => void;

const PIECE_BYTES = 1 << 20;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const LINKTYPE_ETHERNET = 1;
const FLOWS_OPEN_MAX = 3000;
const START_SECONDS = 1_700_000_000;
/** Time between two packets is up to twice the mean of 500 µs: 2,000 packets a second, about 10 Mbit/s. */
const GAP_US_BOUND = 1000;
/** A longer flow sends trains, so that it ends before the capture does. */
const TRAIN_SHARE = 32;
const TRAIN_PACKETS_MAX = 24;

/** Why parameters cannot be had, or null. */
export function parametersProblem({ packets, flows, seed }: CaptureParameters): string | null {
  if (!Number.isInteger(packets) || packets < 1 || packets > PACKETS_MAX) return `packets must be from 1 to ${PACKETS_MAX}`;
  if (!Number.isInteger(flows) || flows < 1 || flows > FLOWS_MAX) return `flows must be from 1 to ${FLOWS_MAX}`;
  if (flows > packets) return 'there cannot be more flows than packets';
  return Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32 ? null : 'the seed must be from 0 to 4294967295';
}

/** Writes the header of a pcap file with µs timestamps in this machine's most common byte order, little-endian. */
function writeFileHeader(view: DataView): void {
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(8, 0, true);
  view.setUint32(12, 0, true);
  view.setUint32(16, 65_535, true);
  view.setUint32(20, LINKTYPE_ETHERNET, true);
}

/**
 * How many packets in a row a flow sends when it is its turn: a long flow hurries, and TCP's handshake and its end are quick. An
 * end that came in pieces would outlast the linger of a flow recorder, and its last packet would be a flow of its own there.
 */
function trainPackets(flows: OpenFlows, slot: number): number {
  const packets = flows.packets[slot] as number;
  const sent = flows.packetsSent[slot] as number;
  const left = packets - sent;
  const train = Math.min(left, TRAIN_PACKETS_MAX, Math.max(1, Math.floor(packets / TRAIN_SHARE)));
  if (flows.kind[slot] !== FlowKind.Tcp) return train;
  const quick = sent === 0 ? Math.min(left, HANDSHAKE_PACKETS) : train;
  return left - quick < FIN_PACKETS ? left : quick;
}

/**
 * Generates a capture of a busy home or small office: some thousand flows under way at any time, TCP with handshake, growing
 * sequence numbers and a proper end, DNS, other UDP and ICMP echo, a quarter of the flows IPv6, a few flows with most of the
 * packets. Memory does not grow with the capture. The caller has checked the parameters.
 */
export function generatePackets(parameters: CaptureParameters, sink: CaptureSink): CaptureTruth {
  const random = new Random(parameters.seed);
  const mix = new FlowMix(random, parameters.packets, parameters.flows);
  const flows = new OpenFlows(Math.min(FLOWS_OPEN_MAX, parameters.flows));
  const bytes = new Uint8Array(PIECE_BYTES);
  const view = new DataView(bytes.buffer);
  const writer = new FrameWriter(bytes, view, flows);
  const turns = new Uint16Array(flows.capacity);
  for (let slot = 0; slot < flows.capacity; slot++) {
    mix.open(flows, slot);
    turns[slot] = slot;
  }
  let open = flows.capacity;
  let ipBytes = 0;
  let fileBytes = 0;
  let seconds = START_SECONDS;
  let microseconds = 0;
  let offset = FILE_HEADER_BYTES;
  let packets = 0;
  writeFileHeader(view);
  while (open > 0) {
    const turn = random.below(open);
    const slot = turns[turn] as number;
    const train = trainPackets(flows, slot);
    for (let sent = 0; sent < train; sent++) {
      if (offset + RECORD_HEADER_BYTES + FRAME_BYTES_MAX > PIECE_BYTES) {
        sink(bytes.subarray(0, offset));
        fileBytes += offset;
        offset = 0;
      }
      microseconds += 1 + random.below(GAP_US_BOUND - 1);
      if (microseconds >= 1_000_000) {
        microseconds -= 1_000_000;
        seconds++;
      }
      const timeMs = (seconds - START_SECONDS + 1) * 1000 + Math.floor(microseconds / 1000);
      const frameBytes = writer.write(slot, offset + RECORD_HEADER_BYTES, timeMs);
      view.setUint32(offset, seconds, true);
      view.setUint32(offset + 4, microseconds, true);
      view.setUint32(offset + 8, frameBytes, true);
      view.setUint32(offset + 12, frameBytes, true);
      offset += RECORD_HEADER_BYTES + frameBytes;
      ipBytes += writer.ipBytes;
      packets++;
    }
    if ((flows.packetsSent[slot] as number) < (flows.packets[slot] as number)) continue;
    if (mix.flowsLeft > 0) mix.open(flows, slot);
    else turns[turn] = turns[--open] as number;
  }
  sink(bytes.subarray(0, offset));
  fileBytes += offset;
  const wireBytes = fileBytes - FILE_HEADER_BYTES - packets * RECORD_HEADER_BYTES;
  return { packets, flows: parameters.flows, ipBytes, wireBytes, fileBytes };
}
