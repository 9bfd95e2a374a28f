import koffi from 'koffi';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { Errno, errnoText, libcFunction } from '../libc.js';
import type { InterfaceTable } from '../ring/interface-table.js';
import type { LeftSocket, SocketEstate } from '../ring/socket-estate.js';
import { monotonicMs } from '../ring/thread-block.js';
import { LinkType } from '../wire/link-type.js';
import { AfpacketRing } from './afpacket-ring.js';
import { acceptAll, compileFilter, refuseLoopbackOutgoing } from './bpf.js';
import { COOKED_RESERVE_BYTES, CookedRing } from './cooked-ring.js';
import { Gathering } from './gathering.js';
import { linkTypeOfHardware } from './hardware-type.js';
import { KernelInterfaces } from './kernel-interfaces.js';
import {
  callFailed,
  type KernelCounts,
  type KernelInterface,
  newKernelCounts,
  PacketOption,
  PacketSocket,
  PollResult,
  SocketType,
} from './packet-socket.js';
import { type FrameSink, type PacketSource, type SourceStatistics, Step } from './source.js';

const TPACKET_V3 = 2;
/** PROT_READ | PROT_WRITE and MAP_SHARED of mmap(2). */
const PROTECTION_READ_WRITE = 3;
const MAP_SHARED = 1;

/**
 * Size of a block: a multiple of every page size in use (4, 16 and 64 KiB), and room for merged frames (64 KiB). Small, since on a quiet
 * line the kernel hands over a whole block each time that its timer runs out, however little is in it: 64 blocks of the default buffer
 * last for 6.4 s, longer than it takes to find that the capture thread hangs, and to replace it.
 */
const BLOCK_BYTES = 262_144;
/** With one block the kernel would have nowhere to write while we read. */
const BLOCKS_MIN = 2;
/**
 * The kernel hands over a block that is not full after so long; the wait that a quiet line costs. At 10,000 packets/s, 100 take a tenth
 * less of all threads together than 40.
 */
const BLOCK_TIMEOUT_MS = 100;
/** Blocks per step: some thousand frames of ordinary size. */
const BLOCKS_PER_STEP = 16;
/** The kernel checks it and does not use it: TPACKET_V3 lays packets end to end. */
const FRAME_BYTES = 2048;
/** Bytes left free before each frame, for a VLAN tag. */
const RESERVE_BYTES = 4;

/** This name stands for all interfaces, present and to come. */
export const ANY_INTERFACE = 'any';
/** What it is bound to (packet(7)). */
const ALL_INTERFACES: KernelInterface = { index: 0, hardwareType: -1, isUp: true, isLoopback: false };

/** `mmap` answers all ones for a failure, as wide as a pointer is. */
function isMapFailed(address: bigint | null): address is null {
  return address === null || BigInt.asIntN(8 * koffi.sizeof('void *'), address) === -1n;
}

/**
 * Captures from one interface, or from all of them (`any`), through an AF_PACKET ring that the kernel writes and this thread reads (TPACKET_V3). For a thread of
 * its own: `step` blocks it. Timestamps are the kernel's. An interface that is down delivers once it is up; one that goes away ends
 * the capture with `CAPTURE_FAILED`, after everything before has been handed over.
 *
 * Every packet that the kernel counted and did not drop is handed over exactly once: on the loopback interface, where each packet
 * passes twice, the kernel is told to leave out the outgoing copy before it counts. Frames of `any` have the link header of
 * LINKTYPE_LINUX_SLL2, and each the interface that it was seen on; promiscuous mode is then left to others.
 */
export class AfpacketSource implements PacketSource {
  private readonly mmap = libcFunction<bigint | null>(
    'void *mmap(void *address, size_t bytes, int protection, int flags, int fd, int64_t offset)',
  );
  private readonly munmap = libcFunction('int munmap(void *address, size_t bytes)');
  private readonly ringBytes: number;
  private socket: PacketSocket | null = null;
  private mapping: bigint | null = null;
  private ring: AfpacketRing | null = null;
  private readonly gathering: Gathering;
  private kernelInterfaces: KernelInterfaces | null = null;
  private readonly isAny: boolean;
  private sink: FrameSink | null = null;
  private interfaceIndex = 0;
  /** Whether the socket that is open was left by a dead capture thread. */
  isInherited = false;
  private isGone = false;
  private hasLostLink = false;
  /** Where this source's counts go, and what was there when it was opened. */
  private counts: KernelCounts = newKernelCounts();
  private packetsBefore = 0;
  private droppedBefore = 0;
  private statisticsLast: SourceStatistics = { kernelPackets: 0, kernelDropped: 0, inputBytesRead: 0, inputBytesTotal: 0 };

  constructor(
    private readonly interfaceName: string,
    private readonly config: Config,
    private readonly estate: SocketEstate | null = null,
  ) {
    const blocks = Math.max(BLOCKS_MIN, Math.ceil(config.captureBufferBytes / BLOCK_BYTES));
    this.ringBytes = blocks * BLOCK_BYTES;
    this.gathering = new Gathering(this.ringBytes, blocks);
    this.isAny = interfaceName === ANY_INTERFACE;
  }

