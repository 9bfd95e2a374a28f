import type { PipelineMemory } from '../../messages.js';
import { APPLICATIONS } from '../../ring/application.js';
import { Detail, findDetail } from '../../ring/flow-details.js';
import { detailsOffset } from '../../ring/flow-slots.js';
import { InterfaceTable } from '../../ring/interface-table.js';
import { Details, Slot, SlotState, Table, TCP_STATES } from '../../ring/layout.js';
import { ipv4Text, ipv6Text } from '../../store/reader/address-text.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { canonicalAddress } from '../canonical-address.js';
import type { ActiveFlow } from '../endpoint/flow-schema.js';

/** Which open flows are wanted: those with the most bytes, or those that began last. */
export interface ActiveFlowsWanted {
  readonly sort: 'bytes' | 'newest';
  readonly limit: number;
  /** Either side has this address. */
  readonly ip?: string | undefined;
  /** IP protocol number. */
  readonly protocol?: number | undefined;
}

interface Found {
  readonly table: number;
  readonly slot: number;
  readonly rank: number;
}

/** Attempts to read one slot whole; with packets that come in between it is whole all the same, a flow that ends is left out. */
const ATTEMPTS_MAX = 3;

/**
 * Reads the open flows where the parse workers keep them, without asking anybody. A slot whose version was odd, or has changed
 * meanwhile, was becoming another flow and is read again. Counts of one flow may be a packet apart from each other.
 */
export class ActiveFlows {
  private readonly tables: readonly FlowTableReader[];

  constructor(memory: PipelineMemory) {
    const interfaces = new InterfaceTable(memory.interfaces);
    this.tables = memory.flowTables.map((table) => new FlowTableReader(table, interfaces));
  }

  /** At most `limit` flows, in the order asked for. Two passes: one ranks all slots by one field, the other reads the best of them. */
  read({ ip, ...rest }: ActiveFlowsWanted): { readonly flows: readonly ActiveFlow[]; readonly openFlows: number } {
    const wanted = { ...rest, ip: ip === undefined ? undefined : canonicalAddress(ip) };
    const found: Found[] = [];
    for (const [table, reader] of this.tables.entries())
      reader.rank(wanted.sort, (slot, rank) => found.push({ table, slot, rank }));
    found.sort((a, b) => b.rank - a.rank);
    const flows: ActiveFlow[] = [];
    for (const { table, slot } of found) {
      if (flows.length === wanted.limit) break;
      const flow = (this.tables[table] as FlowTableReader).flow(slot, wanted);
      if (flow) flows.push(flow);
    }
    return { flows, openFlows: found.length };
  }
}

class FlowTableReader {
  private readonly words: Int32Array;
  private readonly floats: Float64Array;
  private readonly bytes: Uint8Array;
  private readonly slotCount: number;
  /** Copy of the slot in hand. */
  private readonly copy = new Int32Array(Slot.Words);
  private readonly copyFloats = new Float64Array(this.copy.buffer);
  private readonly details = Buffer.alloc(Details.BytesMax);

  constructor(
    table: SharedArrayBuffer,
    private readonly interfaces: InterfaceTable,
  ) {
    this.words = new Int32Array(table);
    this.floats = new Float64Array(table);
    this.bytes = new Uint8Array(table);
    this.slotCount = this.words[Table.SlotCount] as number;
  }

  /** Calls `take` for every slot in use with what it ranks by. */
  rank(sort: ActiveFlowsWanted['sort'], take: (slot: number, rank: number) => void): void {
    const { words, floats } = this;
    for (let slot = 0; slot < this.slotCount; slot++) {
      const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
      if (words[word + Slot.State] !== SlotState.Active) continue;
      const float = word >> 1;
      const bytes = (floats[float + Slot.IpBytes0F64] as number) + (floats[float + Slot.IpBytes1F64] as number);
      take(slot, sort === 'bytes' ? bytes : (floats[float + Slot.StartUsF64] as number));
    }
  }

