import { Device, DeviceSource } from '../../ring/name-records.js';
import type { DeviceSightings, Sighting } from './device-sightings.js';
import { escapeLabels } from './dhcp-name.js';
import { emptySighting, forgetAddress, takeIpv6, takeMac } from './sighting-fields.js';
import { isDhcpv6 } from './signature-datagram.js';

/** Messages (RFC 8415 section 7.3): type, three bytes of transaction, options. */
const enum MessageType {
  Reply = 7,
  RelayForward = 12,
  RelayReply = 13,
}
const MESSAGE_HEADER_BYTES = 4;

/** Options (RFC 8415 section 21; RFC 4704 for the name): code and length of two bytes each. */
const enum Option {
  ClientId = 1,
  NonTemporary = 3,
  Temporary = 4,
  Address = 5,
  FullName = 39,
  HeaderBytes = 4,
}
const OPTIONS_MAX = 64;

/** Address, preferred and valid lifetime (RFC 8415 section 21.6). */
const ADDRESS_BYTES = 24;
const ADDRESS_VALID_LIFETIME = 20;
/** Addresses of one association that are handed over. */
const ADDRESSES_MAX = 8;

/** Identifiers of clients that hold a hardware address (RFC 8415 section 11): type, sort of hardware, and in the first a time. */
const enum Duid {
  LinkAndTime = 1,
  Link = 3,
  LinkAndTimeMac = 8,
  LinkMac = 4,
  Ethernet = 1,
}
const MAC_BYTES = 6;

/**
 * Reads a DHCPv6 message (RFC 8415) and hands over what it tells of the client: the hardware address in its identifier, its name, and,
 * from replies, its addresses, each in a sighting of its own. What relays exchange is not looked into. `us` is packet time. Returns
 * whether it was DHCPv6. Allocates nothing.
 */
export function readDhcpv6(
  view: DataView,
  offset: number,
  end: number,
  sightings: DeviceSightings,
  us: number,
  interfaceIndex: number,
): boolean {
  if (!isDhcpv6(view, offset, end)) return false;
  const type = view.getUint8(offset);
  if (type === MessageType.RelayForward || type === MessageType.RelayReply) return true;
  const sighting = emptySighting(DeviceSource.Dhcpv6, us, interfaceIndex);
  const options = offset + MESSAGE_HEADER_BYTES;
  const clientId = findOption(view, options, end, Option.ClientId);
  if (clientId >= 0) takeDuid(view, clientId, sighting);
  const fullName = findOption(view, options, end, Option.FullName);
  if (fullName >= 0) takeName(view, fullName, sighting);
  // An address alone tells nothing that its packets do not.
  const isKnown = hasMac(sighting) || sighting.nameBytes > 0;
  const count = isKnown && type === MessageType.Reply ? seeAddresses(view, options, end, sighting, sightings) : 0;
  if (count === 0 && hasMac(sighting)) {
    forgetAddress(sighting);
    sightings.see(sighting);
  }
  return true;
}

const hasMac = ({ macHigh, macLow }: Sighting): boolean => (macHigh | macLow) !== 0;

const optionEnd = (view: DataView, option: number): number => option + Option.HeaderBytes + view.getUint16(option + 2);

/** Offset of the first option of this code from `offset` on, or -1. An option that reaches beyond `end` ends the walk. */
function findOption(view: DataView, offset: number, end: number, code: Option): number {
  let at = offset;
  for (let count = 0; count < OPTIONS_MAX && end - at >= Option.HeaderBytes; count++) {
    const next = optionEnd(view, at);
    if (next > end) return -1;
    if (view.getUint16(at) === code) return at;
    at = next;
  }
  return -1;
}

function takeDuid(view: DataView, option: number, sighting: Sighting): void {
  const duid = option + Option.HeaderBytes;
  const bytes = view.getUint16(option + 2);
  if (bytes < Duid.LinkMac || view.getUint16(duid + 2) !== Duid.Ethernet) return;
  const type = view.getUint16(duid);
  if (type === Duid.LinkAndTime && bytes === Duid.LinkAndTimeMac + MAC_BYTES) takeMac(view, duid + Duid.LinkAndTimeMac, sighting);
  if (type === Duid.Link && bytes === Duid.LinkMac + MAC_BYTES) takeMac(view, duid + Duid.LinkMac, sighting);
}

/** The client's full name: a byte of flags, then labels (RFC 4704 section 4). */
function takeName(view: DataView, option: number, sighting: Sighting): void {
  const name = option + Option.HeaderBytes + 1;
  sighting.nameBytes = escapeLabels(view, name, optionEnd(view, option), sighting.name, Device.NameBytesMax);
}

/** Hands over the addresses of all associations among the options from `offset` to `end`; returns their number. */
function seeAddresses(view: DataView, offset: number, end: number, sighting: Sighting, sightings: DeviceSightings): number {
  let seen = 0;
  let at = offset;
  for (let count = 0; count < OPTIONS_MAX && end - at >= Option.HeaderBytes; count++) {
    const next = optionEnd(view, at);
    if (next > end) break;
    const headerBytes = associationHeaderBytes(view.getUint16(at));
    if (headerBytes > 0) seen += seeLeases(view, at + Option.HeaderBytes + headerBytes, next, sighting, sightings);
    at = next;
  }
  return seen;
}

/** Hands over the addresses of one association, whose options lie from `offset` to `end`. */
function seeLeases(view: DataView, offset: number, end: number, sighting: Sighting, sightings: DeviceSightings): number {
  let seen = 0;
  let at = offset;
  while (seen < ADDRESSES_MAX) {
    const address = findOption(view, at, end, Option.Address);
    if (address < 0) break;
    if (takeLease(view, address, sighting)) {
      sightings.see(sighting);
      seen++;
    }
    at = optionEnd(view, address);
  }
  return seen;
}

/** Bytes in front of the addresses of an association: id and two times, or id only (RFC 8415 sections 21.4 and 21.5); 0 for others. */
function associationHeaderBytes(code: number): number {
  if (code === Option.NonTemporary) return 12;
  return code === Option.Temporary ? 4 : 0;
}

/** Takes the address of an option that grants one: those without lifetime are taken away (RFC 8415 section 18.2.10.1). */
function takeLease(view: DataView, option: number, sighting: Sighting): boolean {
  if (view.getUint16(option + 2) < ADDRESS_BYTES) return false;
  const address = option + Option.HeaderBytes;
  return view.getUint32(address + ADDRESS_VALID_LIFETIME) !== 0 && takeIpv6(view, address, sighting);
}
