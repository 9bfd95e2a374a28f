import { APPLICATIONS } from '../../src/ring/application.js';
import { Detail } from '../../src/ring/flow-details.js';
import { Details, END_REASONS, RecordKind, Slot, TCP_STATES } from '../../src/ring/layout.js';
import { DEVICE_SOURCES, Device, DNS_TRANSPORTS, Dns } from '../../src/ring/name-records.js';
import type { RingConsumer } from '../../src/ring/ring.js';
import { TUNNEL_TYPES } from '../../src/ring/tunnel-type.js';

/** Sums over the flow records that were looked at, and numbers of records by kind. */
export interface RecordSums {
  packets: number;
  ipBytes: number;
  wireBytes: number;
  flows: number;
  dns: number;
  devices: number;
  /** Flow records in which a name or anything else from the payload stands. */
  flowsWithDetails: number;
}

/** Names of hosts hold only these; other texts may hold spaces. */
const NAME_DETAILS: readonly number[] = [Detail.Sni, Detail.QuicSni, Detail.HttpHost];
const NUMBER_DETAILS: ReadonlyMap<number, number> = new Map([
  [Detail.TlsVersion, 2],
  [Detail.QuicVersion, 4],
  [Detail.HttpStatus, 2],
]);
const [SPACE, QUOTE, BACKSLASH, TILDE] = [0x20, 0x22, 0x5c, 0x7e];
const NAME_CHARS_MAX = 253;

/** What is wrong with a text that should be escaped ASCII, or null. */
export function textProblem(bytes: Uint8Array, isSpaceAllowed: boolean): string | null {
  if (bytes.length > NAME_CHARS_MAX) return `${bytes.length} characters`;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte > TILDE || byte < SPACE || (byte === SPACE && !isSpaceAllowed)) return `byte ${byte}`;
    if (byte === QUOTE) return 'a quote that is not escaped';
    if (byte !== BACKSLASH) continue;
    const escaped = Buffer.from(bytes.subarray(at + 1, at + 4)).toString('latin1');
    if (/^\d{3}/.test(escaped)) at += 3;
    else if (/^[^\d]/.test(escaped)) at++;
    else return `an escape that is cut: \\${escaped}`;
  }
  return null;
}

/** Looks at the record that `ring` shows, adds it to `sums`, and returns what is wrong with it, or null. */
export function recordProblem(ring: RingConsumer, payload: number, sums: RecordSums): string | null {
  switch (ring.kindAt(payload)) {
    case RecordKind.Flow:
      return flowProblem(ring, payload, sums);
    case RecordKind.Dns:
      sums.dns++;
      return dnsProblem(ring, payload);
    case RecordKind.Device:
      sums.devices++;
      return deviceProblem(ring, payload);
    default:
      return `a record of kind ${ring.kindAt(payload)}`;
  }
}

const bytesAt = (ring: RingConsumer, start: number, count: number): Uint8Array => new Uint8Array(ring.words.buffer, start, count);

function flowProblem(ring: RingConsumer, payload: number, sums: RecordSums): string | null {
  const at = (field: number): number => ring.words[(payload >> 2) + field] as number;
  const floats = new Float64Array(ring.words.buffer, payload, Slot.RecordBytes / 8);
  const both = (field: number): number => (floats[field] as number) + (floats[field + 1] as number);
  const [packets, ipBytes, wireBytes] = [both(Slot.Packets0F64), both(Slot.IpBytes0F64), both(Slot.WireBytes0F64)];
  sums.flows++;
  sums.packets += packets;
  sums.ipBytes += ipBytes;
  sums.wireBytes += wireBytes;
  if (!(packets > 0)) return `a flow of ${packets} packets`;
  if (floats.some((value, field) => field >= Slot.StartUsF64 && field <= Slot.FlowIdF64 && !(value >= 0)))
    return 'a flow with a count below 0';
  if ((floats[Slot.StartUsF64] as number) > (floats[Slot.EndUsF64] as number)) return 'a flow that ends before it starts';
  if (both(Slot.PayloadBytes0F64) > ipBytes) return 'a flow with more payload than bytes';
  const named: readonly (readonly [what: string, index: number, names: readonly string[]])[] = [
    ['application', at(Slot.Application), APPLICATIONS],
    ['TCP state', at(Slot.TcpState), TCP_STATES],
    ['end reason', at(Slot.EndReason), END_REASONS],
    ['tunnel', at(Slot.Tunnel) & 0xff, TUNNEL_TYPES],
  ];
  const unknown = named.find(([, index, names]) => names[index] === undefined);
  if (unknown) return `a flow with ${unknown[0]} ${unknown[1]}`;
  return detailsProblem(ring, payload + Slot.RecordBytes, at(Slot.DetailBytes), sums);
}

