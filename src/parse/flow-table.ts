import { endChange, NO_SLOT } from '../ring/flow-slots.js';
import { EndReason, InitiatorBit, LAYOUT_VERSION, Slot, SlotState, Table, TcpState } from '../ring/layout.js';
import { Cell, type ThreadBlock } from '../ring/thread-block.js';
import { TunnelType } from '../ring/tunnel-type.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import type { Packet } from '../wire/packet.js';
import { TcpFlag } from '../wire/tcp.js';
import type { FlowEmitter } from './flow-emitter.js';
import { FlowIndex } from './flow-index.js';
import { FlowJournal } from './flow-journal.js';
import { keepTunnel } from './flow-tunnel.js';
import { IdleClass, IdleLists, type IdleTimeouts } from './idle-lists.js';
import { SlotList } from './slot-list.js';
import { followSequence } from './tcp-sequence.js';
import { firstTcpState, isEnded, nextTcpState, Seen, SYN_FIN_RST } from './tcp-state.js';

/** Timeouts in µs, `Infinity` where one is off, and what belongs to the key. */
export interface FlowOptions extends IdleTimeouts {
  readonly activeUs: number;
  readonly keyVlan: boolean;
  /** 0–31. */
  readonly workerIndex: number;
}

/** Flow ids of the workers interleave: worker w gives 64 n + 2 w + 1, for at most 32 workers. */
const FLOW_ID_STEP = 64;
/**
 * The open flows of one parse worker (DESIGN: flow semantics). The slots lie in shared memory and outlive the worker; buckets and
 * lists are derived from them. The clock is µs since 1970 and never goes back: `advance` moves it, packet by packet in a replay,
 * step by step live.
 *
 * Per packet: one hash, one probe, one slot update, one list move. Nothing is allocated.
 */
export class FlowTable {
  readonly words: Int32Array;
  readonly floats: Float64Array;
  private readonly cells: Float64Array;
  private readonly journal: FlowJournal;
  private readonly slotCount: number;
  private readonly index: FlowIndex;
  private readonly idle: IdleLists;
  private readonly active: SlotList;
  private activeUs: number;
  /** Flows that it may hold: all slots, unless memory is short. */
  private slotsMax: number;
  private readonly workerIndex: number;
  /** Direction of the packet that was added last: 0 from `lo` to `hi`, 1 back. */
  direction = 0;
  private packetsUnpublished = 0;
  private ipBytesUnpublished = 0;
  private wireBytesUnpublished = 0;
  /** Lower bound of the next timeout, so that a packet pays one comparison while none is due. */
  private nextTimeoutUs = Number.POSITIVE_INFINITY;

