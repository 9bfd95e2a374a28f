import type { Database, Statement } from 'better-sqlite3';
import { Slot, TcpState } from '../../ring/layout.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { TcpFlag } from '../../wire/tcp.js';
import { addressBytes } from '../address-bytes.js';
import { ADDRESS_ID_BASE } from '../addresses.js';
import { Attribute, attributeSql } from '../attributes.js';
import { NO_KEY } from './accumulator.js';
import { type LocalNetworks, Place } from './local-networks.js';

/** What rollups need of a flow, by index of a Float64Array. */
export const enum Sample {
  StartUs = 0,
  EndUs,
  Src,
  Dst,
  SrcPlace,
  DstPlace,
  SrcPackets,
  DstPackets,
  SrcBytes,
  DstBytes,
  SrcWireBytes,
  DstWireBytes,
  Retransmits,
  OutOfOrder,
  RttClientUs,
  RttServerUs,
  TcpAttempts,
  TcpRejected,
  TcpUnanswered,
  /** `NO_KEY` for none, as the next. */
  Application,
  Name,
  Count,
}

/** Fills `sample` from the flow record whose slot starts at `word`, with the keys that its row has. Allocates nothing. */
export function sampleRecord(
  sample: Float64Array,
  networks: LocalNetworks,
  words: Int32Array,
  doubles: Float64Array,
  word: number,
  src: number,
  dst: number,
  application: number,
  name: number,
): void {
  const double = word >> 1;
  const direction = (words[word + Slot.Initiator] as number) & 1;
  const version = ((words[word + Slot.Protocol] as number) >> 20) & 0xf;
  const isTcp = ((words[word + Slot.Protocol] as number) & 0xff) === IpProtocol.Tcp;
  sample[Sample.StartUs] = doubles[double + Slot.StartUsF64] as number;
  sample[Sample.EndUs] = doubles[double + Slot.EndUsF64] as number;
  sample[Sample.Src] = src;
  sample[Sample.Dst] = dst;
  sample[Sample.SrcPlace] = networks.placeOf(version, words, word + (direction === 0 ? Slot.AddressLo : Slot.AddressHi));
  sample[Sample.DstPlace] = networks.placeOf(version, words, word + (direction === 0 ? Slot.AddressHi : Slot.AddressLo));
  sample[Sample.SrcPackets] = doubles[double + Slot.Packets0F64 + direction] as number;
  sample[Sample.DstPackets] = doubles[double + Slot.Packets1F64 - direction] as number;
  sample[Sample.SrcBytes] = doubles[double + Slot.IpBytes0F64 + direction] as number;
  sample[Sample.DstBytes] = doubles[double + Slot.IpBytes1F64 - direction] as number;
  sample[Sample.SrcWireBytes] = doubles[double + Slot.WireBytes0F64 + direction] as number;
  sample[Sample.DstWireBytes] = doubles[double + Slot.WireBytes1F64 - direction] as number;
  sample[Sample.Application] = application;
  sample[Sample.Name] = name;
  sample[Sample.RttClientUs] = words[word + Slot.RttClientUs] as number;
  sample[Sample.RttServerUs] = words[word + Slot.RttServerUs] as number;
  if (isTcp) {
    sample[Sample.Retransmits] = (words[word + Slot.Retransmits0] as number) + (words[word + Slot.Retransmits1] as number);
    sample[Sample.OutOfOrder] = (words[word + Slot.OutOfOrder0] as number) + (words[word + Slot.OutOfOrder1] as number);
    putAttempt(sample, words[word + Slot.TcpFlags0 + direction] as number, words[word + Slot.TcpState] as number);
  } else {
    sample.fill(0, Sample.Retransmits, Sample.OutOfOrder + 1);
    sample.fill(0, Sample.TcpAttempts, Sample.TcpUnanswered + 1);
  }
}

/** A connection is asked for in the segment of the flow that has the initiator's SYN. */
function putAttempt(sample: Float64Array, srcFlags: number, state: number): void {
  const isAttempt = (srcFlags & TcpFlag.Syn) !== 0;
  sample[Sample.TcpAttempts] = isAttempt ? 1 : 0;
  sample[Sample.TcpRejected] = isAttempt && state === TcpState.Rejected ? 1 : 0;
  sample[Sample.TcpUnanswered] = isAttempt && state === TcpState.Attempt ? 1 : 0;
}

