import { DeviceSource } from '../../ring/name-records.js';
import { ArpPacket } from '../../wire/arp.js';
import type { DeviceSightings } from './device-sightings.js';
import { emptySighting, takeIpv4, takeMac } from './sighting-fields.js';

/**
 * Reads an ARP packet (RFC 826), which lies from `offset` to `end`, and hands over what its sender says of itself. Probes, whose sender
 * has no address yet (RFC 5227 section 2.1.1), tell nothing. `us` is packet time. Returns whether it was a request or a reply of IPv4
 * over Ethernet. Allocates nothing.
 */
export function readArp(
  view: DataView,
  offset: number,
  end: number,
  sightings: DeviceSightings,
  us: number,
  interfaceIndex: number,
): boolean {
  if (end - offset < ArpPacket.Bytes || !isIpv4OverEthernet(view, offset)) return false;
  const operation = view.getUint16(offset + ArpPacket.Operation);
  if (operation !== ArpPacket.Request && operation !== ArpPacket.Reply) return false;
  const sighting = emptySighting(DeviceSource.Arp, us, interfaceIndex);
  if (takeMac(view, offset + ArpPacket.SenderMac, sighting) && takeIpv4(view, offset + ArpPacket.SenderAddress, sighting))
    sightings.see(sighting);
  return true;
}

function isIpv4OverEthernet(view: DataView, offset: number): boolean {
  return (
    view.getUint16(offset + ArpPacket.HardwareType) === ArpPacket.Ethernet &&
    view.getUint16(offset + ArpPacket.ProtocolType) === 0x0800 &&
    view.getUint8(offset + ArpPacket.HardwareLength) === ArpPacket.MacBytes &&
    view.getUint8(offset + ArpPacket.ProtocolLength) === ArpPacket.Ipv4Bytes
  );
}