  /** Takes up whatever `memory` holds: a fresh table, or the open flows of a worker that died. */
  constructor(memory: SharedArrayBuffer, options: FlowOptions, hashSeed: number, emitter: FlowEmitter, block: ThreadBlock) {
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory);
    if (this.words[Table.Version] !== LAYOUT_VERSION) throw new Error('flow table: other layout version');
    this.cells = block.cells;
    this.journal = new FlowJournal(memory, emitter, block);
    this.slotCount = this.words[Table.SlotCount] as number;
    this.index = new FlowIndex(this.words, this.slotCount, options.keyVlan, hashSeed);
    this.idle = new IdleLists(this.words, this.floats, this.slotCount, options);
    this.active = new SlotList(new Int32Array(this.slotCount), new Int32Array(this.slotCount));
    this.activeUs = options.activeUs;
    this.slotsMax = this.slotCount;
    this.workerIndex = options.workerIndex;
    this.rebuild();
  }

  /** Open flows. */
  get size(): number {
    return this.index.size;
  }

  get clockUs(): number {
    return this.floats[Table.ClockF64] as number;
  }

  /** Goes by other timeouts from now on, also for flows that are open. */
  setTimeouts(timeouts: IdleTimeouts, activeUs: number): void {
    this.idle.setTimeouts(timeouts);
    this.activeUs = activeUs;
    this.nextTimeoutUs = this.clockUs;
  }

  /** Holds flows in so many per cent of its slots from now on, at least in one; `trim` writes those that are too many. */
  limit(percent: number): void {
    this.slotsMax = Math.max(1, Math.floor((this.slotCount * percent) / 100));
  }

  /** Evicts flows above the limit, at most `countMax` of them, so that packets do not wait for long. */
  trim(countMax: number): void {
    for (let count = 0; count < countMax && this.index.size > this.slotsMax; count++) this.evict();
  }

  /** Moves the clock to `nowUs`, unless it is already later, and writes the flows that have timed out. */
  advance(nowUs: number): void {
    if (nowUs <= (this.floats[Table.ClockF64] as number)) return;
    this.floats[Table.ClockF64] = nowUs;
    if (nowUs >= this.nextTimeoutUs) this.expire(nowUs);
  }

  /** Counts one packet, seen at `packetUs` on an interface with `wireBytes` on the wire, in its flow, whose slot it returns. */
  add(packet: Packet, packetUs: number, wireBytes: number, interfaceIndex: number): number {
    const { words, floats } = this;
    const direction = this.index.setKey(packet);
    this.direction = direction;
    let slot = this.index.find();
    const flags = packet.tcpFlags;
    if (slot !== NO_SLOT && (flags & (TcpFlag.Syn | TcpFlag.Ack)) === TcpFlag.Syn) slot = this.endReused(slot);
    if (slot === NO_SLOT) slot = this.create(packet, direction, packetUs, interfaceIndex);
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const float = word >> 1;
    const clockUs = floats[Table.ClockF64] as number;

    // From here to the packet count there is no call that could end the thread: a successor finds the packet counted or not.
    const packets = float + Slot.Packets0F64 + direction;
    if ((floats[float + Slot.Packets0F64] as number) + (floats[float + Slot.Packets1F64] as number) === 0) {
      floats[float + Slot.StartUsF64] = packetUs;
      floats[float + Slot.EndUsF64] = packetUs;
      floats[float + Slot.SegmentUsF64] = clockUs;
      this.active.append(slot);
      this.timeoutAt(clockUs + this.activeUs);
    } else {
      if (packetUs > (floats[float + Slot.EndUsF64] as number)) floats[float + Slot.EndUsF64] = packetUs;
      if (packetUs < (floats[float + Slot.StartUsF64] as number)) floats[float + Slot.StartUsF64] = packetUs;
    }
    floats[float + Slot.TouchedUsF64] = clockUs;
    floats[float + Slot.IpBytes0F64 + direction] = (floats[float + Slot.IpBytes0F64 + direction] as number) + packet.ipBytes;
    floats[float + Slot.WireBytes0F64 + direction] = (floats[float + Slot.WireBytes0F64 + direction] as number) + wireBytes;
    floats[float + Slot.PayloadBytes0F64 + direction] =
      (floats[float + Slot.PayloadBytes0F64 + direction] as number) + packet.payloadBytes;
    floats[packets] = (floats[packets] as number) + 1;
    this.packetsUnpublished++;
    this.ipBytesUnpublished += packet.ipBytes;
    this.wireBytesUnpublished += wireBytes;

    if (packet.protocol === IpProtocol.Tcp) {
      this.followTcp(slot, word, direction, flags);
      if (packet.hasTcp === 1) followSequence(words, floats, word, packet, direction, packetUs);
    }
    this.idle.touch(slot);
    return slot;
  }

  /** Adds what `add` has counted since the last call to the cells that others read. A successor counts anew from the slots. */
  publishCounts(): void {
    const { cells } = this;
    cells[Cell.PacketsInFlows] = (cells[Cell.PacketsInFlows] as number) + this.packetsUnpublished;
    cells[Cell.IpBytesInFlows] = (cells[Cell.IpBytesInFlows] as number) + this.ipBytesUnpublished;
    cells[Cell.WireBytesInFlows] = (cells[Cell.WireBytesInFlows] as number) + this.wireBytesUnpublished;
    this.packetsUnpublished = 0;
    this.ipBytesUnpublished = 0;
    this.wireBytesUnpublished = 0;
  }

  /** Writes every open flow, oldest first within each class; the table is empty afterwards. */
  flush(reason: EndReason): void {
    for (let idleClass = 0; idleClass < IdleClass.Count; idleClass++)
      for (let slot = this.idle.oldest(idleClass); slot !== NO_SLOT; slot = this.idle.oldest(idleClass)) this.end(slot, reason);
  }

  /** A fresh SYN on a connection that has ended is a new flow: the old one is written. */
  private endReused(slot: number): number {
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const state = this.words[word + Slot.TcpState] as number;
    if (!isEnded(state, this.words[word + Slot.TcpSeen] as number)) return slot;
    this.end(slot, endReasonOf(state));
    return NO_SLOT;
  }

  private create(packet: Packet, direction: number, packetUs: number, interfaceIndex: number): number {
    let slot = this.index.size < this.slotsMax ? this.index.take() : NO_SLOT;
    if (slot === NO_SLOT) {
      this.evict();
      slot = this.index.take();
    }
    const { words } = this;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    words[word + Slot.Initiator] = direction;
    words[word + Slot.InterfaceIndex] = interfaceIndex;
    words[word + Slot.Icmp] = packet.icmp;
    words[word + Slot.VlanId] = packet.vlanId;
    if (packet.tunnelType !== TunnelType.None) keepTunnel(words, word, packet, direction);
    const isTcp = packet.protocol === IpProtocol.Tcp;
    words[word + Slot.TcpState] = isTcp ? firstTcpState(packet.tcpFlags) : TcpState.None;
    const idleClass = isTcp ? IdleClass.NewTcp : packet.protocol === IpProtocol.Udp ? IdleClass.NewUdp : IdleClass.NewOther;
    this.floats[(word >> 1) + Slot.StartUsF64] = packetUs;
    this.floats[(word >> 1) + Slot.TouchedUsF64] = this.clockUs;
    words[word + Slot.State] = SlotState.Active;
    endChange(words, word);
    this.index.insert(slot);
    this.cells[Cell.FlowsActive] = this.index.size;
    this.idle.append(slot, idleClass);
    this.timeoutAt(this.clockUs + (this.idle.timeoutsUs[idleClass] as number));
    this.cells[Cell.FlowsCreated] = (this.cells[Cell.FlowsCreated] as number) + 1;
    return slot;
  }

  private followTcp(slot: number, word: number, direction: number, flags: number): void {
    const { words } = this;
    words[word + Slot.TcpFlags0 + direction] = (words[word + Slot.TcpFlags0 + direction] as number) | flags;
    if ((flags & SYN_FIN_RST) === 0 && words[word + Slot.TcpState] !== TcpState.Attempt) return;
    let seen = words[word + Slot.TcpSeen] as number;
    if ((flags & TcpFlag.Syn) !== 0 && ((words[word + Slot.Initiator] as number) & InitiatorBit.Settled) === 0) {
      // The sender of a SYN is the initiator, and the receiver of a SYN-ACK, whichever packet came first.
      const initiator = (flags & TcpFlag.Ack) === 0 ? direction : 1 - direction;
      words[word + Slot.Initiator] = initiator | InitiatorBit.Settled;
      if (words[word + Slot.TcpState] === TcpState.Midstream) words[word + Slot.TcpState] = TcpState.Attempt;
    }
    const isFromInitiator = ((words[word + Slot.Initiator] as number) & 1) === direction;
    if ((flags & TcpFlag.Fin) !== 0) seen |= direction === 0 ? Seen.Fin0 : Seen.Fin1;
    if ((flags & TcpFlag.Syn) !== 0 && !isFromInitiator) seen |= Seen.ResponderSyn;
    const before = words[word + Slot.TcpState] as number;
    const state = nextTcpState(before, flags, seen, isFromInitiator);
    const isGivenUp = state === TcpState.Attempt && (flags & TcpFlag.Rst) !== 0;
    if (isGivenUp) seen |= Seen.GivenUp;
    words[word + Slot.TcpSeen] = seen;
    if (state === before && !isGivenUp) return;
    words[word + Slot.TcpState] = state;
    if (!isEnded(state, seen) || this.idle.timeoutsUs[IdleClass.Ended] === Number.POSITIVE_INFINITY) return;
    this.idle.remove(slot);
    this.idle.append(slot, IdleClass.Ended);
    this.timeoutAt(this.clockUs + (this.idle.timeoutsUs[IdleClass.Ended] as number));
  }

  private timeoutAt(us: number): void {
    if (us < this.nextTimeoutUs) this.nextTimeoutUs = us;
  }

  /** Writes the flows that are idle, or open for so long that a segment is due, and finds when the next timeout is. */
  private expire(nowUs: number): void {
    const { floats } = this;
    let next = Number.POSITIVE_INFINITY;
    for (let idleClass = 0; idleClass < IdleClass.Count; idleClass++) {
      const timeoutUs = this.idle.timeoutsUs[idleClass] as number;
      for (let slot = this.idle.oldest(idleClass); slot !== NO_SLOT; slot = this.idle.oldest(idleClass)) {
        const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
        const dueUs = (floats[(word >> 1) + Slot.TouchedUsF64] as number) + timeoutUs;
        if (dueUs > nowUs) {
          if (dueUs < next) next = dueUs;
          break;
        }
        const state = this.words[word + Slot.TcpState] as number;
        this.end(slot, idleClass === IdleClass.Ended ? endReasonOf(state) : EndReason.Idle);
      }
    }
    while (this.active.oldest !== NO_SLOT) {
      const slot = this.active.oldest;
      const float = (Table.HeaderBytes + slot * Slot.Bytes) >> 3;
      const dueUs = (floats[float + Slot.SegmentUsF64] as number) + this.activeUs;
      if (dueUs > nowUs) {
        if (dueUs < next) next = dueUs;
        break;
      }
      this.endSegment(slot);
    }
    this.nextTimeoutUs = next;
  }

  /** Makes room by writing a flow. */
  private evict(): void {
    this.end(this.idle.victim(), EndReason.Evicted);
    this.cells[Cell.FlowsEvicted] = (this.cells[Cell.FlowsEvicted] as number) + 1;
  }

  private hasPackets(float: number): boolean {
    return (this.floats[float + Slot.Packets0F64] as number) + (this.floats[float + Slot.Packets1F64] as number) > 0;
  }

  /** Writes what the flow has counted since its last segment, if anything, and frees the slot. */
  private end(slot: number, reason: EndReason): void {
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    if (this.hasPackets(word >> 1)) {
      this.emit(slot, reason);
      this.active.remove(slot);
    }
    this.index.remove(slot);
    this.idle.remove(slot);
    this.release(slot, word);
  }

  private release(slot: number, word: number): void {
    this.words[word + Slot.State] = SlotState.Free;
    this.journal.close();
    this.index.give(slot);
    this.cells[Cell.FlowsActive] = this.index.size;
  }

  /** Writes a segment of a flow that goes on. */
  private endSegment(slot: number): void {
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const float = word >> 1;
    if (this.floats[float + Slot.FlowIdF64] === 0) this.floats[float + Slot.FlowIdF64] = this.nextFlowId(float);
    this.emit(slot, EndReason.Active);
    this.active.remove(slot);
    this.journal.closeSegment(slot);
  }

  /** Close to the flow's start, never given twice, and odd, so that it differs from every row id; see `FLOW_ID_STEP`. */
  private nextFlowId(float: number): number {
    const startUs = this.floats[float + Slot.StartUsF64] as number;
    const after = (this.floats[Table.FlowIdLastF64] as number) + FLOW_ID_STEP;
    const id = Math.floor(Math.max(startUs, after) / FLOW_ID_STEP) * FLOW_ID_STEP + this.workerIndex * 2 + 1;
    this.floats[Table.FlowIdLastF64] = id;
    return id;
  }

  /** Hands what the slot has counted to the writer. */
  private emit(slot: number, reason: EndReason): void {
    this.publishCounts();
    this.journal.emit(slot, reason);
  }

  /**
   * Derives buckets, lists and totals from the slots. An emission that a dead predecessor had under way is finished or taken
   * back; the packets in flows are counted anew, so the ledger holds wherever the predecessor stopped.
   */
  private rebuild(): void {
    const { words, floats, cells } = this;
    this.journal.settle();
    const open: number[] = [];
    for (let slot = this.slotCount - 1; slot >= 0; slot--) {
      const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
      if (words[word + Slot.State] === SlotState.Active) {
        open.push(slot);
      } else {
        this.index.give(slot);
      }
    }
    const floatOf = (slot: number): number => (Table.HeaderBytes + slot * Slot.Bytes) >> 3;
    const by = (field: number) => (a: number, b: number) =>
      (floats[floatOf(a) + field] as number) - (floats[floatOf(b) + field] as number);
    let packets = cells[Cell.PacketsEmitted] as number;
    let ipBytes = cells[Cell.IpBytesEmitted] as number;
    let wireBytes = cells[Cell.WireBytesEmitted] as number;
    for (const slot of open.sort(by(Slot.TouchedUsF64))) {
      const float = floatOf(slot);
      this.index.insert(slot);
      this.idle.append(slot, words[(float << 1) + Slot.IdleClass] as number);
      packets += (floats[float + Slot.Packets0F64] as number) + (floats[float + Slot.Packets1F64] as number);
      ipBytes += (floats[float + Slot.IpBytes0F64] as number) + (floats[float + Slot.IpBytes1F64] as number);
      wireBytes += (floats[float + Slot.WireBytes0F64] as number) + (floats[float + Slot.WireBytes1F64] as number);
    }
    for (const slot of open.filter((slot) => this.hasPackets(floatOf(slot))).sort(by(Slot.SegmentUsF64)))
      this.active.append(slot);
    cells[Cell.PacketsInFlows] = packets;
    cells[Cell.IpBytesInFlows] = ipBytes;
    cells[Cell.WireBytesInFlows] = wireBytes;
    cells[Cell.FlowsActive] = this.index.size;
    this.nextTimeoutUs = this.clockUs;
  }
}

function endReasonOf(state: TcpState): EndReason {
  return state === TcpState.Closed ? EndReason.TcpFin : EndReason.TcpReset;
}
