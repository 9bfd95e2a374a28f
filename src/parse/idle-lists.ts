import { NO_SLOT } from '../ring/flow-slots.js';
import { Slot, Table } from '../ring/layout.js';
import { SlotList } from './slot-list.js';

/** Idle timeouts differ by class; each class has a list of its own, in the order of last use. */
export const enum IdleClass {
  Tcp = 0,
  Udp = 1,
  Other = 2,
  /** TCP flows that have ended and wait for stragglers. */
  Ended = 3,
  /** Newcomers of the first three: nobody has answered yet. A scan or a flood from random addresses leaves nothing else. */
  NewTcp = 4,
  NewUdp = 5,
  NewOther = 6,
  Count = 7,
}

/** What a newcomer's class is more than the one that it settles in. */
const NEW_LESS_SETTLED = IdleClass.NewTcp - IdleClass.Tcp;
/** A flow that is seen in one direction only has settled when it has so many packets. */
const ONE_SIDED_PACKETS_SETTLED = 4;
/** While newcomers hold a larger part of the table than this, one of them makes room for the next. */
const NEWCOMERS_SHARE_MAX = 1 / 4;

/** Idle timeouts by class in µs, `Infinity` where one is off. */
export interface IdleTimeouts {
  readonly idleTcpUs: number;
  readonly idleUdpUs: number;
  readonly idleOtherUs: number;
  readonly tcpLingerUs: number;
}

/** The flow slots of one table in the order of last use, by class; a slot's class is kept in the slot. Allocates nothing per packet. */
export class IdleLists {
  /** By class. */
  readonly timeoutsUs: Float64Array;
  private readonly lists: readonly SlotList[];
  private readonly newcomersMax: number;
  private newcomers = 0;

  /** `words` and `floats` are the table's memory. */
  constructor(
    private readonly words: Int32Array,
    private readonly floats: Float64Array,
    slotCount: number,
    timeouts: IdleTimeouts,
  ) {
    const older = new Int32Array(slotCount);
    const newer = new Int32Array(slotCount);
    this.lists = Array.from({ length: IdleClass.Count }, () => new SlotList(older, newer));
    this.timeoutsUs = new Float64Array(IdleClass.Count);
    this.setTimeouts(timeouts);
    this.newcomersMax = Math.floor(slotCount * NEWCOMERS_SHARE_MAX);
  }

  setTimeouts({ idleTcpUs, idleUdpUs, idleOtherUs, tcpLingerUs }: IdleTimeouts): void {
    this.timeoutsUs.set([idleTcpUs, idleUdpUs, idleOtherUs, tcpLingerUs, idleTcpUs, idleUdpUs, idleOtherUs]);
  }

  /** The slot that was used least recently in a class, or `NO_SLOT`. */
  oldest(idleClass: IdleClass): number {
    return (this.lists[idleClass] as SlotList).oldest;
  }

  /** Takes up a slot that is in no list, as the one used last in its class. */
  append(slot: number, idleClass: IdleClass): void {
    this.words[((Table.HeaderBytes + slot * Slot.Bytes) >> 2) + Slot.IdleClass] = idleClass;
    (this.lists[idleClass] as SlotList).append(slot);
    if (idleClass >= IdleClass.NewTcp) this.newcomers++;
  }

  remove(slot: number): void {
    const idleClass = this.words[((Table.HeaderBytes + slot * Slot.Bytes) >> 2) + Slot.IdleClass] as number;
    (this.lists[idleClass] as SlotList).remove(slot);
    if (idleClass >= IdleClass.NewTcp) this.newcomers--;
  }

  /** A packet of the flow was counted: the slot is the one used last, and a newcomer may have settled with it. */
  touch(slot: number): void {
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const idleClass = this.words[word + Slot.IdleClass] as number;
    if (idleClass >= IdleClass.NewTcp) {
      const packets0 = this.floats[(word >> 1) + Slot.Packets0F64] as number;
      const packets1 = this.floats[(word >> 1) + Slot.Packets1F64] as number;
      if ((packets0 > 0 && packets1 > 0) || packets0 + packets1 >= ONE_SIDED_PACKETS_SETTLED) {
        this.remove(slot);
        this.append(slot, idleClass - NEW_LESS_SETTLED);
        return;
      }
    }
    (this.lists[idleClass] as SlotList).touch(slot);
  }

  /**
   * The slot that is to make room in a full table: the least recently used. While there are many newcomers, the least recently used
   * of them, so that a flood of flows that nobody answers does not push out those that others use.
   */
  victim(): number {
    const first = this.newcomers > this.newcomersMax ? IdleClass.NewTcp : IdleClass.Tcp;
    let victim = NO_SLOT;
    let victimUs = Number.POSITIVE_INFINITY;
    for (let idleClass = first; idleClass < IdleClass.Count; idleClass++) {
      const slot = (this.lists[idleClass] as SlotList).oldest;
      if (slot === NO_SLOT) continue;
      const touchedUs = this.floats[((Table.HeaderBytes + slot * Slot.Bytes) >> 3) + Slot.TouchedUsF64] as number;
      if (touchedUs < victimUs || victim === NO_SLOT) {
        victim = slot;
        victimUs = touchedUs;
      }
    }
    return victim;
  }
}
