import { Device, DeviceSource } from '../../ring/name-records.js';
import type { DeviceSightings, Sighting } from './device-sightings.js';
import { escapeHostName, escapeLabels } from './dhcp-name.js';
import { emptySighting, takeIpv4, takeMac } from './sighting-fields.js';
import { isDhcp } from './signature-datagram.js';

/** A message (RFC 2131 section 2), as BOOTP had it: offsets of its fields. The two areas may hold options as well. */
const enum Field {
  Operation = 0,
  HardwareType = 1,
  HardwareLength = 2,
  ClientAddress = 12,
  YourAddress = 16,
  Mac = 28,
  ServerName = 44,
  ServerNameEnd = 108,
  File = 108,
  FileEnd = 236,
  Options = 240,
}

const OPERATION_REQUEST = 1;
const ETHERNET = 1;
const MAC_BYTES = 6;

/** Options (RFC 2132; RFC 4702 for the name). */
const enum Option {
  Pad = 0,
  HostName = 12,
  RequestedAddress = 50,
  Overload = 52,
  MessageType = 53,
  FullName = 81,
  End = 255,
}

const enum MessageType {
  Request = 3,
  Ack = 5,
  Release = 7,
  Inform = 8,
}

/** Which areas hold options (RFC 2132 section 9.3). */
const OVERLOAD_FILE = 1;
const OVERLOAD_SERVER_NAME = 2;

/** A full name: flags, two bytes that nobody reads, name; this flag says that it is encoded as in DNS (RFC 4702 section 2.1). */
const FULL_NAME_HEADER_BYTES = 3;
const FULL_NAME_ENCODED = 0x04;

/** Options of a message, -1 where there is none; of several of a kind, the first. Reused. */
class Options {
  messageType = 0;
  overload = 0;
  requestedAddress = -1;
  hostName = -1;
  fullName = -1;

  clear(): void {
    this.messageType = 0;
    this.overload = 0;
    this.requestedAddress = -1;
    this.hostName = -1;
    this.fullName = -1;
  }
}

const options = new Options();

/**
 * Reads a DHCP message (RFC 2131) and hands over what it tells of the client: its hardware address, the name that it gives itself or is
 * given, and its address where that is settled: in a request for it, in an acknowledgement, while it is in use. `us` is packet time.
 * Returns whether it was DHCP. Allocates nothing.
 */
export function readDhcp(
  view: DataView,
  offset: number,
  end: number,
  sightings: DeviceSightings,
  us: number,
  interfaceIndex: number,
): boolean {
  if (!isDhcp(view, offset, end)) return false;
  if (view.getUint8(offset + Field.HardwareType) !== ETHERNET) return true;
  if (view.getUint8(offset + Field.HardwareLength) !== MAC_BYTES) return true;
  const sighting = emptySighting(DeviceSource.Dhcp, us, interfaceIndex);
  if (!takeMac(view, offset + Field.Mac, sighting)) return true;
  options.clear();
  readOptions(view, offset + Field.Options, end);
  // Read first, so that options in the areas cannot say that there are yet others.
  const { overload } = options;
  if ((overload & OVERLOAD_FILE) !== 0) readOptions(view, offset + Field.File, offset + Field.FileEnd);
  if ((overload & OVERLOAD_SERVER_NAME) !== 0) readOptions(view, offset + Field.ServerName, offset + Field.ServerNameEnd);
  takeName(view, sighting);
  takeAddress(view, offset, sighting);
  sightings.see(sighting);
  return true;
}

/** Walks an area of options: type, length, so many bytes. What reaches beyond the area ends the walk. */
function readOptions(view: DataView, offset: number, end: number): void {
  for (let at = offset; at < end; ) {
    const type = view.getUint8(at);
    if (type === Option.End) return;
    if (type === Option.Pad) {
      at++;
      continue;
    }
    if (at + 2 > end || at + 2 + view.getUint8(at + 1) > end) return;
    takeOption(view, at, type, view.getUint8(at + 1));
    at += 2 + view.getUint8(at + 1);
  }
}

/** Keeps where an option stands: the offset of its length. */
function takeOption(view: DataView, at: number, type: number, length: number): void {
  switch (type) {
    case Option.MessageType:
      if (length === 1 && options.messageType === 0) options.messageType = view.getUint8(at + 2);
      break;
    case Option.Overload:
      if (length === 1 && options.overload === 0) options.overload = view.getUint8(at + 2);
      break;
    case Option.RequestedAddress:
      if (length === 4 && options.requestedAddress < 0) options.requestedAddress = at + 2;
      break;
    case Option.HostName:
      if (length > 0 && options.hostName < 0) options.hostName = at + 1;
      break;
    case Option.FullName:
      if (length > FULL_NAME_HEADER_BYTES && options.fullName < 0) options.fullName = at + 1;
      break;
  }
}

/** The full name counts more than the host name, as it does for servers (RFC 4702 section 3.1). */
function takeName(view: DataView, sighting: Sighting): void {
  const { fullName, hostName } = options;
  const charsMax = Device.NameBytesMax;
  if (fullName >= 0) {
    const end = fullName + 1 + view.getUint8(fullName);
    const name = fullName + 1 + FULL_NAME_HEADER_BYTES;
    const isEncoded = (view.getUint8(fullName + 1) & FULL_NAME_ENCODED) !== 0;
    sighting.nameBytes = (isEncoded ? escapeLabels : escapeHostName)(view, name, end, sighting.name, charsMax);
  }
  if (sighting.nameBytes === 0 && hostName >= 0) {
    const end = hostName + 1 + view.getUint8(hostName);
    sighting.nameBytes = escapeHostName(view, hostName + 1, end, sighting.name, charsMax);
  }
}

/**
 * The client's address. What a discovery wishes for and an offer promises may not come about, and what is declined belongs to somebody
 * else, so they are not taken.
 */
function takeAddress(view: DataView, offset: number, sighting: Sighting): void {
  const isFromClient = view.getUint8(offset + Field.Operation) === OPERATION_REQUEST;
  const { messageType, requestedAddress } = options;
  if (!isFromClient) {
    if (messageType !== MessageType.Ack) return;
    if (!takeIpv4(view, offset + Field.YourAddress, sighting)) takeIpv4(view, offset + Field.ClientAddress, sighting);
    return;
  }
  if (messageType !== MessageType.Request && messageType !== MessageType.Release && messageType !== MessageType.Inform) return;
  if (takeIpv4(view, offset + Field.ClientAddress, sighting)) return;
  if (messageType === MessageType.Request && requestedAddress >= 0) takeIpv4(view, requestedAddress, sighting);
}
