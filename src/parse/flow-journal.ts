import { beginChange, endChange, NO_SLOT } from '../ring/flow-slots.js';
import { EndReason, Slot, SlotState, Table } from '../ring/layout.js';
import { Cell, type ThreadBlock } from '../ring/thread-block.js';
import type { FlowEmitter } from './flow-emitter.js';

/**
 * Hands flows to the writer exactly once, also when the worker dies in the middle of it. The journal in the table's header names
 * the slot whose emission is under way, the ring position at which its record starts, and the totals as they were before. A
 * successor sees from the ring whether the record was published, and either finishes the emission or takes it back.
 */
export class FlowJournal {
  private readonly words: Int32Array;
  private readonly floats: Float64Array;
  private readonly cells: Float64Array;

  /** `memory` is the flow table's. */
  constructor(
    memory: SharedArrayBuffer,
    private readonly emitter: FlowEmitter,
    block: ThreadBlock,
  ) {
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory);
    this.cells = block.cells;
  }

  /** Publishes a slot's record and counts it. `close` or `closeSegment` must follow, or a successor finishes the emission. */
  emit(slot: number, reason: EndReason): void {
    const { words, floats, cells } = this;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    words[word + Slot.EndReason] = reason;
    floats[(word >> 1) + Slot.EmittedUsF64] = floats[Table.ClockF64] as number;
    floats[Table.JournalFlowsF64] = cells[Cell.FlowsEmitted] as number;
    floats[Table.JournalPacketsF64] = cells[Cell.PacketsEmitted] as number;
    floats[Table.JournalIpBytesF64] = cells[Cell.IpBytesEmitted] as number;
    floats[Table.JournalWireBytesF64] = cells[Cell.WireBytesEmitted] as number;
    words[Table.JournalPosition] = this.emitter.position;
    words[Table.JournalSlot] = slot;
    this.emitter.emitFlow(slot);
    this.countEmitted(word >> 1);
  }

  /** The emission is over; the slot has been freed. */
  close(): void {
    this.words[Table.JournalSlot] = NO_SLOT;
  }

  /** The emission of a segment is over: the flow goes on and counts from 0. */
  closeSegment(slot: number): void {
    const { words, floats } = this;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    beginChange(words, word);
    words[word + Slot.TcpFlags0] = 0;
    words[word + Slot.TcpFlags1] = 0;
    words[word + Slot.EndReason] = EndReason.None;
    words[word + Slot.SegmentIndex] = (words[word + Slot.SegmentIndex] as number) + 1;
    floats.fill(0, (word >> 1) + Slot.Packets0F64, (word >> 1) + Slot.PayloadBytes1F64 + 1);
    words.fill(0, word + Slot.RttClientUs, word + Slot.ZeroWindows1 + 1);
    endChange(words, word);
    words[Table.JournalSlot] = NO_SLOT;
  }

  /** Ends what a predecessor had under way when it died. */
  settle(): void {
    const { words, floats, cells } = this;
    const slot = words[Table.JournalSlot] as number;
    if (slot === NO_SLOT) return;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const isPublished = ((this.emitter.position - (words[Table.JournalPosition] as number)) | 0) > 0;
    if (isPublished) {
      this.countEmitted(word >> 1);
      if (words[word + Slot.EndReason] === EndReason.Active) this.closeSegment(slot);
      else words[word + Slot.State] = SlotState.Free;
    } else {
      cells[Cell.FlowsEmitted] = floats[Table.JournalFlowsF64] as number;
      cells[Cell.PacketsEmitted] = floats[Table.JournalPacketsF64] as number;
      cells[Cell.IpBytesEmitted] = floats[Table.JournalIpBytesF64] as number;
      cells[Cell.WireBytesEmitted] = floats[Table.JournalWireBytesF64] as number;
      words[word + Slot.EndReason] = EndReason.None;
    }
    this.close();
  }

  /** Sets the totals from the journal, so that doing it twice counts once. */
  private countEmitted(float: number): void {
    const { cells, floats } = this;
    const packets = (floats[float + Slot.Packets0F64] as number) + (floats[float + Slot.Packets1F64] as number);
    const ipBytes = (floats[float + Slot.IpBytes0F64] as number) + (floats[float + Slot.IpBytes1F64] as number);
    const wireBytes = (floats[float + Slot.WireBytes0F64] as number) + (floats[float + Slot.WireBytes1F64] as number);
    cells[Cell.FlowsEmitted] = (floats[Table.JournalFlowsF64] as number) + 1;
    cells[Cell.PacketsEmitted] = (floats[Table.JournalPacketsF64] as number) + packets;
    cells[Cell.IpBytesEmitted] = (floats[Table.JournalIpBytesF64] as number) + ipBytes;
    cells[Cell.WireBytesEmitted] = (floats[Table.JournalWireBytesF64] as number) + wireBytes;
  }
}
