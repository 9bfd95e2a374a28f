import { Cell, type ThreadBlock } from './thread-block.js';
import { Link } from './watch-layout.js';

/** A packet socket that a dead capture thread has left behind, with its ring. */
export interface LeftSocket {
  readonly fd: number;
  /** Where the ring is mapped in this process, and how long it is. */
  readonly address: bigint;
  readonly bytes: number;
  /** pcap's LINKTYPE_ number of what the socket delivers. */
  readonly linkType: number;
  /** Block of the ring that is to be read next, and how many of its frames were handed over already. */
  readonly blockIndex: number;
  readonly framesTaken: number;
}

const NO_BLOCK = -1;
const KERNEL_COUNTS = 3;

/**
 * What a capture thread would leave behind of one watched interface. Descriptors and mappings belong to the process, so they outlive
 * the thread: a successor reads on where the ring stands, and nothing that the kernel has counted is lost.
 */
export class SocketEstate {
  /** Packets that the kernel counted since the session began, and what it dropped of them. */
  readonly kernelTotals: Float64Array;
  /** Where the kernel writes what has come since it was asked last: reading resets it, and the reader may die. */
  readonly kernelCounts: Uint32Array;
  private readonly floats: Float64Array;
  private readonly start: number;

  /** `links` is the memory of the link table, `index` that of the interface in it, `block` that of the capture. */
  constructor(
    links: SharedArrayBuffer,
    index: number,
    private readonly block: ThreadBlock,
  ) {
    this.floats = new Float64Array(links);
    this.start = (index * Link.Words) >> 1;
    const totals = this.start + Link.KernelPacketsF64;
    this.kernelTotals = this.floats.subarray(totals, totals + 2);
    this.kernelCounts = new Uint32Array(links, (this.start + Link.KernelCountsF64) * 8, KERNEL_COUNTS);
  }

  /** Writes down a socket that was opened, and whose ring is read from its first block on. */
  leave(fd: number, address: bigint, bytes: number, linkType: number): void {
    this.set(Link.MappingF64, Number(address));
    this.set(Link.MappingBytesF64, bytes);
    this.set(Link.LinkTypeF64, linkType);
    this.set(Link.BlockIndexF64, 0);
    this.set(Link.BlockReceivedF64, NO_BLOCK);
    this.set(Link.SocketF64, fd + 1);
  }

  /** The socket is closed: nothing is left. */
  clear(): void {
    this.set(Link.SocketF64, 0);
  }

  /** What a predecessor has left, or null. To be asked before the first frame is handed over. */
  find(): LeftSocket | null {
    const fd = this.get(Link.SocketF64) - 1;
    if (fd < 0) return null;
    const receivedBefore = this.get(Link.BlockReceivedF64);
    return {
      fd,
      address: BigInt(this.get(Link.MappingF64)),
      bytes: this.get(Link.MappingBytesF64),
      linkType: this.get(Link.LinkTypeF64),
      blockIndex: this.get(Link.BlockIndexF64),
      framesTaken: receivedBefore === NO_BLOCK ? 0 : this.block.cell(Cell.FramesReceived) - receivedBefore,
    };
  }

  /** Descriptor of the socket that asks for the state of the interface, or null; it is left like the other one. */
  get probeFd(): number | null {
    const value = this.get(Link.ProbeF64);
    return value === 0 ? null : value - 1;
  }

  set probeFd(fd: number | null) {
    this.set(Link.ProbeF64, fd === null ? 0 : fd + 1);
  }

  /** A block is about to be handed over; `framesTaken` of its frames were so before. */
  beginBlock(framesTaken: number): void {
    this.set(Link.BlockReceivedF64, this.block.cell(Cell.FramesReceived) - framesTaken);
  }

  /** It is handed over; the next one is that at `blockIndex`. To be called before it is given back to the kernel. */
  endBlock(blockIndex: number): void {
    this.set(Link.BlockIndexF64, blockIndex);
    this.set(Link.BlockReceivedF64, NO_BLOCK);
  }

  private get(field: Link): number {
    return this.floats[this.start + field] as number;
  }

  private set(field: Link, value: number): void {
    this.floats[this.start + field] = value;
  }
}