  /**
   * Opens the interface, or goes on with the socket that a dead capture thread has left. Throws `INTERFACE_NOT_FOUND`,
   * `CAPTURE_NOT_PERMITTED`, `CAPTURE_FILTER_INVALID`, `LIBPCAP_MISSING` or, with the system call, `CAPTURE_FAILED`; then nothing
   * is left open.
   */
  open(sink: FrameSink, interfaces: InterfaceTable): void {
    this.close();
    this.isGone = false;
    this.hasLostLink = false;
    const left = this.estate?.find() ?? null;
    this.isInherited = left !== null;
    this.counts = this.estate ?? newKernelCounts();
    this.packetsBefore = this.counts.kernelTotals[0] as number;
    this.droppedBefore = this.counts.kernelTotals[1] as number;
    try {
      if (left) this.inherit(left, sink, interfaces);
      else this.start(sink, interfaces);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Binds last: what comes in before the filter stands would be counted and not wanted. */
  private start(sink: FrameSink, interfaces: InterfaceTable): void {
    const { kernelInterface, linkType } = this.openSocket();
    const socket = this.socket as PacketSocket;
    this.sink = sink;
    this.interfaceIndex = kernelInterface.index;
    this.mapRing(socket);
    this.ring = this.makeRing(socket, linkType, interfaces);
    if (kernelInterface.isLoopback) socket.ignoreOutgoing();
    socket.attachFilter(this.filterProgram(linkType));
    if (this.config.capturePromiscuous && !this.isAny) socket.promiscuous(kernelInterface.index, true);
    socket.startIntake(kernelInterface.index);
    this.estate?.leave(socket.fd, this.mapping as bigint, this.ringBytes, linkType);
  }

  /** One whose interface is gone, or has another name by now, is only read to its end. */
  private inherit(left: LeftSocket, sink: FrameSink, interfaces: InterfaceTable): void {
    const socket = new PacketSocket(left.fd, this.counts);
    this.socket = socket;
    this.mapping = left.address;
    this.sink = sink;
    this.ring = this.makeRing(socket, left.linkType, interfaces, left);
    this.interfaceIndex = socket.boundIndex();
    if (this.isAny || (this.interfaceIndex > 0 && socket.status(this.interfaceName)?.index === this.interfaceIndex)) return;
    this.isGone = true;
    if (socket.isBound()) socket.stopIntake(this.interfaceIndex);
  }

  /** The kind of socket follows from the hardware type, which only a socket can ask for. */
  private openSocket(): { kernelInterface: KernelInterface; linkType: number } {
    if (this.isAny) {
      this.socket = PacketSocket.open(SocketType.Datagram, this.counts);
      return { kernelInterface: ALL_INTERFACES, linkType: LinkType.LinuxSll2 };
    }
    this.socket = PacketSocket.open(SocketType.Raw, this.counts);
    const kernelInterface = this.socket.interface(this.interfaceName);
    const linkType = linkTypeOfHardware(kernelInterface.hardwareType);
    if (linkType === LinkType.Raw) {
      this.socket.close();
      this.socket = null;
      this.socket = PacketSocket.open(SocketType.Datagram, this.counts);
    }
    return { kernelInterface, linkType };
  }

  private mapRing(socket: PacketSocket): void {
    socket.setPacketOption(PacketOption.Version, Int32Array.of(TPACKET_V3), 'asking for TPACKET_V3');
    socket.setPacketOption(
      PacketOption.Reserve,
      Uint32Array.of(this.isAny ? COOKED_RESERVE_BYTES : RESERVE_BYTES),
      'setting PACKET_RESERVE',
    );
    const frameCount = this.ringBytes / FRAME_BYTES;
    const request = Uint32Array.of(BLOCK_BYTES, this.ringBytes / BLOCK_BYTES, FRAME_BYTES, frameCount, BLOCK_TIMEOUT_MS, 0, 0);
    const what = `allocating a capture buffer of ${this.ringBytes} bytes (capture.buffer-bytes)`;
    socket.setPacketOption(PacketOption.RxRing, request, what);
    const address = this.mmap(null, this.ringBytes, PROTECTION_READ_WRITE, MAP_SHARED, socket.fd, 0);
    if (isMapFailed(address)) throw callFailed('mapping the capture buffer');
    this.mapping = address;
  }

  /** A new ring is read from its start, one that was left from where it stands. */
  private makeRing(socket: PacketSocket, linkType: number, interfaces: InterfaceTable, position?: LeftSocket): AfpacketRing {
    const memory = koffi.view(this.mapping as bigint, this.ringBytes);
    const snapBytes = this.config.captureSnapBytes;
    if (this.isAny) {
      const known = new KernelInterfaces(interfaces, linkType, (index) => socket.nameOf(index));
      this.kernelInterfaces = known;
      return new CookedRing(memory, BLOCK_BYTES, snapBytes, known.indexOf, this.estate, position);
    }
    const interfaceIndex = interfaces.indexOf(this.interfaceName, linkType);
    const frames = { interfaceIndex, linkType, isEthernet: linkType === LinkType.Ethernet, snapBytes };
    return new AfpacketRing(memory, BLOCK_BYTES, frames, this.estate, position);
  }

  /** The program also cuts frames to the snap length, so that the ring holds more of them. */
  private filterProgram(linkType: number): Uint8Array {
    const { captureFilter, captureSnapBytes } = this.config;
    if (this.isAny) {
      // The filter sees what a packet of any interface starts with: its IP header.
      const target = { interface: null, linkType: LinkType.Raw, snapBytes: captureSnapBytes };
      return refuseLoopbackOutgoing(captureFilter === '' ? acceptAll(captureSnapBytes) : compileFilter(captureFilter, target));
    }
    if (captureFilter === '') return acceptAll(captureSnapBytes);
    return compileFilter(captureFilter, { interface: this.interfaceName, linkType, snapBytes: captureSnapBytes });
  }

  /** Blocks the thread in `poll` when nothing is ready. Throws `CAPTURE_FAILED` when the interface has gone away. */
  step(waitMs: number): Step {
    if (!this.socket) return Step.End;
    this.kernelInterfaces?.refresh();
    if (this.look() > 0) return Step.More;
    const found = this.poll(this.socket, waitMs);
    // It is read at the next step: the caller looks around first, since much may have changed while this thread slept.
    if (found === PollResult.Readable && !this.isGone) return Step.More;
    if (found === PollResult.Error) {
      this.takeError(this.socket);
      // A block that is not full is handed over by the kernel's timer, interface or not.
      this.poll(this.socket, waitMs);
    }
    if (this.look() > 0) return Step.More;
    if (this.isGone) throw new AppError('CAPTURE_FAILED', `interface ${this.interfaceName} has gone away`);
    return Step.Idle;
  }

  /** Hands over what is ready, at most `BLOCKS_PER_STEP`, and returns the number of blocks. */
  private look(): number {
    if (!this.ring || !this.sink) return 0;
    const blocks = this.ring.walk(this.sink, BLOCKS_PER_STEP);
    this.gathering.found(blocks, blocks < BLOCKS_PER_STEP, monotonicMs());
    return blocks;
  }

  /** See `PacketSource`. A ring that fills faster than of late ends a rest when a quarter of it is full. */
  restMs(): number {
    const { ring } = this;
    if (!ring || this.isGone) return Number.POSITIVE_INFINITY;
    return ring.isReady(ring.blockCount >> 2) ? 0 : this.gathering.restMs(monotonicMs());
  }

  private poll(socket: PacketSocket, waitMs: number): PollResult {
    return socket.poll(this.isGone ? 2 * BLOCK_TIMEOUT_MS : waitMs);
  }

  /** An interface that went down reports ENETDOWN once and delivers again after it is up. */
  private takeError(socket: PacketSocket): void {
    const errno = socket.takeError();
    this.hasLostLink = true;
    this.isGone ||= !this.isAny && !socket.isBound();
    if (!this.isGone && errno !== 0 && errno !== Errno.ENETDOWN)
      throw new AppError('CAPTURE_FAILED', `capture on ${this.interfaceName} failed: ${errnoText(errno)}`);
  }

  /**
   * Ends the intake: what the kernel has counted when this returns can still be read with `step`, and nothing comes in any more.
   * After the first `Step.Idle` of a step that waits at least 100 ms, frames handed over = kernelPackets - kernelDropped.
   */
  stopIntake(): void {
    if (this.socket && (this.isAny || this.socket.isBound())) this.socket.stopIntake(this.interfaceIndex);
  }

  /** For those who wait for several sources at once: readable, or with an error pending, when a step finds something. */
  get fd(): number | null {
    return this.socket?.fd ?? null;
  }

  /** Whether the interface went down or away since this was asked last. */
  takeLinkLoss(): boolean {
    const hasLostLink = this.hasLostLink;
    this.hasLostLink = false;
    return hasLostLink;
  }

  /** Costs one system call while the source is open. */
  statistics(): SourceStatistics {
    if (this.socket) {
      this.socket.refreshStatistics();
      const kernelPackets = this.socket.kernelPackets - this.packetsBefore;
      const kernelDropped = this.socket.kernelDropped - this.droppedBefore;
      this.statisticsLast = { kernelPackets, kernelDropped, inputBytesRead: 0, inputBytesTotal: 0 };
    }
    return this.statisticsLast;
  }

  /** Nothing may read the ring's memory after it is unmapped, so the ring goes first. */
  close(): void {
    this.ring = null;
    this.kernelInterfaces = null;
    this.sink = null;
    const { mapping, socket } = this;
    this.mapping = null;
    if (socket) this.estate?.clear();
    try {
      if (mapping !== null && this.munmap(mapping, this.ringBytes) < 0) throw callFailed('unmapping the capture buffer');
      if (socket) this.statistics();
    } finally {
      this.socket = null;
      socket?.close();
    }
  }
}
