import type { ParseStart } from '../messages.js';
import { Doorbell } from '../ring/doorbell.js';
import { Drop } from '../ring/drop-reason.js';
import { HostBlock } from '../ring/host-block.js';
import { timeoutUs } from '../ring/host-layout.js';
import { EndReason, Frame, Slot, Table } from '../ring/layout.js';
import { ResumeAt, RingConsumer, RingProducer, ringCapacityBytes } from '../ring/ring.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import { Packet } from '../wire/packet.js';
import { Inspector } from './app/inspector.js';
import { Decoder } from './decode.js';
import { FlowEmitter } from './flow-emitter.js';
import { type FlowOptions, FlowTable } from './flow-table.js';
import { FragmentTable } from './fragment-table.js';
import { HostOrders } from './host-orders.js';

/** Frames of one step, so that heartbeat and commands are never far away. */
const FRAMES_PER_STEP = 8192;
/** Ring space is given back after so many frames: often enough for the capture, seldom enough to cost nothing. */
const FRAMES_PER_RELEASE_MASK = 63;

function flowOptionsOf(start: ParseStart): FlowOptions {
  const { config } = start;
  return {
    idleTcpUs: timeoutUs(config.flowIdleTcpS),
    idleUdpUs: timeoutUs(config.flowIdleUdpS),
    idleOtherUs: timeoutUs(config.flowIdleOtherS),
    tcpLingerUs: timeoutUs(config.flowTcpLingerS),
    activeUs: timeoutUs(config.flowActiveS),
    keyVlan: config.flowKeyVlan,
    workerIndex: start.index,
  };
}

/** Everything that a parse worker does: frames from its ring, flows in its table, records to the writer. */
export class ParseWorker {
  private readonly block: ThreadBlock;
  private readonly frames: RingConsumer;
  private readonly table: FlowTable;
  private readonly tableWords: Int32Array;
  private readonly flows: RingProducer;
  private readonly packet = new Packet();
  private readonly decoder: Decoder;
  private readonly inspector: Inspector;
  private readonly isLive: boolean;
  private readonly orders: HostOrders;

  /**
   * Takes up ring and table where they are: fresh, or as a predecessor left them when it died. `onPacketInHand` is told, if that one
   * died with a packet in hand, the byte offset of its record's payload in the frame ring.
   */
  constructor(start: ParseStart, onPacketInHand: (payload: number) => void = () => undefined) {
    const { memory, index } = start;
    this.isLive = start.session.mode === 'live';
    this.block = new ThreadBlock(memory.parse[index] as SharedArrayBuffer);
    this.frames = new RingConsumer(memory.frameRings[index] as SharedArrayBuffer, ResumeAt.Cursor);
    this.flows = new RingProducer(memory.flowRings[index] as SharedArrayBuffer, new Doorbell(memory.writer));
    const tableMemory = memory.flowTables[index] as SharedArrayBuffer;
    // Half a ring presses, however many rows make a batch.
    const halfBytes = ringCapacityBytes(memory.flowRings[index] as SharedArrayBuffer) / 2;
    const wakeBytes = Math.min(start.config.batchRowsMin * Slot.RecordBytes, halfBytes);
    const emitter = new FlowEmitter(this.flows, wakeBytes, tableMemory, this.block);
    this.tableWords = new Int32Array(tableMemory);
    this.table = new FlowTable(tableMemory, flowOptionsOf(start), start.hashSeed, emitter, this.block);
    this.orders = new HostOrders(new HostBlock(memory.host), this.table);
    const { flowDecap, flowJoinFragments, flowKeyVlan } = start.config;
    const fragments = flowJoinFragments ? new FragmentTable(start.hashSeed, this.block.cells, flowKeyVlan) : null;
    this.decoder = new Decoder(flowDecap, fragments);
    this.inspector = new Inspector(tableMemory, emitter, start.config.namesHttpPath);
    this.settlePacketInHand(onPacketInHand);
  }

