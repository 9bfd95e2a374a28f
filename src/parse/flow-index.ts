import { beginChange, NO_SLOT } from '../ring/flow-slots.js';
import { Slot, Table } from '../ring/layout.js';
import type { Packet } from '../wire/packet.js';
import { FlowHash, KEY_WORDS_MAX } from './flow-hash.js';

/**
 * Finds the slot of a flow by its key, and hands out free slots. Hash buckets with chains, in memory of its own: the slots in
 * shared memory are the truth, and this index is built anew when another worker takes over. Per packet, `setKey` then `find`;
 * nothing allocates, apart from the constructor.
 */
export class FlowIndex {
  private readonly buckets: Int32Array;
  /** A bucket is the upper bits of the hash, which are its good ones. */
  private readonly bucketShift: number;
  private readonly flowHash: FlowHash;
  /** Next slot of the same bucket, or of the free slots. */
  private readonly next: Int32Array;
  private readonly key = new Int32Array(KEY_WORDS_MAX);
  private hash = 0;
  private isIpv6 = false;
  private free = NO_SLOT;
  /** Slots in use. */
  size = 0;

  constructor(
    private readonly words: Int32Array,
    slotCount: number,
    private readonly keyVlan: boolean,
    hashSeed: number,
  ) {
    const bucketBits = Math.ceil(Math.log2(slotCount * 2));
    this.bucketShift = 32 - bucketBits;
    this.buckets = new Int32Array(2 ** bucketBits).fill(NO_SLOT);
    this.flowHash = new FlowHash(hashSeed);
    this.next = new Int32Array(slotCount).fill(NO_SLOT);
  }

  /** Takes the packet's key in canonical order and returns its direction: 0 from `lo` to `hi`, 1 back. */
  setKey(packet: Packet): number {
    const key = this.key;
    const isForward = comesFirst(packet);
    key[0] = packet.protocol | (this.keyVlan ? packet.vlanId << 8 : 0) | (packet.ipVersion << 20);
    if (isForward) {
      key[1] = (packet.srcPort << 16) | packet.dstPort;
      key[2] = packet.src3;
      key[3] = packet.dst3;
    } else {
      key[1] = (packet.dstPort << 16) | packet.srcPort;
      key[2] = packet.dst3;
      key[3] = packet.src3;
    }
    this.isIpv6 = packet.ipVersion === 6;
    if (this.isIpv6) this.setUpperWords(packet, isForward);
    this.hash = this.isIpv6 ? this.flowHash.ofIpv6(key) : this.flowHash.ofIpv4(key);
    return isForward ? 0 : 1;
  }

  /** The upper words of IPv6 addresses; those of IPv4 are neither set nor looked at. */
  private setUpperWords(packet: Packet, isForward: boolean): void {
    const key = this.key;
    const lo = isForward ? 4 : 7;
    const hi = isForward ? 7 : 4;
    key[lo] = packet.src0;
    key[lo + 1] = packet.src1;
    key[lo + 2] = packet.src2;
    key[hi] = packet.dst0;
    key[hi + 1] = packet.dst1;
    key[hi + 2] = packet.dst2;
  }

  /** Slot of the flow whose key was set, or `NO_SLOT`. */
  find(): number {
    const { words, key, hash } = this;
    let slot = this.buckets[hash >>> this.bucketShift] as number;
    while (slot !== NO_SLOT) {
      const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
      if (
        words[word + Slot.Hash] === hash &&
        words[word + Slot.Protocol] === key[0] &&
        words[word + Slot.Ports] === key[1] &&
        words[word + Slot.AddressLo + 3] === key[2] &&
        words[word + Slot.AddressHi + 3] === key[3] &&
        (!this.isIpv6 || this.hasUpperWords(word))
      )
        return slot;
      slot = this.next[slot] as number;
    }
    return NO_SLOT;
  }

  private hasUpperWords(word: number): boolean {
    const { words, key } = this;
    return (
      words[word + Slot.AddressLo] === key[4] &&
      words[word + Slot.AddressLo + 1] === key[5] &&
      words[word + Slot.AddressLo + 2] === key[6] &&
      words[word + Slot.AddressHi] === key[7] &&
      words[word + Slot.AddressHi + 1] === key[8] &&
      words[word + Slot.AddressHi + 2] === key[9]
    );
  }

  /** Takes a free slot and writes the key that was set into it, all else 0; the caller ends the change. `NO_SLOT` when every slot is in use. */
  take(): number {
    const slot = this.free;
    if (slot === NO_SLOT) return NO_SLOT;
    const { words, key } = this;
    this.free = this.next[slot] as number;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    beginChange(words, word);
    words.fill(0, word, word + Slot.Version);
    words[word + Slot.Hash] = this.hash;
    words[word + Slot.Protocol] = key[0] as number;
    words[word + Slot.Ports] = key[1] as number;
    words[word + Slot.AddressLo + 3] = key[2] as number;
    words[word + Slot.AddressHi + 3] = key[3] as number;
    if (!this.isIpv6) return slot;
    words[word + Slot.AddressLo] = key[4] as number;
    words[word + Slot.AddressLo + 1] = key[5] as number;
    words[word + Slot.AddressLo + 2] = key[6] as number;
    words[word + Slot.AddressHi] = key[7] as number;
    words[word + Slot.AddressHi + 1] = key[8] as number;
    words[word + Slot.AddressHi + 2] = key[9] as number;
    return slot;
  }

  /** Makes a slot findable under the hash that it holds. */
  insert(slot: number): void {
    const bucket = this.bucketOf(slot);
    this.next[slot] = this.buckets[bucket] as number;
    this.buckets[bucket] = slot;
    this.size++;
  }

  /** Takes a slot out of its bucket; `give` frees it. */
  remove(slot: number): void {
    const bucket = this.bucketOf(slot);
    const next = this.next[slot] as number;
    let at = this.buckets[bucket] as number;
    if (at === slot) {
      this.buckets[bucket] = next;
    } else {
      while (this.next[at] !== slot) at = this.next[at] as number;
      this.next[at] = next;
    }
    this.size--;
  }

  private bucketOf(slot: number): number {
    return (this.words[((Table.HeaderBytes + slot * Slot.Bytes) >> 2) + Slot.Hash] as number) >>> this.bucketShift;
  }

  /** Gives a slot that is in no bucket to the free ones. */
  give(slot: number): void {
    this.next[slot] = this.free;
    this.free = slot;
  }
}

/** Whether the packet's source comes before its destination in the canonical order: any order will do if it is total. */
function comesFirst(packet: Packet): boolean {
  if (packet.src3 !== packet.dst3) return packet.src3 < packet.dst3;
  if (packet.src2 !== packet.dst2) return packet.src2 < packet.dst2;
  if (packet.src1 !== packet.dst1) return packet.src1 < packet.dst1;
  if (packet.src0 !== packet.dst0) return packet.src0 < packet.dst0;
  return packet.srcPort <= packet.dstPort;
}
