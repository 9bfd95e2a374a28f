import { Application } from '../../ring/application.js';
import { startsWith } from './byte-match.js';
import { isQuic } from './quic-header.js';
import { isKerberos, isLdap, isSnmp } from './signature-ber.js';
import {
  isCoap,
  isDhcp,
  isDhcpv6,
  isNetBiosDatagram,
  isNetFlow,
  isNtp,
  isRadius,
  isRip,
  isSFlow,
  isSyslog,
  isTftpRequest,
} from './signature-datagram.js';
import { isDnsHeader, isDnsMessage, isNetBiosName } from './signature-dns.js';
import { isBacnet, isDnp3 } from './signature-industry.js';
import { isDtls, isRtcp, isRtp, isStun } from './signature-media.js';
import { isBitTorrentDatagram, isDropbox, isSpotify, isSteam } from './signature-peer.js';
import { recogniseRequest } from './signature-request.js';
import { recogniseRpc } from './signature-rpc.js';
import { isEspOverUdp, isIke, isIkeOverEspPort, isOpenVpnReset, isVxlan, isWireGuard } from './signature-tunnel.js';

/** Ports (IANA) on which a form that is too loose elsewhere is enough. */
const enum Port {
  Dns = 53,
  DhcpServer = 67,
  DhcpClient = 68,
  Tftp = 69,
  Ntp = 123,
  NetBiosName = 137,
  NetBiosDatagram = 138,
  Syslog = 514,
  Rip = 520,
  RipNext = 521,
  Dhcpv6Client = 546,
  Dhcpv6Server = 547,
  RadiusOld = 1645,
  AccountingOld = 1646,
  Radius = 1812,
  Accounting = 1813,
  RadiusDynamic = 3799,
  NetFlow = 2055,
  NetFlowSecond = 9995,
  NetFlowThird = 9996,
  WsDiscovery = 3702,
  Vxlan = 4789,
  Mdns = 5353,
  Llmnr = 5355,
  Coap = 5683,
  SFlow = 6343,
}

/**
 * The application that one datagram shows: the payload from `offset` to `end`, sent from `srcPort` to `dstPort`; `Application.None` if it
 * shows none. By its headers it has `bytes` of payload, which are more than lie there where the capture has copied only its start: forms
 * that tell their own length are held against those. Allocates nothing.
 */
export function recogniseUdp(
  view: DataView,
  offset: number,
  end: number,
  srcPort: number,
  dstPort: number,
  bytes = end - offset,
): Application {
  if (end - offset < 4) return Application.None;
  let application = recogniseOnPort(view, offset, end, dstPort, bytes);
  if (application === Application.None) application = recogniseOnPort(view, offset, end, srcPort, bytes);
  if (application === Application.None) application = recogniseForm(view, offset, end, srcPort, dstPort, bytes);
  return application;
}

/** What is told by its port, if the payload does not speak against it. */
function recogniseOnPort(view: DataView, offset: number, end: number, port: number, bytes: number): Application {
  switch (port) {
    case Port.Dns:
      return isDnsHeader(view, offset, end) ? Application.Dns : Application.None;
    case Port.Mdns:
      return isDnsHeader(view, offset, end) ? Application.Mdns : Application.None;
    case Port.Llmnr:
      return isDnsHeader(view, offset, end) ? Application.Llmnr : Application.None;
    case Port.NetBiosName:
      return isNetBiosName(view, offset, end) ? Application.NetBios : Application.None;
    case Port.NetBiosDatagram:
      return isNetBiosDatagram(view, offset, end) ? Application.NetBios : Application.None;
    case Port.DhcpServer:
    case Port.DhcpClient:
      return isDhcp(view, offset, end) ? Application.Dhcp : Application.None;
    case Port.Dhcpv6Client:
    case Port.Dhcpv6Server:
      return isDhcpv6(view, offset, end) ? Application.Dhcpv6 : Application.None;
    case Port.Tftp:
      return isTftpRequest(view, offset, end) ? Application.Tftp : Application.None;
    case Port.Ntp:
      return isNtp(view, offset, end) ? Application.Ntp : Application.None;
    case Port.Syslog:
      return isSyslog(view, offset, end, true) ? Application.Syslog : Application.None;
    case Port.RadiusOld:
    case Port.AccountingOld:
    case Port.Radius:
    case Port.Accounting:
    case Port.RadiusDynamic:
      return isRadius(view, offset, end, bytes) ? Application.Radius : Application.None;
    case Port.Rip:
    case Port.RipNext:
      return isRip(view, offset, end) ? Application.Rip : Application.None;
    case Port.Vxlan:
      return isVxlan(view, offset, end) ? Application.Vxlan : Application.None;
    case Port.NetFlow:
    case Port.NetFlowSecond:
    case Port.NetFlowThird:
      return isNetFlow(view, offset, end, bytes, true) ? Application.NetFlow : Application.None;
    case Port.WsDiscovery:
      return startsWith(view, offset, end, '<?xml') || startsWith(view, offset, end, '<soap')
        ? Application.Wsd
        : Application.None;
    case Port.Coap:
      return isCoap(view, offset, end) ? Application.Coap : Application.None;
    case Port.SFlow:
      return isSFlow(view, offset, end) ? Application.SFlow : Application.None;
    default:
      return Application.None;
  }
}