  /** Whether no frame is waiting. */
  get isEmpty(): boolean {
    return this.frames.peek() < 0;
  }

  /**
   * Handles what is in the ring, at most `FRAMES_PER_STEP` frames, and returns their number. `nowUs` is the clock of a live run,
   * µs since 1970; a replay goes by the time of its packets.
   */
  step(nowUs: number): number {
    this.orders.obey();
    if (this.isLive) this.table.advance(nowUs);
    let count = 0;
    while (count < FRAMES_PER_STEP) {
      const payload = this.frames.peek();
      if (payload < 0) break;
      this.takeFrame(payload);
      this.frames.advance();
      if ((++count & FRAMES_PER_RELEASE_MASK) === 0) this.giveBack();
    }
    this.giveBack();
    this.inspector.expire(this.table.clockUs);
    return count;
  }

  /** Ring space and counts become visible to others. */
  private giveBack(): void {
    this.table.publishCounts();
    this.frames.release();
  }

  /** Writes every open flow and wakes the writer. */
  finish(reason: EndReason): void {
    this.table.flush(reason);
    this.inspector.flush();
    this.flows.publish();
  }

  private takeFrame(payload: number): void {
    const { words, view } = this.frames;
    const { cells } = this.block;
    const position = this.frames.position;
    // Side by side, with no call between them at which the thread could end: a successor reads both.
    this.tableWords[Table.TakenPosition] = position;
    cells[Cell.FramesTaken] = (cells[Cell.FramesTaken] as number) + 1;
    const word = payload >> 2;
    const wireBytes = (words[word + Frame.WireBytes] as number) >>> 0;
    const bytes = payload + Frame.HeaderBytes;
    const end = bytes + (words[word + Frame.CopiedBytes] as number);
    const linkType = words[word + Frame.LinkType] as number;
    const seconds = (words[word + Frame.Seconds] as number) >>> 0;
    const drop = this.decoder.decode(view, bytes, end, wireBytes, linkType, seconds, this.packet);
    const packetUs = seconds * 1e6 + Math.floor((words[word + Frame.Nanoseconds] as number) / 1000);
    const interfaceIndex = words[word + Frame.InterfaceIndex] as number;
    if (drop !== Drop.None) {
      cells[Cell.Drops + drop] = (cells[Cell.Drops + drop] as number) + 1;
      if (drop === Drop.Arp) this.inspector.takeArp(view, this.decoder.linkPayload, end, packetUs, interfaceIndex);
      return;
    }
    if (!this.isLive) this.table.advance(packetUs);
    const slot = this.table.add(this.packet, packetUs, wireBytes, interfaceIndex);
    if (this.orders.isPayloadRead)
      this.inspector.inspect(view, this.packet, slot, this.table.direction, bytes, linkType, packetUs, interfaceIndex);
  }

  /**
   * A predecessor may have died with a packet in hand: it had taken the frame under the cursor and not moved on. If no counter
   * holds that packet, it is lost, and counted so; either way it is not taken again.
   */
  private settlePacketInHand(onPacketInHand: (payload: number) => void): void {
    const { cells } = this.block;
    const taken = cells[Cell.FramesTaken] as number;
    if (taken === 0) return;
    let accounted = cells[Cell.PacketsInFlows] as number;
    for (let reason = 0; reason < Drop.Count; reason++) accounted += cells[Cell.Drops + reason] as number;
    cells[Cell.Drops + Drop.WorkerCrash] = (cells[Cell.Drops + Drop.WorkerCrash] as number) + taken - accounted;
    const payload = this.frames.peek();
    if (payload < 0 || this.tableWords[Table.TakenPosition] !== this.frames.position) return;
    onPacketInHand(payload);
    this.frames.advance();
    this.frames.release();
  }
}

/** Why the flows that are open at the end of a run are written. */
export function finalReason(mode: 'live' | 'replay'): EndReason {
  return mode === 'replay' ? EndReason.EndOfInput : EndReason.Shutdown;
}
