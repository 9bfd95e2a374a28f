import { Cell } from '../ring/thread-block.js';
import { FragmentKind, type Packet } from '../wire/packet.js';
import { FlowHash, KEY_WORDS_MAX } from './flow-hash.js';

/** How long the fragments of one packet may be apart (RFC 8200 section 4.5). */
const AGE_S_MAX = 60;
/** Packets in fragments that are remembered: sets of four, each with its own order of age. */
const SET_BITS = 10;
const WAYS = 4;

/** Words of an entry: the key, then what the first fragment had, and when it was seen. */
const enum Entry {
  Ports = 10,
  Protocol = 11,
  Seconds = 12,
  /** 1 once the entry has been used. */
  Used = 13,
  Words = 16,
}

/** Where the first word of the key has what; the protocol is in the lowest bits. Tunnels are at most 16 deep, VLAN ids have 12 bits. */
const enum KeyShift {
  Level = 8,
  Vlan = 13,
  Version = 25,
}

/**
 * Gives later fragments the ports of the first one, so that they join its flow. The key is that of reassembly: addresses, and for
 * IPv4 the protocol (RFC 791), for IPv6 not (RFC 8200 section 4.5), identification, how deep in tunnels the IP header lies, and the
 * VLAN where flows are told apart by it: two networks may use the same addresses and ids.
 *
 * At most 4,096 packets in fragments are remembered for 60 s of packet time, in 256 KiB. At that limit the oldest of a set of
 * four gives way; later fragments that find nothing, since it was forgotten, lost or comes after them, are counted and keep ports
 * 0. An identification that is used again takes the new ports from its first fragment on; overlaps have no meaning here. The table
 * dies with its worker. Nothing is allocated per packet.
 */
export class FragmentTable {
  private readonly words = new Int32Array((WAYS << SET_BITS) * Entry.Words);
  private readonly key = new Int32Array(KEY_WORDS_MAX);
  private readonly hash: FlowHash;

  /** `cells` are those of the worker's block; `keyVlan` tells packets of different VLANs apart. */
  constructor(
    hashSeed: number,
    private readonly cells: Float64Array,
    private readonly keyVlan: boolean,
  ) {
    this.hash = new FlowHash(hashSeed);
  }

  /** Takes a fragment that was seen at `seconds` (a word) in the IP header number `level`, 0 for the outermost. */
  join(packet: Packet, level: number, seconds: number): void {
    const set = this.setKey(packet, level);
    if (packet.fragment === FragmentKind.First) this.remember(packet, set, seconds);
    else this.recall(packet, set, seconds);
  }

  /** Sets the key and returns the word at which its set begins. */
  private setKey(packet: Packet, level: number): number {
    const key = this.key;
    const isIpv4 = packet.ipVersion === 4;
    const vlanId = this.keyVlan ? packet.vlanId : 0;
    key[0] =
      (isIpv4 ? packet.protocol : 0) |
      (level << KeyShift.Level) |
      (vlanId << KeyShift.Vlan) |
      (packet.ipVersion << KeyShift.Version);
    key[1] = packet.fragmentId;
    key[2] = packet.src3;
    key[3] = packet.dst3;
    key[4] = packet.src0;
    key[5] = packet.src1;
    key[6] = packet.src2;
    key[7] = packet.dst0;
    key[8] = packet.dst1;
    key[9] = packet.dst2;
    const hash = isIpv4 ? this.hash.ofIpv4(key) : this.hash.ofIpv6(key);
    return (hash >>> (32 - SET_BITS)) * WAYS * Entry.Words;
  }

  private isKeyAt(entry: number): boolean {
    const { words, key } = this;
    if (words[entry + Entry.Used] === 0) return false;
    for (let i = 0; i < KEY_WORDS_MAX; i++) if (words[entry + i] !== key[i]) return false;
    return true;
  }

  private remember(packet: Packet, set: number, seconds: number): void {
    const { words } = this;
    let victim = set;
    let victimAge = -1;
    for (let way = 0; way < WAYS; way++) {
      const entry = set + way * Entry.Words;
      if (words[entry + Entry.Used] === 0 || this.isKeyAt(entry)) {
        victim = entry;
        break;
      }
      const age = (seconds - (words[entry + Entry.Seconds] as number)) | 0;
      if (age > victimAge) {
        victim = entry;
        victimAge = age;
      }
    }
    words.set(this.key, victim);
    words[victim + Entry.Ports] = (packet.srcPort << 16) | packet.dstPort;
    words[victim + Entry.Protocol] = packet.protocol;
    words[victim + Entry.Seconds] = seconds;
    words[victim + Entry.Used] = 1;
  }

  private recall(packet: Packet, set: number, seconds: number): void {
    const { words, cells } = this;
    for (let way = 0; way < WAYS; way++) {
      const entry = set + way * Entry.Words;
      if (!this.isKeyAt(entry)) continue;
      // Frames of several files or interfaces may be out of order, so that the first fragment is the younger one.
      const age = Math.abs((seconds - (words[entry + Entry.Seconds] as number)) | 0);
      if (age > AGE_S_MAX) break;
      const ports = words[entry + Entry.Ports] as number;
      packet.srcPort = ports >>> 16;
      packet.dstPort = ports & 0xffff;
      packet.protocol = words[entry + Entry.Protocol] as number;
      cells[Cell.FragmentsJoined] = (cells[Cell.FragmentsJoined] as number) + 1;
      return;
    }
    cells[Cell.FragmentsUnknown] = (cells[Cell.FragmentsUnknown] as number) + 1;
  }
}
