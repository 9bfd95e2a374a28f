import { Drop } from '../ring/drop-reason.js';
import { Command, Frame, RecordKind } from '../ring/layout.js';
import type { RingProducer } from '../ring/ring.js';
import { Cell, type ThreadBlock } from '../ring/thread-block.js';
import { CopyLength } from './copy-length.js';
import type { LiveTime } from './live-time.js';
import { isOwnTraffic } from './own-traffic.js';
import type { FrameSink } from './source.js';
import { steer } from './steer.js';

/** Frames are published when so many bytes have gathered in a ring, and at every `flush`. A replay has no one waiting. */
const LIVE_PUBLISH_BYTES = 16_384;
const REPLAY_PUBLISH_BYTES = 131_072;
/** Longest frame of an Ethernet with the usual 1,500 bytes: header and two VLAN tags, without the check sequence. */
const FRAME_BYTES_USUAL_MAX = 1522;
/** How long a replay waits for a full ring before it renews its heartbeat. */
const WAIT_MS = 100;

/** Writes frames into the ring of the worker that they belong to, and counts them. */
export class FrameWriter implements FrameSink {
  private readonly cells: Float64Array;
  /** Frames of each ring that are not published yet. */
  private readonly unpublished: Int32Array;
  private readonly publishBytes: number;
  private readonly copyLength = new CopyLength();
  /** Frames of connections with our own API on this port are counted and left out; 0 takes them like the rest. */
  ownPort = 0;

  /** `isLive`: a full ring drops the frame; otherwise the thread waits. `time` puts timestamps right that went by a wrong clock. */
  constructor(
    private readonly rings: readonly RingProducer[],
    private readonly block: ThreadBlock,
    private readonly isLive: boolean,
    private readonly time: LiveTime | null = null,
  ) {
    this.cells = block.cells;
    this.unpublished = new Int32Array(rings.length);
    this.publishBytes = isLive ? LIVE_PUBLISH_BYTES : REPLAY_PUBLISH_BYTES;
    this.settlePredecessor();
  }

  frame(
    view: DataView,
    offset: number,
    capturedBytes: number,
    wireBytes: number,
    seconds: number,
    nanoseconds: number,
    interfaceIndex: number,
    linkType: number,
  ): void {
    const { cells, rings } = this;
    cells[Cell.FramesReceived] = (cells[Cell.FramesReceived] as number) + 1;
    cells[Cell.WireBytesReceived] = (cells[Cell.WireBytesReceived] as number) + wireBytes;
    if (wireBytes > FRAME_BYTES_USUAL_MAX) cells[Cell.FramesOversized] = (cells[Cell.FramesOversized] as number) + 1;
    if (capturedBytes < wireBytes) cells[Cell.FramesCut] = (cells[Cell.FramesCut] as number) + 1;
    if (this.ownPort !== 0 && isOwnTraffic(view, offset, capturedBytes, linkType, this.ownPort)) {
      cells[Cell.Drops + Drop.OwnTraffic] = (cells[Cell.Drops + Drop.OwnTraffic] as number) + 1;
      return;
    }
    const index = rings.length === 1 ? 0 : steer(view, offset, capturedBytes, linkType, rings.length);
    const ring = rings[index] as RingProducer;
    const copiedBytes = this.copyLength.of(view, offset, capturedBytes, linkType);
    let payload = ring.tryPush(RecordKind.Frame, Frame.HeaderBytes + copiedBytes);
    if (payload < 0) {
      payload = this.isLive ? -1 : this.waitAndPush(index, Frame.HeaderBytes + copiedBytes);
      if (payload < 0) {
        cells[Cell.Drops + Drop.RingFull] = (cells[Cell.Drops + Drop.RingFull] as number) + 1;
        ring.countRefused();
        return;
      }
    }
    const words = ring.words;
    const word = payload >> 2;
    words[word + Frame.CopiedBytes] = copiedBytes;
    words[word + Frame.CapturedBytes] = capturedBytes;
    words[word + Frame.WireBytes] = wireBytes;
    const { time } = this;
    if (time === null || time.isRight(seconds)) {
      words[word + Frame.Seconds] = seconds;
      words[word + Frame.Nanoseconds] = nanoseconds;
    } else {
      time.correct(seconds, nanoseconds);
      words[word + Frame.Seconds] = time.seconds;
      words[word + Frame.Nanoseconds] = time.nanoseconds;
    }
    words[word + Frame.InterfaceIndex] = interfaceIndex;
    words[word + Frame.LinkType] = linkType;
    copyBytes(view, offset, copiedBytes, words, ring.view, payload + Frame.HeaderBytes);
    ring.commit();
    cells[Cell.BytesCopied] = (cells[Cell.BytesCopied] as number) + copiedBytes;
    this.unpublished[index] = (this.unpublished[index] as number) + 1;
    if (ring.unpublishedBytes >= this.publishBytes) this.publish(index);
  }

  /** Publishes what has gathered in all rings. */
  flush(): void {
    for (let index = 0; index < this.rings.length; index++) this.publish(index);
  }

  private publish(index: number): void {
    const { cells, unpublished } = this;
    const count = unpublished[index] as number;
    (this.rings[index] as RingProducer).publishCounted(count);
    cells[Cell.FramesPublished] = (cells[Cell.FramesPublished] as number) + count;
    unpublished[index] = 0;
  }

  /** Publishes what a capture thread had written when it died, and counts the frame that it had in hand as lost. */
  private settlePredecessor(): void {
    const { cells } = this;
    for (const ring of this.rings) ring.recover();
    // It may have died between publishing and counting: the rings know better.
    const published = this.rings.reduce((sum, ring) => (sum + ring.publishedCount) | 0, 0);
    const counted = cells[Cell.FramesPublished] as number;
    cells[Cell.FramesPublished] = counted + ((published - (counted % 2 ** 32)) | 0);
    let accounted = cells[Cell.FramesPublished] as number;
    for (let reason = 0; reason < Drop.Count; reason++) accounted += cells[Cell.Drops + reason] as number;
    const lost = (cells[Cell.FramesReceived] as number) - accounted;
    cells[Cell.Drops + Drop.CaptureCrash] = (cells[Cell.Drops + Drop.CaptureCrash] as number) + lost;
  }

  /** Replay: waits for space. Gives up, with -1, only when the run is being stopped. */
  private waitAndPush(index: number, payloadBytes: number): number {
    const ring = this.rings[index] as RingProducer;
    for (;;) {
      this.publish(index);
      ring.waitForSpace(WAIT_MS);
      this.block.beat();
      const payload = ring.tryPush(RecordKind.Frame, payloadBytes);
      if (payload >= 0) return payload;
      if (this.block.command === Command.Drain) return -1;
    }
  }
}

/**
 * Copies bytes that may lie anywhere in the source to a word boundary of the ring, four words at a time: for headers this is
 * four times faster than `TypedArray.set` over a subarray, and allocates nothing.
 */
function copyBytes(view: DataView, offset: number, count: number, words: Int32Array, target: DataView, start: number): void {
  let word = start >> 2;
  let at = offset;
  const end16 = offset + (count & -16);
  while (at < end16) {
    words[word] = view.getInt32(at, true);
    words[word + 1] = view.getInt32(at + 4, true);
    words[word + 2] = view.getInt32(at + 8, true);
    words[word + 3] = view.getInt32(at + 12, true);
    word += 4;
    at += 16;
  }
  const end = offset + count;
  for (let to = word << 2; at < end; at++, to++) target.setUint8(to, view.getUint8(at));
}
