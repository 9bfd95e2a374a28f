import { LAYOUT_VERSION, Slot, Table } from './layout.js';

/** What stands for no slot, in the journal and at the end of every list. */
export const NO_SLOT = -1;

/** Allocates a flow table of `slotCount` slots; at that limit, the least recently used flow is written and evicted. */
export function createFlowSlots(slotCount: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(Table.HeaderBytes + slotCount * Slot.Bytes);
  const words = new Int32Array(memory);
  words[Table.Version] = LAYOUT_VERSION;
  words[Table.SlotCount] = slotCount;
  words[Table.JournalSlot] = NO_SLOT;
  return memory;
}