/** What is told by its form alone, the strict ones first. */
function recogniseForm(
  view: DataView,
  offset: number,
  end: number,
  srcPort: number,
  dstPort: number,
  bytes: number,
): Application {
  const first = view.getUint8(offset);
  if (first >= 0x20 && first < 0x7f) {
    const text = recogniseDatagramText(view, offset, end);
    if (text !== Application.None) return text;
  }
  // Ids are random, so that a query would be taken for other things now and then.
  if (isDnsMessage(view, offset, end, bytes)) return Application.Dns;
  if (isQuic(view, offset, end) || isGoogleQuic(view, offset, end)) return Application.Quic;
  if (isStun(view, offset, end, srcPort, dstPort, bytes)) return Application.Stun;
  if (isDtls(view, offset, end)) return Application.Dtls;
  if (isWireGuard(view, offset, end, bytes)) return Application.WireGuard;
  if (isBitTorrentDatagram(view, offset, end)) return Application.BitTorrent;
  if (isIke(view, offset, end, bytes) || isIkeOverEspPort(view, offset, end, bytes)) return Application.Ipsec;
  if (isSnmp(view, offset, end)) return Application.Snmp;
  if (isLdap(view, offset, end)) return Application.Ldap;
  if (isKerberos(view, offset, end)) return Application.Kerberos;
  if (isSteam(view, offset, end)) return Application.Steam;
  if (isBacnet(view, offset, end, bytes)) return Application.Bacnet;
  if (isDnp3(view, offset, end)) return Application.Dnp3;
  if (isNetFlow(view, offset, end, bytes, false)) return Application.NetFlow;
  const rpc = recogniseRpc(view, offset, end, srcPort, dstPort);
  if (rpc !== Application.None) return rpc;
  if (isOpenVpnReset(view, offset, end)) return Application.OpenVpn;
  // Its first bytes are random, so that it would be taken for RTP now and then.
  if (isEspOverUdp(view, offset, end, srcPort, dstPort)) return Application.Ipsec;
  if (isRtcp(view, offset, end, srcPort, dstPort, bytes)) return Application.Rtcp;
  return isRtp(view, offset, end, srcPort, dstPort, bytes) ? Application.Rtp : Application.None;
}

/**
 * SSDP (UPnP Device Architecture 2.0 section 1), whose answers come from any port to any port, and are the only ones of HTTP in
 * datagrams; SIP, what clients call into a network at home, syslog away from its port.
 */
function recogniseDatagramText(view: DataView, offset: number, end: number): Application {
  if (startsWith(view, offset, end, 'M-SEARCH * HTTP/1.1') || startsWith(view, offset, end, 'NOTIFY * HTTP/1.1'))
    return Application.Ssdp;
  if (startsWith(view, offset, end, 'HTTP/1.1 200 ')) return Application.Ssdp;
  if (startsWith(view, offset, end, 'SIP/2.0 ')) return Application.Sip;
  if (isDropbox(view, offset, end)) return Application.Dropbox;
  if (isSpotify(view, offset, end)) return Application.Spotify;
  if (isSyslog(view, offset, end, false)) return Application.Syslog;
  return recogniseRequest(view, offset, end) === Application.Sip ? Application.Sip : Application.None;
}

/**
 * QUIC before the IETF: a flag that a version follows the connection's id of eight bytes, and a version like `Q043`; from `Q046` on
 * where QUIC has it now.
 */
function isGoogleQuic(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 13) return false;
  const first = view.getUint8(offset);
  if ((first & 0x80) !== 0) return startsWith(view, offset + 1, end, 'Q0');
  return (first & 0x09) === 0x09 && startsWith(view, offset + 9, end, 'Q0');
}
