import { Details, LAYOUT_VERSION, Slot, Table } from './layout.js';

/** What stands for no slot, in the journal and at the end of every list. */
export const NO_SLOT = -1;

/** What one slot takes, with its details; the details' memory is touched only where there are any. */
export const FLOW_BYTES = Slot.Bytes + Details.BytesMax;

/** Allocates a flow table of `slotCount` slots; at that limit, the least recently used flow is written and evicted. */
export function createFlowSlots(slotCount: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(Table.HeaderBytes + slotCount * FLOW_BYTES);
  const words = new Int32Array(memory);
  words[Table.Version] = LAYOUT_VERSION;
  words[Table.SlotCount] = slotCount;
  words[Table.JournalSlot] = NO_SLOT;
  return memory;
}

/** Byte offset of the details of `slot` in a table of `slotCount` slots. */
export function detailsOffset(slotCount: number, slot: number): number {
  return Table.HeaderBytes + slotCount * Slot.Bytes + slot * Details.BytesMax;
}

/** Says that the slot at word offset `word` changes over: for readers in other threads it is no flow until `endChange`. */
export function beginChange(words: Int32Array, word: number): void {
  Atomics.store(words, word + Slot.Version, (words[word + Slot.Version] as number) | 1);
}

/** Says that the slot is whole again. A change that a dead worker has left half-done is begun again before it is ended. */
export function endChange(words: Int32Array, word: number): void {
  Atomics.store(words, word + Slot.Version, ((words[word + Slot.Version] as number) + 1) | 0);
}
