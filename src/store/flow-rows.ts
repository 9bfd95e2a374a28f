import type { Database, Statement } from 'better-sqlite3';
import { InitiatorBit, Slot } from '../ring/layout.js';
import { applicationOfPort, isToldByStart } from '../wire/application-ports.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import type { Alerts } from './alerts/alerts.js';
import { packAttributes } from './attributes.js';
import type { Dimensions } from './dimensions.js';
import { FlowDetailRows } from './flow-detail-rows.js';
import type { RecordMemory } from './flow-rings.js';
import { FlowTunnels } from './flow-tunnels.js';
import type { LiveRun } from './lookup/live-run.js';
import { addFlowKeys } from './lookup/lookup-rows.js';
import type { NameCache } from './name-cache.js';
import { NameSource, packNameInfo } from './name-info.js';
import type { Rollups } from './rollup/rollups.js';
import { RowBuffer } from './row-buffer.js';
import type { RowIds } from './row-ids.js';

/** Columns of `flows`, in the order of the table. */
const enum Column {
  Id = 0,
  EndAgeUs,
  DurationUs,
  Src,
  Dst,
  Ports,
  SrcPackets,
  DstPackets,
  SrcBytes,
  DstBytes,
  SrcLinkBytes,
  DstLinkBytes,
  SrcHeaderBytes,
  DstHeaderBytes,
  Attributes,
  FlowId,
  RttClientUs,
  RttServerUs,
  Application,
  ServerName,
  ServerNameInfo,
  Count,
}

/** What was added since the last `begin`. */
export interface RowSums {
  readonly rows: number;
  readonly packets: number;
  readonly ipBytes: number;
  readonly wireBytes: number;
  /** The same of flows that were left out: counted, and not written as rows. */
  readonly shedRows: number;
  readonly shedPackets: number;
  readonly shedIpBytes: number;
  readonly shedWireBytes: number;
}

/** Turns flow records into rows of `flows` and of the tables beside it. Has no transaction of its own. */
export class FlowRows implements RowSums {
  rows = 0;
  packets = 0;
  ipBytes = 0;
  wireBytes = 0;
  shedRows = 0;
  shedPackets = 0;
  shedIpBytes = 0;
  shedWireBytes = 0;
  private readonly buffer: RowBuffer;
  private readonly insertTrouble: Statement<number[]>;
  private readonly tunnels: FlowTunnels;
  private readonly details: FlowDetailRows;