function detailsProblem(ring: RingConsumer, start: number, used: number, sums: RecordSums): string | null {
  if (used < 0 || used > Details.BytesMax) return `${used} bytes of details`;
  if (used > 0) sums.flowsWithDetails++;
  const bytes = bytesAt(ring, start, used);
  const kinds = new Set<number>();
  let at = 0;
  while (at < used) {
    const kind = bytes[at] as number;
    const value = bytes.subarray(at + 2, at + 2 + (bytes[at + 1] as number));
    at += 2 + (bytes[at + 1] as number);
    if (at > used) return `detail ${kind} reaches beyond the details`;
    if (kind < Detail.Sni || kind > Detail.HttpStatus || kinds.has(kind)) return `detail ${kind}, unknown or for the second time`;
    kinds.add(kind);
    const width = NUMBER_DETAILS.get(kind);
    const problem = width === undefined ? textProblem(value, !NAME_DETAILS.includes(kind)) : null;
    if (problem !== null || (width !== undefined && value.length !== width))
      return `detail ${kind}: ${problem ?? `${value.length} bytes`}`;
  }
  return null;
}

function dnsProblem(ring: RingConsumer, payload: number): string | null {
  const at = (field: number): number => ring.words[(payload >> 2) + field] as number;
  const [nameBytes, answerBytes] = [at(Dns.NameBytes), at(Dns.AnswerBytes)];
  if (nameBytes < 0 || nameBytes > Dns.NameBytesMax) return `a DNS name of ${nameBytes} bytes`;
  if (answerBytes < 0 || answerBytes > Dns.AnswerBytesMax) return `${answerBytes} bytes of DNS answers`;
  if (DNS_TRANSPORTS[at(Dns.Transport)] === undefined) return `DNS transport ${at(Dns.Transport)}`;
  if (at(Dns.LatencyUs) < -1 || at(Dns.Code) < -1 || at(Dns.TtlS) < 0) return 'a DNS record with a number below what it may be';
  const name = textProblem(bytesAt(ring, payload + Dns.HeaderBytes, nameBytes), false);
  if (name !== null) return `a DNS name with ${name}`;
  const answers = bytesAt(ring, payload + Dns.HeaderBytes + nameBytes, answerBytes);
  let offset = 0;
  while (offset < answerBytes) {
    const type = answers[offset];
    const value = answers.subarray(offset + 2, offset + 2 + (answers[offset + 1] as number));
    offset += 2 + (answers[offset + 1] as number);
    if (offset > answerBytes) return 'a DNS answer that reaches beyond the answers';
    if (type === 1 || type === 28) {
      if (value.length !== (type === 1 ? 4 : 16)) return `a DNS answer of type ${type} with ${value.length} bytes`;
      continue;
    }
    const problem = textProblem(value, false);
    if (problem !== null) return `a DNS answer of type ${type} with ${problem}`;
  }
  return null;
}

function deviceProblem(ring: RingConsumer, payload: number): string | null {
  const at = (field: number): number => ring.words[(payload >> 2) + field] as number;
  const nameBytes = at(Device.NameBytes);
  if (nameBytes < 0 || nameBytes > Device.NameBytesMax) return `a device name of ${nameBytes} bytes`;
  if (DEVICE_SOURCES[at(Device.Source)] === undefined) return `device source ${at(Device.Source)}`;
  if (![0, 4, 6].includes(at(Device.IpVersion))) return `device with IP version ${at(Device.IpVersion)}`;
  const problem = textProblem(bytesAt(ring, payload + Device.HeaderBytes, nameBytes), false);
  return problem === null ? null : `a device name with ${problem}`;
}
