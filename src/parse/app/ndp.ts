import { DeviceSource } from '../../ring/name-records.js';
import type { Packet } from '../../wire/packet.js';
import type { DeviceSightings } from './device-sightings.js';
import { emptySighting, takeIpv6, takeIpv6Words, takeMac } from './sighting-fields.js';

/** ICMPv6 types of neighbour discovery that are read (RFC 4861 section 4); they stand one behind the other. */
const enum NdpType {
  RouterSolicitation = 133,
  RouterAdvertisement = 134,
  NeighbourSolicitation = 135,
  NeighbourAdvertisement = 136,
}

export const NDP_TYPE_FIRST = NdpType.RouterSolicitation;
export const NDP_TYPE_LAST = NdpType.NeighbourAdvertisement;

/** Where the options begin, and where the target stands in messages of neighbours. */
const enum Offset {
  Target = 8,
  OfSolicitation = 8,
  OfRouter = 16,
  OfNeighbour = 24,
}

/** Options (RFC 4861 section 4.6): type, length in units of eight bytes; both of these hold a MAC behind them. */
const enum Option {
  SourceLink = 1,
  TargetLink = 2,
  UnitBytes = 8,
  Mac = 2,
}
/** More than fit into a packet that a network takes; a longer chain is not followed. */
const OPTIONS_MAX = 32;

/** Of IPv6: offset of the hop limit, and what it is in a packet that no router has handed on. */
const HOP_LIMIT = 7;
const HOP_LIMIT_MAX = 255;

/**
 * Whether an IPv6 packet comes from the link itself. Hosts discard neighbour discovery that does not (RFC 4861 section 6.1, 7.1): from
 * elsewhere, anybody could send it. The header is found from the end of its packet, since extension headers may stand behind it.
 */
export function isFromLink(view: DataView, packet: Packet): boolean {
  const header = packet.transportOffset + packet.transportBytes - packet.ipBytes;
  return packet.ipVersion === 6 && view.getUint8(header + HOP_LIMIT) === HOP_LIMIT_MAX;
}

/**
 * Reads the ICMPv6 message of `packet`, which is from the link and lies from `offset` to `end`, and hands over whose hardware address it
 * tells: the target's in an advertisement of a neighbour, otherwise the sender's. `us` is packet time. Returns whether it was a message of
 * neighbour discovery. Allocates nothing.
 */
export function readNdp(
  view: DataView,
  offset: number,
  end: number,
  packet: Packet,
  sightings: DeviceSightings,
  us: number,
  interfaceIndex: number,
): boolean {
  if (packet.ipVersion !== 6 || end - offset < Offset.OfSolicitation) return false;
  const type = view.getUint8(offset);
  // The code is 0 in all of them (RFC 4861 section 6.1, 7.1).
  if (type < NDP_TYPE_FIRST || type > NDP_TYPE_LAST || view.getUint8(offset + 1) !== 0) return false;
  const options = offset + optionsOffset(type);
  if (options > end) return false;
  const isAdvertisement = type === NdpType.NeighbourAdvertisement;
  const sighting = emptySighting(DeviceSource.Ndp, us, interfaceIndex);
  const hasAddress = isAdvertisement
    ? takeIpv6(view, offset + Offset.Target, sighting)
    : takeIpv6Words(packet.src0, packet.src1, packet.src2, packet.src3, sighting);
  if (!hasAddress) return true;
  const option = findOption(view, options, end, isAdvertisement ? Option.TargetLink : Option.SourceLink);
  if (option >= 0 && takeMac(view, option + Option.Mac, sighting)) sightings.see(sighting);
  return true;
}

function optionsOffset(type: number): number {
  if (type === NdpType.RouterSolicitation) return Offset.OfSolicitation;
  return type === NdpType.RouterAdvertisement ? Offset.OfRouter : Offset.OfNeighbour;
}

/** Offset of the first option of this type that holds six bytes, or -1. An option of length 0 ends the walk (RFC 4861 section 4.6). */
function findOption(view: DataView, offset: number, end: number, type: Option): number {
  let at = offset;
  for (let count = 0; count < OPTIONS_MAX && end - at >= Option.UnitBytes; count++) {
    const units = view.getUint8(at + 1);
    if (units === 0) return -1;
    if (units === 1 && view.getUint8(at) === type) return at;
    at += units * Option.UnitBytes;
  }
  return -1;
}
