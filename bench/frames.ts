import { FrameWriter } from '../src/capture/frame-writer.js';
import { Doorbell } from '../src/ring/doorbell.js';
import { createRing, ResumeAt, RingConsumer, RingProducer } from '../src/ring/ring.js';
import { createThreadBlock, ThreadBlock } from '../src/ring/thread-block.js';
import { type CaptureParameters, generatePackets } from './generate/packets.js';

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const LINKTYPE_ETHERNET = 1;
/** A frame takes at most so much of a ring: record and frame headers, and what the capture copies of generated frames. */
const RING_BYTES_PER_FRAME = 320;

/** Generated frames in a frame ring, as the capture puts them there for a parse worker, to be read again and again. */
export interface Frames {
  readonly words: Int32Array;
  readonly view: DataView;
  /** Byte offset of each frame record's payload. */
  readonly payloads: Int32Array;
  /** Time from the first to the last frame. */
  readonly durationUs: number;
}

/** Walks the records of one piece of a generated pcap file from `offset`. */
function writePiece(writer: FrameWriter, piece: Uint8Array, start: number): number {
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  let seconds = 0;
  let microseconds = 0;
  for (let offset = start; offset < piece.byteLength; ) {
    seconds = view.getUint32(offset, true);
    microseconds = view.getUint32(offset + 4, true);
    const captured = view.getUint32(offset + 8, true);
    const wire = view.getUint32(offset + 12, true);
    offset += RECORD_HEADER_BYTES;
    writer.frame(view, offset, captured, wire, seconds, microseconds * 1000, 0, LINKTYPE_ETHERNET);
    offset += captured;
  }
  return seconds * 1e6 + microseconds;
}

/** Generates frames into memory. */
export function generateFrames(parameters: CaptureParameters): Frames {
  const memory = createRing(2 ** Math.ceil(Math.log2(parameters.packets * RING_BYTES_PER_FRAME + 4096)));
  const block = new ThreadBlock(createThreadBlock());
  const writer = new FrameWriter([new RingProducer(memory, new Doorbell(block.memory))], block, true);
  let startUs = -1;
  let endUs = 0;
  generatePackets(parameters, (piece) => {
    const isFirst = startUs < 0;
    const first = isFirst ? FILE_HEADER_BYTES : 0;
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
    if (isFirst) startUs = view.getUint32(first, true) * 1e6 + view.getUint32(first + 4, true);
    endUs = writePiece(writer, piece, first);
  });
  writer.flush();
  const consumer = new RingConsumer(memory, ResumeAt.Cursor);
  const payloads = new Int32Array(parameters.packets);
  for (let index = 0; index < payloads.length; index++) {
    const payload = consumer.peek();
    if (payload < 0) throw new Error(`bench: only ${index} of ${payloads.length} frames fit into the ring`);
    payloads[index] = payload;
    consumer.advance();
  }
  return { words: consumer.words, view: consumer.view, payloads, durationUs: endUs - startUs };
}