  constructor(
    db: Database,
    private readonly ids: RowIds,
    private readonly dimensions: Dimensions,
    private readonly names: NameCache,
    private readonly lookup: LiveRun,
    private readonly rollups: Rollups,
    private readonly alerts: Alerts,
  ) {
    this.buffer = new RowBuffer(db, 'flows', Column.Count);
    this.insertTrouble = db.prepare<number[]>('INSERT INTO flow_trouble VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.tunnels = new FlowTunnels(db, dimensions);
    this.details = new FlowDetailRows(db, dimensions.texts);
  }

  /** Starts a batch; what an abandoned one has left is forgotten. */
  begin(): void {
    this.buffer.begin();
    this.tunnels.begin();
    this.details.begin();
    this.rows = 0;
    this.packets = 0;
    this.ipBytes = 0;
    this.wireBytes = 0;
    this.shedRows = 0;
    this.shedPackets = 0;
    this.shedIpBytes = 0;
    this.shedWireBytes = 0;
  }

  /**
   * Adds the flow record at byte offset `payload`; one that is left out is counted and given no row. Allocates nothing for a flow without
   * details.
   */
  add(memory: RecordMemory, payload: number, isShed: boolean): void {
    const { words, doubles } = memory;
    const word = payload >> 2;
    const double = payload >> 3;
    const direction = (words[word + Slot.Initiator] as number) & 1;
    const version = ((words[word + Slot.Protocol] as number) >> 20) & 0xf;
    const protocol = (words[word + Slot.Protocol] as number) & 0xff;
    const ports = words[word + Slot.Ports] as number;
    const orderedPorts = direction === 0 ? ports : (ports << 16) | (ports >>> 16);
    const isIcmp = protocol === IpProtocol.Icmp || protocol === IpProtocol.Icmpv6;
    const endUs = doubles[double + Slot.EndUsF64] as number;
    const startUs = doubles[double + Slot.StartUsF64] as number;
    const srcPackets = doubles[double + Slot.Packets0F64 + direction] as number;
    const dstPackets = doubles[double + Slot.Packets1F64 - direction] as number;
    const srcBytes = doubles[double + Slot.IpBytes0F64 + direction] as number;
    const dstBytes = doubles[double + Slot.IpBytes1F64 - direction] as number;
    const srcWireBytes = doubles[double + Slot.WireBytes0F64 + direction] as number;
    const dstWireBytes = doubles[double + Slot.WireBytes1F64 - direction] as number;
    const flowId = doubles[double + Slot.FlowIdF64] as number;
    const src = word + (direction === 0 ? Slot.AddressLo : Slot.AddressHi);
    const dst = word + (direction === 0 ? Slot.AddressHi : Slot.AddressLo);
    const id = this.ids.next(doubles[double + Slot.EmittedUsF64] as number);

    const { values, at } = this.buffer;
    values[at + Column.Id] = id;
    values[at + Column.EndAgeUs] = id - endUs;
    values[at + Column.DurationUs] = endUs - startUs;
    values[at + Column.Src] = this.dimensions.addressOf(version, words, src);
    values[at + Column.Dst] = this.dimensions.addressOf(version, words, dst);
    values[at + Column.Ports] = isIcmp ? (words[word + Slot.Icmp] as number) : orderedPorts;
    values[at + Column.SrcPackets] = srcPackets;
    values[at + Column.DstPackets] = dstPackets;
    values[at + Column.SrcBytes] = srcBytes;
    values[at + Column.DstBytes] = dstBytes;
    values[at + Column.SrcLinkBytes] = srcWireBytes - srcBytes;
    values[at + Column.DstLinkBytes] = dstWireBytes - dstBytes;
    values[at + Column.SrcHeaderBytes] = srcBytes - (doubles[double + Slot.PayloadBytes0F64 + direction] as number);
    values[at + Column.DstHeaderBytes] = dstBytes - (doubles[double + Slot.PayloadBytes1F64 - direction] as number);
    const interfaceId = this.dimensions.interfaces.idOf(words[word + Slot.InterfaceIndex] as number);
    values[at + Column.Attributes] = packAttributes(
      protocol,
      words[word + Slot.EndReason] as number,
      words[word + Slot.TcpState] as number,
      words[word + Slot.TcpFlags0 + direction] as number,
      words[word + Slot.TcpFlags1 - direction] as number,
      interfaceId,
      words[word + Slot.VlanId] as number,
    );
    values[at + Column.FlowId] = flowId === 0 ? null : flowId;
    values[at + Column.RttClientUs] = (words[word + Slot.RttClientUs] as number) || null;
    values[at + Column.RttServerUs] = (words[word + Slot.RttServerUs] as number) || null;
    values[at + Column.Application] = applicationValue(
      words[word + Slot.Application] as number,
      protocol,
      orderedPorts >>> 16,
      orderedPorts & 0xffff,
      ((words[word + Slot.Initiator] as number) & InitiatorBit.StartUnknown) !== 0,
    );
    this.putName(memory, payload, at, isShed ? null : id, version, src, dst, startUs);
    this.alerts.flow(
      memory,
      word,
      id,
      values[at + Column.Src] as number,
      values[at + Column.Dst] as number,
      orderedPorts & 0xffff,
      values[at + Column.ServerName] as number | null,
    );
    const isRolledUp = this.rollups.addFlow(
      words,
      doubles,
      word,
      id,
      values[at + Column.Src] as number,
      values[at + Column.Dst] as number,
      values[at + Column.Application] as number | null,
      values[at + Column.ServerName] as number | null,
      isShed,
    );
    if (isShed) {
      this.shedRows++;
      this.shedPackets += srcPackets + dstPackets;
      this.shedIpBytes += srcBytes + dstBytes;
      this.shedWireBytes += srcWireBytes + dstWireBytes;
      if (isRolledUp) this.rollups.countShed(srcPackets + dstPackets, srcBytes + dstBytes);
      return;
    }
    if (protocol === IpProtocol.Tcp) this.addTrouble(words, word, direction, id);
    if (words[word + Slot.Tunnel] !== 0) this.tunnels.add(id, words, word, direction);
    const run = this.lookup.add(id, startUs, srcBytes + dstBytes);
    if (run)
      addFlowKeys(
        run,
        values[at + Column.Src] as number,
        values[at + Column.Dst] as number,
        values[at + Column.Ports] as number,
        protocol,
        words[word + Slot.EndReason] as number,
        interfaceId,
        words[word + Slot.VlanId] as number,
        values[at + Column.Application] as number | null,
        values[at + Column.ServerName] as number | null,
      );
    this.buffer.push();

    this.rows++;
    this.packets += srcPackets + dstPackets;
    this.ipBytes += srcBytes + dstBytes;
    this.wireBytes += srcWireBytes + dstWireBytes;
  }

  /** The server's name: what the flow itself tells, and failing that what was heard of the address before. */
  private putName(
    { words, bytes }: RecordMemory,
    payload: number,
    at: number,
    id: number | null,
    version: number,
    src: number,
    dst: number,
    startUs: number,
  ): void {
    const { values } = this.buffer;
    const { details, names } = this;
    const word = payload >> 2;
    const detailBytes = words[word + Slot.DetailBytes] as number;
    if (detailBytes !== 0) {
      details.add(id, bytes, payload + Slot.RecordBytes, detailBytes);
      if (details.source !== NameSource.None) {
        values[at + Column.ServerName] = details.name;
        values[at + Column.ServerNameInfo] = packNameInfo(details.source, false, 0);
        return;
      }
    }
    const isFound = names.find(version, words, src, dst, startUs, words[word + Slot.SegmentIndex] !== 0);
    values[at + Column.ServerName] = isFound ? names.name : null;
    values[at + Column.ServerNameInfo] = isFound ? names.info : null;
  }

  /** Most TCP flows have no trouble, so what there is of it stands in a table of its own. */
  private addTrouble(words: Int32Array, word: number, direction: number, id: number): void {
    const srcRetransmits = words[word + Slot.Retransmits0 + direction] as number;
    const dstRetransmits = words[word + Slot.Retransmits1 - direction] as number;
    const srcOutOfOrder = words[word + Slot.OutOfOrder0 + direction] as number;
    const dstOutOfOrder = words[word + Slot.OutOfOrder1 - direction] as number;
    const srcZeroWindows = words[word + Slot.ZeroWindows0 + direction] as number;
    const dstZeroWindows = words[word + Slot.ZeroWindows1 - direction] as number;
    if ((srcRetransmits | dstRetransmits | srcOutOfOrder | dstOutOfOrder | srcZeroWindows | dstZeroWindows) === 0) return;
    this.insertTrouble.run(id, srcRetransmits, dstRetransmits, srcOutOfOrder, dstOutOfOrder, srcZeroWindows, dstZeroWindows);
  }

  /** Inserts the rows that do not fill a statement. */
  finish(): void {
    this.buffer.finish();
    this.tunnels.finish();
    this.details.finish();
    this.lookup.finish();
  }
}

/**
 * `flows.application`: the number twice, and 1 more where only the port speaks for it; null for none, and where the first bytes spoke
 * against what the port says.
 */
function applicationValue(
  seen: number,
  protocol: number,
  srcPort: number,
  dstPort: number,
  isStartUnknown: boolean,
): number | null {
  if (seen !== 0) return seen * 2;
  const usual = applicationOfPort(protocol, srcPort, dstPort);
  return usual === 0 || (isStartUnknown && isToldByStart(usual)) ? null : usual * 2 + 1;
}