const ROWS_SQL = `SELECT flows.id, flows.id - end_age_us, duration_us, src, dst, src_packets, dst_packets, src_bytes, dst_bytes,
  src_link_bytes, dst_link_bytes, rtt_client_us, rtt_server_us, application >> 1, server_name,
  ${attributeSql(Attribute.Protocol, Attribute.EndReason)}, ${attributeSql(Attribute.TcpState, Attribute.SrcTcpFlags)},
  ${attributeSql(Attribute.SrcTcpFlags, Attribute.DstTcpFlags)},
  t.src_retransmits + t.dst_retransmits, t.src_out_of_order + t.dst_out_of_order
  FROM flows LEFT JOIN flow_trouble t ON t.id = flows.id WHERE flows.id > ? ORDER BY flows.id LIMIT ?`;

type Row = readonly [
  id: number,
  endUs: number,
  durationUs: number,
  src: number,
  dst: number,
  srcPackets: number,
  dstPackets: number,
  srcBytes: number,
  dstBytes: number,
  srcLinkBytes: number,
  dstLinkBytes: number,
  rttClientUs: number | null,
  rttServerUs: number | null,
  application: number | null,
  name: number | null,
  protocol: number,
  tcpState: number,
  srcTcpFlags: number,
  retransmits: number | null,
  outOfOrder: number | null,
];

/** Places of IPv6 addresses that are remembered. */
const PLACES_MAX = 4096;

/** The same from the rows of `flows`: for those that were not rolled up when they were written. */
export class StoredFlows {
  private readonly rows: Statement<[number, number], Row>;
  private readonly findIp: Statement<[number], string>;
  private readonly places = new Map<number, Place>();
  private readonly words = new Int32Array(4);

  constructor(
    db: Database,
    private readonly networks: LocalNetworks,
  ) {
    this.rows = db.prepare<[number, number], Row>(ROWS_SQL).raw() as unknown as Statement<[number, number], Row>;
    this.findIp = db.prepare<[number], string>('SELECT ip FROM addresses WHERE id = ?').pluck();
  }

  /** The rows behind `idAfter`, at most `rowsMax`. */
  after(idAfter: number, rowsMax: number): Row[] {
    return this.rows.all(idAfter, rowsMax);
  }

  /** Fills `sample` from a row. */
  put(sample: Float64Array, row: Row): void {
    const [, endUs, durationUs, src, dst, srcPackets, dstPackets, srcBytes, dstBytes, srcLinkBytes, dstLinkBytes] = row;
    const [, , , , , , , , , , , rttClientUs, rttServerUs, application, name, protocol, tcpState, srcTcpFlags] = row;
    sample[Sample.StartUs] = endUs - durationUs;
    sample[Sample.EndUs] = endUs;
    sample[Sample.Src] = src;
    sample[Sample.Dst] = dst;
    sample[Sample.SrcPlace] = this.placeOf(src);
    sample[Sample.DstPlace] = this.placeOf(dst);
    sample[Sample.SrcPackets] = srcPackets;
    sample[Sample.DstPackets] = dstPackets;
    sample[Sample.SrcBytes] = srcBytes;
    sample[Sample.DstBytes] = dstBytes;
    sample[Sample.SrcWireBytes] = srcBytes + srcLinkBytes;
    sample[Sample.DstWireBytes] = dstBytes + dstLinkBytes;
    sample[Sample.Application] = application ?? NO_KEY;
    sample[Sample.Name] = name ?? NO_KEY;
    sample[Sample.RttClientUs] = rttClientUs ?? 0;
    sample[Sample.RttServerUs] = rttServerUs ?? 0;
    sample[Sample.Retransmits] = row[18] ?? 0;
    sample[Sample.OutOfOrder] = row[19] ?? 0;
    putAttempt(sample, protocol === IpProtocol.Tcp ? srcTcpFlags : 0, tcpState);
  }

  private placeOf(ip: number): Place {
    const { words } = this;
    if (ip < ADDRESS_ID_BASE) {
      words[3] = ip;
      return this.networks.placeOf(4, words, 0);
    }
    let place = this.places.get(ip);
    if (place === undefined) {
      const bytes = addressBytes(this.findIp.get(ip) ?? '');
      if (bytes) {
        const view = new DataView(bytes.buffer);
        for (let word = 0; word < 4; word++) words[word] = view.getInt32(word * 4);
      }
      place = bytes ? this.networks.placeOf(6, words, 0) : Place.Remote;
      if (this.places.size >= PLACES_MAX) this.places.clear();
      this.places.set(ip, place);
    }
    return place;
  }
}
