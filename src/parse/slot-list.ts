import { NO_SLOT } from '../ring/flow-slots.js';

/**
 * Doubly linked list of slots, oldest first. A slot that moves to the new end keeps the list in the order of last use, so the old
 * end is both the next flow to time out and the least recently used. Links are kept in arrays of their own, which are small
 * enough to stay in the cache. Nothing here allocates, apart from the constructor.
 */
export class SlotList {
  oldest = NO_SLOT;
  newest = NO_SLOT;

  /** `older` and `newer` have one word per slot; several lists may share them as long as a slot is in one of them only. */
  constructor(
    private readonly older: Int32Array,
    private readonly newer: Int32Array,
  ) {}

  /** Appends a slot that is in no list. */
  append(slot: number): void {
    const newest = this.newest;
    this.older[slot] = newest;
    this.newer[slot] = NO_SLOT;
    if (newest === NO_SLOT) this.oldest = slot;
    else this.newer[newest] = slot;
    this.newest = slot;
  }

  remove(slot: number): void {
    const older = this.older[slot] as number;
    const newer = this.newer[slot] as number;
    if (older === NO_SLOT) this.oldest = newer;
    else this.newer[older] = newer;
    if (newer === NO_SLOT) this.newest = older;
    else this.older[newer] = older;
  }

  /** Moves a slot of this list to its new end. */
  touch(slot: number): void {
    if (this.newest === slot) return;
    this.remove(slot);
    this.append(slot);
  }
}
