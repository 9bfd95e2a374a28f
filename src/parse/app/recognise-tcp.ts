import { Application } from '../../ring/application.js';
import { isKerberos, isLdap } from './signature-ber.js';
import { isAjp, isBgp, isDnsStream, isMqttConnect, isRdp, isRtmp, isSsl2Hello, isTelnet, isTls } from './signature-binary.js';
import { isMongoDb, isMssqlPrelogin, isMySqlGreeting, isPostgreSqlStart } from './signature-database.js';
import { isDnp3, isEtherNetIp, isModbus } from './signature-industry.js';
import { isBitTorrentHandshake, isMinecraftHandshake, isSteamStream } from './signature-peer.js';
import { isDceRpc, isNetBiosSession, isSmb, recogniseRpcRecord } from './signature-rpc.js';
import { recogniseText } from './signature-text.js';
import { isOpenVpnStream, isSocks4Request, isSocks5Greeting } from './signature-tunnel.js';

const MODBUS_PORT = 502;
/** A length of 32 bits before a message of Kerberos (RFC 4120 section 7.2.2). */
const KERBEROS_PREFIX_BYTES = 4;
const KERBEROS_BYTES_MAX = 0x0010_0000;

/**
 * The application that the first bytes of one side of a TCP connection show: those from `offset` to `end`, sent from `srcPort` to
 * `dstPort`. `Application.None` if they show none, or if there are too few yet. The ports decide only where greetings of several
 * protocols are alike, or where a form is loose. Reads no further than a few hundred bytes; allocates nothing.
 */
export function recogniseTcp(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): Application {
  if (end - offset < 3) return Application.None;
  const first = view.getUint8(offset);
  const isPrintable = first >= 0x20 && first < 0x7f;
  const application = isPrintable
    ? recogniseText(view, offset, end, srcPort, dstPort)
    : recogniseFirstByte(view, offset, end, srcPort, dstPort, first);
  return application === Application.None ? recogniseLength(view, offset, end, srcPort, dstPort) : application;
}

/** What begins with a byte that is the same in all connections, and is no text. */
function recogniseFirstByte(
  view: DataView,
  offset: number,
  end: number,
  srcPort: number,
  dstPort: number,
  first: number,
): Application {
  switch (first) {
    case 0x03:
      if (isRdp(view, offset, end, srcPort, dstPort)) return Application.Rdp;
      return isRtmp(view, offset, end) ? Application.Rtmp : Application.None;
    case 0x04:
      return isSocks4Request(view, offset, end) ? Application.Socks : Application.None;
    case 0x05:
      if (isDnp3(view, offset, end)) return Application.Dnp3;
      if (isDceRpc(view, offset, end)) return Application.Dcerpc;
      return isSocks5Greeting(view, offset, end) ? Application.Socks : Application.None;
    case 0x10:
      return isMqttConnect(view, offset, end) ? Application.Mqtt : Application.None;
    case 0x12:
      if (isAjp(view, offset, end)) return Application.Ajp;
      return isMssqlPrelogin(view, offset, end) ? Application.Mssql : Application.None;
    case 0x13:
      return isBitTorrentHandshake(view, offset, end) ? Application.BitTorrent : Application.None;
    case 0x14:
    case 0x15:
    case 0x16:
    case 0x17:
      return isTls(view, offset, end) ? Application.Tls : Application.None;
    case 0x81:
      return isNetBiosSession(view, offset, end) ? Application.NetBios : recogniseHighBit(view, offset, end, srcPort, dstPort);
    case 0xff:
      if (isTelnet(view, offset, end)) return Application.Telnet;
      return isBgp(view, offset, end) ? Application.Bgp : Application.None;
    default:
      return first >= 0x80 ? recogniseHighBit(view, offset, end, srcPort, dstPort) : Application.None;
  }
}

/** What begins with a length whose highest bit is set. */
function recogniseHighBit(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): Application {
  if (isSsl2Hello(view, offset, end)) return Application.Tls;
  return recogniseRpcRecord(view, offset, end, srcPort, dstPort);
}

/** What begins with a length, a number or an id, so that the first byte may be any. */
function recogniseLength(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): Application {
  if (isLdap(view, offset, end)) return Application.Ldap;
  if (isMySqlGreeting(view, offset, end)) return Application.MySql;
  if (isMongoDb(view, offset, end)) return Application.MongoDb;
  if (isEtherNetIp(view, offset, end)) return Application.EthernetIp;
  if (isMinecraftHandshake(view, offset, end)) return Application.Minecraft;
  if (isSteamStream(view, offset, end)) return Application.Steam;
  if (view.getUint8(offset) === 0) {
    if (isSmb(view, offset, end)) return Application.Smb;
    if (isPostgreSqlStart(view, offset, end)) return Application.PostgreSql;
    if (isKerberosStream(view, offset, end)) return Application.Kerberos;
    if (isOpenVpnStream(view, offset, end)) return Application.OpenVpn;
    // A record whose first fragment is not its last.
    const rpc = recogniseRpcRecord(view, offset, end, srcPort, dstPort);
    if (rpc !== Application.None) return rpc;
  }
  if ((srcPort === MODBUS_PORT || dstPort === MODBUS_PORT) && isModbus(view, offset, end)) return Application.Modbus;
  return isDnsStream(view, offset, end, srcPort, dstPort) ? Application.Dns : Application.None;
}

function isKerberosStream(view: DataView, offset: number, end: number): boolean {
  const message = offset + KERBEROS_PREFIX_BYTES;
  return message < end && view.getUint32(offset) <= KERBEROS_BYTES_MAX && isKerberos(view, message, end);
}
