import { TunnelType } from '../ring/tunnel-type.js';
import { AUTHENTICATION_MALFORMED, readAuthentication } from './authentication.js';
import { readAyiya } from './ayiya.js';
import { readCapwap } from './capwap.js';
import { EtherType } from './ether-type.js';
import { readGeneve } from './geneve.js';
import { readGre } from './gre.js';
import { readGtpU } from './gtp-u.js';
import { IpProtocol } from './ip-protocol.js';
import { readL2tp } from './l2tp.js';
import type { LinkLayer } from './link-layer.js';
import type { Packet } from './packet.js';
import { readTeredo } from './teredo.js';
import { isTunnelPort, mayTunnel, TunnelPort } from './udp-tunnel.js';
import { readVxlan, readVxlanGpe } from './vxlan.js';

const UDP_BYTES = 8;
/** EtherIP (RFC 3378 section 2): version 3 in the upper four bits; some write it into the lower ones. */
const ETHER_IP_BYTES = 2;
const ETHER_IP_VERSION = 0x30;
const ETHER_IP_VERSION_TURNED = 0x03;

/** Whether a packet of this protocol and these ports may carry another one; false for nearly all. */
export function mayCarry(packet: Packet): boolean {
  switch (packet.protocol) {
    case IpProtocol.Tcp:
    case IpProtocol.Icmp:
    case IpProtocol.Icmpv6:
      return false;
    case IpProtocol.Udp:
      return mayTunnel(packet.srcPort, packet.dstPort);
    case IpProtocol.Ipv4:
    case IpProtocol.Ipv6:
    case IpProtocol.Gre:
    case IpProtocol.Ah:
    case IpProtocol.EtherIp:
    case IpProtocol.Ethernet:
    case IpProtocol.Mpls:
      return true;
    default:
      return false;
  }
}

/** A label stack right behind the header; it names the tunnel itself when it is read. */
function readLabelled(offset: number, out: LinkLayer): boolean {
  out.tunnelType = TunnelType.None;
  out.etherType = EtherType.MplsUnicast;
  out.offset = offset;
  return true;
}

/** IP right behind IP: the tunnel is named after both versions. */
function readIpInIp(offset: number, etherType: number, outerVersion: number, out: LinkLayer): boolean {
  const isOuter4 = outerVersion === 4;
  if (etherType === EtherType.Ipv4) out.tunnelType = isOuter4 ? TunnelType.IpInIp : TunnelType.FourInSix;
  else out.tunnelType = isOuter4 ? TunnelType.SixInFour : TunnelType.SixInSix;
  out.hasTunnelId = 0;
  out.etherType = etherType;
  out.offset = offset;
  return true;
}

function readEtherIp(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (end - offset < ETHER_IP_BYTES) return false;
  const version = view.getUint8(offset);
  if (version !== ETHER_IP_VERSION && version !== ETHER_IP_VERSION_TURNED) return false;
  out.tunnelType = TunnelType.EtherIp;
  out.hasTunnelId = 0;
  out.etherType = EtherType.Ethernet;
  out.offset = offset + ETHER_IP_BYTES;
  return true;
}

/** A frame right behind IP. */
function readFrame(offset: number, out: LinkLayer): boolean {
  out.tunnelType = TunnelType.EthernetInIp;
  out.hasTunnelId = 0;
  out.etherType = EtherType.Ethernet;
  out.offset = offset;
  return true;
}

function readProtocol(view: DataView, protocol: number, offset: number, end: number, version: number, out: LinkLayer): boolean {
  switch (protocol) {
    case IpProtocol.Ipv4:
      return readIpInIp(offset, EtherType.Ipv4, version, out);
    case IpProtocol.Ipv6:
      return readIpInIp(offset, EtherType.Ipv6, version, out);
    case IpProtocol.Gre:
      return readGre(view, offset, end, out);
    case IpProtocol.Mpls:
      return readLabelled(offset, out);
    case IpProtocol.EtherIp:
      return readEtherIp(view, offset, end, out);
    case IpProtocol.Ethernet:
      return readFrame(offset, out);
    default:
      return false;
  }
}

/** An authentication header stands between two IP headers in tunnel mode; what else it protects may be a tunnel of its own. */
function readProtected(view: DataView, offset: number, end: number, version: number, out: LinkLayer): boolean {
  const protocol = readAuthentication(view, offset, end, out);
  if (protocol === AUTHENTICATION_MALFORMED) return false;
  const isTunnelMode = protocol === IpProtocol.Ipv4 || protocol === IpProtocol.Ipv6;
  if (!isTunnelMode) return readProtocol(view, protocol, out.offset, end, version, out);
  out.etherType = protocol === IpProtocol.Ipv4 ? EtherType.Ipv4 : EtherType.Ipv6;
  return true;
}

function readDatagram(view: DataView, port: number, packet: Packet, out: LinkLayer): boolean {
  const offset = packet.transportOffset + UDP_BYTES;
  const end = packet.transportEnd;
  switch (port) {
    case TunnelPort.Vxlan:
    case TunnelPort.VxlanLinux:
      return readVxlan(view, offset, end, out);
    case TunnelPort.VxlanGpe:
      return readVxlanGpe(view, offset, end, out);
    case TunnelPort.Geneve:
      return readGeneve(view, offset, end, out);
    case TunnelPort.GtpU:
      return readGtpU(view, offset, end, out);
    case TunnelPort.L2tp:
      return readL2tp(view, offset, end, out);
    case TunnelPort.Gre:
      return readGre(view, offset, end, out);
    case TunnelPort.Mpls:
      return readLabelled(offset, out);
    case TunnelPort.Ayiya:
      return readAyiya(view, offset, end, out);
    case TunnelPort.Capwap:
      return readCapwap(view, offset, end, out);
    case TunnelPort.Teredo:
      return readTeredo(view, offset, end, packet.transportBytes - UDP_BYTES, out);
    default:
      return false;
  }
}

/**
 * Reads the tunnel header of a packet that `mayCarry` another one. Returns whether there is one; `out` then has the tunnel, and
 * EtherType and offset of what it carries, which is not checked yet. Allocates nothing.
 */
export function readTunnel(view: DataView, packet: Packet, out: LinkLayer): boolean {
  const { protocol, transportOffset, transportEnd, ipVersion } = packet;
  if (protocol === IpProtocol.Udp) {
    const port = isTunnelPort(packet.dstPort) ? packet.dstPort : packet.srcPort;
    return readDatagram(view, port, packet, out);
  }
  if (protocol === IpProtocol.Ah) return readProtected(view, transportOffset, transportEnd, ipVersion, out);
  return readProtocol(view, protocol, transportOffset, transportEnd, ipVersion, out);
}