  /** The flow in a slot, or null if there is none, or another than is wanted. */
  flow(slot: number, wanted: ActiveFlowsWanted): ActiveFlow | null {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++)
      if (this.copySlot(slot)) return this.isWanted(wanted) ? this.shown() : null;
    return null;
  }

  /** Looks at the copy: a filter turns most of thousands of slots away, and showing one takes ten times as long. */
  private isWanted({ ip, protocol }: ActiveFlowsWanted): boolean {
    if (protocol !== undefined && protocol !== ((this.copy[Slot.Protocol] as number) & 0xff)) return false;
    return ip === undefined || this.address(Slot.AddressLo) === ip || this.address(Slot.AddressHi) === ip;
  }

  /** Copies slot and details; false if what was read is not one flow. */
  private copySlot(slot: number): boolean {
    const { words, copy } = this;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const version = Atomics.load(words, word + Slot.Version);
    if ((version & 1) !== 0 || Atomics.load(words, word + Slot.State) !== SlotState.Active) return false;
    copy.set(words.subarray(word, word + Slot.Words));
    const offset = detailsOffset(this.slotCount, slot);
    this.details.set(this.bytes.subarray(offset, offset + Math.min(copy[Slot.DetailBytes] as number, Details.BytesMax)));
    return Atomics.load(words, word + Slot.Version) === version;
  }

  private shown(): ActiveFlow {
    const { copy } = this;
    const initiator = (copy[Slot.Initiator] as number) & 1;
    const protocol = (copy[Slot.Protocol] as number) & 0xff;
    const isIcmp = protocol === IpProtocol.Icmp || protocol === IpProtocol.Icmpv6;
    const ports = copy[Slot.Ports] as number;
    const [src, dst] = initiator === 0 ? [Slot.AddressLo, Slot.AddressHi] : [Slot.AddressHi, Slot.AddressLo];
    const [srcPort, dstPort] = initiator === 0 ? [ports >>> 16, ports & 0xffff] : [ports & 0xffff, ports >>> 16];
    const icmp = copy[Slot.Icmp] as number;
    return {
      start_us: this.float(Slot.StartUsF64),
      end_us: this.float(Slot.EndUsF64),
      interface: this.interfaces.name(copy[Slot.InterfaceIndex] as number),
      vlan_id: (copy[Slot.VlanId] as number) || null,
      protocol,
      src_ip: this.address(src),
      src_port: isIcmp ? 0 : srcPort,
      dst_ip: this.address(dst),
      dst_port: isIcmp ? 0 : dstPort,
      src_packets: this.float(Slot.Packets0F64 + initiator),
      dst_packets: this.float(Slot.Packets1F64 - initiator),
      src_bytes: this.float(Slot.IpBytes0F64 + initiator),
      dst_bytes: this.float(Slot.IpBytes1F64 - initiator),
      tcp_state: TCP_STATES[copy[Slot.TcpState] as number] || null,
      rtt_client_us: copy[Slot.RttClientUs] || null,
      rtt_server_us: copy[Slot.RttServerUs] || null,
      src_retransmits: copy[Slot.Retransmits0 + initiator] as number,
      dst_retransmits: copy[Slot.Retransmits1 - initiator] as number,
      application: APPLICATIONS[copy[Slot.Application] as number] || null,
      server_name: this.text(Detail.Sni) ?? this.text(Detail.QuicSni) ?? this.text(Detail.HttpHost),
      icmp_type: isIcmp ? icmp >> 8 : null,
      icmp_code: isIcmp ? icmp & 0xff : null,
      segment_index: copy[Slot.SegmentIndex] as number,
    };
  }

  private float(index: number): number {
    return this.copyFloats[index] as number;
  }

  private address(word: number): string {
    const isIpv6 = (((this.copy[Slot.Protocol] as number) >>> 20) & 0xf) === 6;
    return isIpv6 ? ipv6Text(this.copy, word) : ipv4Text(this.copy[word + 3] as number);
  }

  private text(kind: Detail): string | null {
    const used = Math.min(this.copy[Slot.DetailBytes] as number, Details.BytesMax);
    const at = findDetail(this.details, 0, used, kind);
    return at < 0 ? null : this.details.toString('latin1', at, Math.min(at + (this.details[at - 1] as number), used));
  }
}
