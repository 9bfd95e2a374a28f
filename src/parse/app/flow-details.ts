import { appendDetail, DETAIL_BYTES_MAX, type Detail } from '../../ring/flow-details.js';
import { detailsOffset } from '../../ring/flow-slots.js';
import { Slot, Table } from '../../ring/layout.js';

/** Writes the details of flows where the slots lie, so that they outlive the worker as the flows do. */
export class FlowDetails {
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly slotCount: number;
  private readonly value = new Uint8Array(DETAIL_BYTES_MAX);

  /** `table` is the flow table's memory. */
  constructor(table: SharedArrayBuffer) {
    this.words = new Int32Array(table);
    this.bytes = new Uint8Array(table);
    this.slotCount = this.words[Table.SlotCount] as number;
  }

  /** Adds a text of ASCII characters; an empty one is none. */
  addText(slot: number, kind: Detail, text: string): void {
    const length = Math.min(text.length, DETAIL_BYTES_MAX);
    if (length === 0) return;
    for (let i = 0; i < length; i++) this.value[i] = text.charCodeAt(i);
    this.add(slot, kind, length);
  }

  /** Adds a number of `byteCount` bytes, at most 4. */
  addNumber(slot: number, kind: Detail, number: number, byteCount: number): void {
    for (let i = 0; i < byteCount; i++) this.value[i] = number >>> (8 * (byteCount - 1 - i));
    this.add(slot, kind, byteCount);
  }

  /** Adds the first `length` bytes of `value`. */
  private add(slot: number, kind: Detail, length: number): void {
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const used = this.words[word + Slot.DetailBytes] as number;
    // The length follows the bytes: a successor finds the entry whole or not at all.
    this.words[word + Slot.DetailBytes] = appendDetail(
      this.bytes,
      detailsOffset(this.slotCount, slot),
      used,
      kind,
      this.value,
      length,
    );
  }
}
