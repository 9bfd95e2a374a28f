import type { FrameSink } from './source.js';

/**
 * Offsets in the receive ring of a packet socket, TPACKET_V3 (linux/if_packet.h), all fields in the machine's byte order.
 *
 * ```
 * block   0 version | 4 offset of private data | 8 status | 12 packets | 16 offset of first packet | 20 length | ...
 * packet  0 offset of next | 4 s | 8 ns | 12 captured | 16 on the wire | 20 status | 24 mac, net (16 bits each)
 *         28 rxhash | 32 vlan tci | 36 vlan tpid (16 bits) | 48 sockaddr_ll | ... | mac: the frame
 * ```
 */
/** A block's header, from its start. */
export const enum Block {
  StatusWord = 2,
  PacketCountWord = 3,
  FirstPacketWord = 4,
  /** Status: the block belongs to us; 0 gives it back to the kernel. */
  StatusUser = 1,
  StatusKernel = 0,
}

/** A packet's header, from its start. */
export const enum Packet {
  NextWord = 0,
  SecondsWord = 1,
  NanosecondsWord = 2,
  CapturedWord = 3,
  WireWord = 4,
  StatusWord = 5,
  VlanTciWord = 8,
  MacHalfword = 12,
  VlanTpidHalfword = 18,
  /** Status: the kernel took the outer VLAN tag out of the frame; its TPID is told as well. */
  StatusVlan = 1 << 4,
  StatusVlanTpid = 1 << 6,
}

const enum Vlan {
  TagBytes = 4,
  /** The tag stands behind the two MAC addresses (IEEE 802.1Q clause 9). */
  AddressBytes = 12,
  DefaultTpid = 0x8100,
}

/** How the frames of a ring are handed over. */
export interface RingFrames {
  readonly interfaceIndex: number;
  readonly linkType: number;
  /** Whether frames start with an Ethernet header, so that a VLAN tag has its place. */
  readonly isEthernet: boolean;
  /** A longer frame is cut. */
  readonly snapBytes: number;
}

/** Told of each block, so that a successor can go on in the same ring. */
export interface RingProgress {
  /** A block is about to be handed over; a predecessor has done so with its first `framesTaken` frames. */
  beginBlock(framesTaken: number): void;
  /** The block at `blockIndex` is the next one; the one in hand is about to be given back. */
  endBlock(blockIndex: number): void;
}

/** Where a ring is read from. */
export interface RingPosition {
  readonly blockIndex: number;
  /** Frames of that block to pass over. */
  readonly framesTaken: number;
}

const RING_START: RingPosition = { blockIndex: 0, framesTaken: 0 };

/**
 * Walks the blocks of a TPACKET_V3 ring in memory that the kernel writes. The kernel must have been asked to leave at least 4 bytes
 * before each frame (PACKET_RESERVE): there goes the VLAN tag that it took out, so that the frame is again as it was on the wire.
 */
export class AfpacketRing {
  protected readonly view: DataView;
  private readonly status: Int32Array;
  protected readonly words: Uint32Array;
  protected readonly halfwords: Uint16Array;
  readonly blockCount: number;
  private blockIndex: number;
  private framesTaken: number;

  /** `memory` holds whole blocks of `blockBytes`, a multiple of 8. */
  constructor(
    memory: ArrayBuffer,
    private readonly blockBytes: number,
    protected readonly frames: RingFrames,
    private readonly progress: RingProgress | null = null,
    position: RingPosition = RING_START,
  ) {
    this.blockIndex = position.blockIndex;
    this.framesTaken = position.framesTaken;
    this.view = new DataView(memory);
    this.status = new Int32Array(memory);
    this.words = new Uint32Array(memory);
    this.halfwords = new Uint16Array(memory);
    this.blockCount = memory.byteLength / blockBytes;
  }

  /** Hands the frames of the ready blocks, at most `blocksMax`, to `sink` and gives the blocks back. Returns how many blocks. */
  walk(sink: FrameSink, blocksMax: number): number {
    for (let taken = 0; taken < blocksMax; taken++) {
      if (!this.isReady(0)) return taken;
      const block = (this.blockIndex * this.blockBytes) >> 2;
      this.progress?.beginBlock(this.framesTaken);
      this.walkBlock(sink, block);
      this.framesTaken = 0;
      this.blockIndex = this.blockIndex + 1 === this.blockCount ? 0 : this.blockIndex + 1;
      this.progress?.endBlock(this.blockIndex);
      Atomics.store(this.status, block + Block.StatusWord, Block.StatusKernel);
    }
    return blocksMax;
  }

  /** Whether the kernel has filled the block that stands `ahead` blocks behind the next one, and so all before it. */
  isReady(ahead: number): boolean {
    const index = (this.blockIndex + ahead) % this.blockCount;
    return (Atomics.load(this.status, ((index * this.blockBytes) >> 2) + Block.StatusWord) & Block.StatusUser) !== 0;
  }

  private walkBlock(sink: FrameSink, block: number): void {
    const words = this.words;
    const blockEnd = (block << 2) + this.blockBytes;
    const count = words[block + Block.PacketCountWord] as number;
    let packet = block + ((words[block + Block.FirstPacketWord] as number) >> 2);
    for (let index = 0; index < this.framesTaken; index++) packet += (words[packet + Packet.NextWord] as number) >> 2;
    for (let index = this.framesTaken; index < count; index++) {
      const offset = (packet << 2) + (this.halfwords[(packet << 1) + Packet.MacHalfword] as number);
      if (offset + (words[packet + Packet.CapturedWord] as number) > blockEnd)
        throw new Error(`receive ring: frame at ${offset} runs beyond its block`);
      this.handOver(sink, packet, offset);
      packet += (words[packet + Packet.NextWord] as number) >> 2;
    }
  }

  /** Hands over the packet whose header is at the word `packet` and whose bytes start at `offset`. */
  protected handOver(sink: FrameSink, packet: number, offset: number): void {
    const words = this.words;
    const { interfaceIndex, linkType, isEthernet, snapBytes } = this.frames;
    let start = offset;
    let captured = words[packet + Packet.CapturedWord] as number;
    let wire = words[packet + Packet.WireWord] as number;
    if (
      ((words[packet + Packet.StatusWord] as number) & Packet.StatusVlan) !== 0 &&
      isEthernet &&
      captured >= Vlan.AddressBytes
    ) {
      start -= Vlan.TagBytes;
      captured += Vlan.TagBytes;
      wire += Vlan.TagBytes;
      this.insertVlanTag(packet, start);
    }
    sink.frame(
      this.view,
      start,
      captured < snapBytes ? captured : snapBytes,
      wire,
      words[packet + Packet.SecondsWord] as number,
      words[packet + Packet.NanosecondsWord] as number,
      interfaceIndex,
      linkType,
    );
  }

  /** Moves the MAC addresses down to `offset` and writes the tag behind them. */
  private insertVlanTag(packet: number, offset: number): void {
    const view = this.view;
    view.setUint32(offset, view.getUint32(offset + 4));
    view.setUint32(offset + 4, view.getUint32(offset + 8));
    view.setUint32(offset + 8, view.getUint32(offset + 12));
    const hasTpid = ((this.words[packet + Packet.StatusWord] as number) & Packet.StatusVlanTpid) !== 0;
    const tpid = hasTpid ? (this.halfwords[(packet << 1) + Packet.VlanTpidHalfword] as number) : Vlan.DefaultTpid;
    view.setUint16(offset + Vlan.AddressBytes, tpid);
    view.setUint16(offset + Vlan.AddressBytes + 2, (this.words[packet + Packet.VlanTciWord] as number) & 0xffff);
  }
}
