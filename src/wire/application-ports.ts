import { Application } from '../ring/application.js';
import { IpProtocol } from './ip-protocol.js';

/** Protocols without ports that are an application by themselves (IANA, protocol numbers). */
const enum PortlessProtocol {
  Igmp = 2,
  Esp = 50,
  Ospf = 89,
  Pim = 103,
  Vrrp = 112,
  L2tpv3 = 115,
}

/** A port, or the first and the last of several. */
type Ports = number | readonly [first: number, last: number];

/** Ports that mean the same application over TCP and UDP: registered with IANA, or, from 5555 on, what the software takes by itself. */
const BOTH_PORTS: readonly (readonly [Application, ...Ports[]])[] = [
  [Application.Dns, 53, 853],
  [Application.Kerberos, 88, 464],
  [Application.Rpc, 111],
  [Application.Ldap, 389],
  [Application.OpenVpn, 1194],
  [Application.Sip, 5060, 5061],
  [Application.Nfs, 2049],
  [Application.Wsd, 3702],
  [Application.Stun, 3478, 5349],
  [Application.Memcached, 11211],
  [Application.Dropbox, 17500],
  [Application.Dnp3, 20000],
  [Application.Steam, [27015, 27030], 27036],
  [Application.EthernetIp, 44818],
];

const TCP_PORTS: readonly (readonly [Application, ...Ports[]])[] = [
  [Application.Ftp, 20, 21, 989, 990],
  [Application.Ssh, 22],
  [Application.Telnet, 23, 992],
  [Application.Smtp, 25, 465, 587],
  [Application.Whois, 43],
  [Application.Http, 80, 8000, 8008, 8080, 8888],
  [Application.Pop3, 110, 995],
  [Application.Nntp, 119, 563],
  [Application.Dcerpc, 135, 593],
  [Application.NetBios, 139],
  [Application.Imap, 143, 993],
  [Application.Snmp, 161, 162],
  [Application.Bgp, 179],
  [Application.Irc, 194, [6660, 6669], 6697],
  [Application.Tls, 443, 8443],
  [Application.Smb, 445],
  [Application.Modbus, 502],
  [Application.Syslog, 514, 601, 6514],
  [Application.Lpd, 515],
  [Application.Afp, 548],
  [Application.Rtsp, 554, 8554],
  [Application.Ipp, 631],
  [Application.Ldap, 636, 3268, 3269],
  [Application.Iscsi, 860, 3260],
  [Application.Rsync, 873],
  [Application.Socks, 1080],
  [Application.Mssql, 1433],
  [Application.Mqtt, 1883, 8883],
  [Application.Rtmp, 1935],
  [Application.MySql, 3306],
  [Application.Rdp, 3389],
  [Application.Xmpp, 5222, 5223, 5269],
  [Application.Wsd, 5357],
  [Application.PostgreSql, 5432],
  [Application.Adb, 5555],
  [Application.Amqp, 5671, 5672],
  [Application.Vnc, [5900, 5909]],
  [Application.Redis, 6379],
  [Application.BitTorrent, [6881, 6889], 6969],
  [Application.Ajp, 8009],
  [Application.JetDirect, [9100, 9102]],
  [Application.Git, 9418],
  [Application.Zabbix, 10050, 10051],
  [Application.Minecraft, 25565],
  [Application.MongoDb, [27017, 27019]],
];

const UDP_PORTS: readonly (readonly [Application, ...Ports[]])[] = [
  [Application.Dhcp, 67, 68],
  [Application.Tftp, 69],
  [Application.Ntp, 123],
  [Application.NetBios, 137, 138],
  [Application.Snmp, 161, 162],
  [Application.Ptp, 319, 320],
  [Application.Quic, 443],
  [Application.Ipsec, 500, 4500],
  [Application.Syslog, 514],
  [Application.Rip, 520, 521],
  [Application.Dhcpv6, 546, 547],
  [Application.Mssql, 1434],
  [Application.L2tp, 1701],
  [Application.Radius, 1645, 1646, 1812, 1813, 3799],
  [Application.Ssdp, 1900],
  [Application.NetFlow, 2055, 4739, 9995, 9996],
  [Application.Gtp, 2123, 2152, 3386],
  [Application.EthernetIp, 2222],
  [Application.Teredo, 3544],
  [Application.Vxlan, 4789, 8472],
  [Application.Rtp, 5004],
  [Application.Rtcp, 5005],
  [Application.NatPmp, 5350, 5351],
  [Application.Mdns, 5353],
  [Application.Llmnr, 5355],
  [Application.Coap, 5683, 5684],
  [Application.Geneve, 6081],
  [Application.SFlow, 6343],
  [Application.BitTorrent, 6771, [6881, 6889], 6969],
  [Application.Stun, 19302],
  [Application.Minecraft, 19132, 19133],
  [Application.Bacnet, 47808],
  [Application.WireGuard, 51820],
  [Application.Spotify, 57621],
];

const PORT_COUNT = 65_536;

function tableOf(entries: typeof BOTH_PORTS): Uint8Array {
  const table = new Uint8Array(PORT_COUNT);
  for (const [application, ...ports] of [...BOTH_PORTS, ...entries])
    for (const port of ports) {
      const [first, last] = typeof port === 'number' ? [port, port] : port;
      table.fill(application, first, last + 1);
    }
  return table;
}

const tcpTable = tableOf(TCP_PORTS);
const udpTable = tableOf(UDP_PORTS);

/** Linux gives initiators ports from here on: one that happens to be registered says nothing. */
const EPHEMERAL_PORT = 32_768;

/**
 * The application that is usual on a port: the responder's, or else, where the capture began in the middle, the initiator's. By the
 * protocol alone where it has no ports. `Application.None` where nothing is usual. A look-up in a table; allocates nothing.
 */
export function applicationOfPort(protocol: number, srcPort: number, dstPort: number): Application {
  switch (protocol) {
    case IpProtocol.Tcp:
      return lookUp(tcpTable, srcPort, dstPort);
    case IpProtocol.Udp:
    case IpProtocol.UdpLite:
      return lookUp(udpTable, srcPort, dstPort);
    case IpProtocol.Icmp:
    case IpProtocol.Icmpv6:
      return Application.Icmp;
    case PortlessProtocol.Igmp:
      return Application.Igmp;
    case PortlessProtocol.Esp:
    case IpProtocol.Ah:
      return Application.Ipsec;
    case PortlessProtocol.Ospf:
      return Application.Ospf;
    case PortlessProtocol.Pim:
      return Application.Pim;
    case PortlessProtocol.Vrrp:
      return Application.Vrrp;
    case PortlessProtocol.L2tpv3:
      return Application.L2tp;
    default:
      return Application.None;
  }
}

/**
 * Applications whose connections always begin in a way that is known. Smart plugs keep a connection to port 6668, messengers one to 5222:
 * where the first bytes were others, it is neither IRC nor XMPP.
 */
const TOLD_BY_START: ReadonlySet<Application> = new Set([
  Application.Http,
  Application.Irc,
  Application.MongoDb,
  Application.Mqtt,
  Application.Rdp,
  Application.Ssh,
  Application.Tls,
  Application.Xmpp,
]);

/** Whether a connection that began in no known way cannot be of this application, whatever its port. */
export function isToldByStart(application: Application): boolean {
  return TOLD_BY_START.has(application);
}

function lookUp(table: Uint8Array, srcPort: number, dstPort: number): Application {
  const byResponder = table[dstPort] as Application;
  if (byResponder !== Application.None || srcPort >= EPHEMERAL_PORT) return byResponder;
  return table[srcPort] as Application;
}
