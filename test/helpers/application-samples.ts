import type { ApplicationName } from '../../src/ring/application.js';
import { join, viewOf } from './frame-bytes.js';
import { hex, latin } from './placed.js';

/** Bytes that one side sends first, and what they are. */
export interface Sample {
  readonly application: ApplicationName;
  readonly what: string;
  readonly bytes: Uint8Array;
  /** The sender's port, 40000 unless it matters. */
  readonly srcPort: number;
  /** 40002 unless it matters. */
  readonly dstPort: number;
}

type Ports = { srcPort?: number; dstPort?: number };

function sample(application: ApplicationName, what: string, bytes: Uint8Array | string, ports: Ports = {}): Sample {
  return {
    application,
    what,
    bytes: typeof bytes === 'string' ? latin(bytes) : bytes,
    srcPort: 40_000,
    dstPort: 40_002,
    ...ports,
  };
}

const zeros = (count: number): Uint8Array => new Uint8Array(count);
const fives = (count: number): Uint8Array => new Uint8Array(count).fill(5);

/** A length of 16 or 32 bits before the bytes that it counts. */
function counted(bits: 16 | 32, ...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = join(...parts);
  const prefix = zeros(bits / 8);
  if (bits === 16) viewOf(prefix).setUint16(0, bytes.length);
  else viewOf(prefix).setUint32(0, bytes.length);
  return join(prefix, bytes);
}

/** A record of RPC over TCP: its mark says that no other fragment follows. */
function record(bytes: Uint8Array): Uint8Array {
  const marked = counted(32, bytes);
  marked[0] = 0x80;
  return marked;
}

const dnsQuery = hex('1234 0100 0001 0000 0000 0000 03777777 076578616d706c65 036f7267 00 0001 0001');
const dnsCookie = hex('5093 0100 0001 0000 0000 0001 00 0002 0001 00 0029 04d0 0000 8000 000c 000a 0008 0102030405060708');
const netBiosName = hex(`8001 0110 0001 0000 0000 0000 20 ${'4341'.repeat(16)} 00 0020 0001`);
const rpcCall = (program: string): Uint8Array =>
  hex(`13572468 00000000 00000002 ${program} 00000003 00000000 ${'00'.repeat(16)}`);
const rpcReply = hex('13572468 00000001 00000000 00000000 00000000 00000000 00000001');
const asReq = hex('6a81a0 30819d a103020105 a20302010a a48190 30818d');
/** Opcode and session of an OpenVPN packet. */
const openVpnReset = hex('38 0102030405060708 00 00000000');
const openVpnAnswer = hex('40 1112131415161718 01 00000000 0102030405060708 00000000');
const openVpnHashed = join(hex('38 0102030405060708'), fives(20), hex('00000001 65000000 00 00000000'));
const openVpnHidden = join(hex('38 0102030405060708 00000001 65000000'), fives(37));
const openVpnCookies = join(hex('50 0102030405060708 0f000001 65000000'), fives(200));
const ikeStart = join(hex('0102030405060708 0000000000000000 21 20 22 08 00000000 00000040'), fives(36));

export const TCP_SAMPLES: readonly Sample[] = [
  sample('tls', 'ClientHello (RFC 8446)', hex('16 0301 0200 01 0001fc 0303 00')),
  sample('tls', 'ServerHello', hex('16 0303 007a 02 000076 0303')),
  sample('tls', 'alert', hex('15 0303 0002 02 28')),
  sample('tls', 'data of a connection whose start was not seen', hex('17 0303 0445 9a')),
  sample(
    'tls',
    'ClientHello in the form of SSL 2 (RFC 5246 appendix E.2)',
    hex('8029 01 0301 0010 0000 0010 00'.padEnd(2 * 43 + 6, '0')),
  ),
  sample('http', 'request', 'GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n'),
  sample('http', 'request with a long target', `POST /${'a'.repeat(700)}`),
  sample('http', 'request to a proxy', 'CONNECT example.org:443 HTTP/1.1\r\n\r\n'),
  sample('http', 'response', 'HTTP/1.1 200 OK\r\n\r\n'),
  sample('http', 'preface of HTTP/2 (RFC 9113)', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  sample('ssh', 'identification (RFC 4253)', 'SSH-2.0-OpenSSH_9.6\r\n'),
  sample('smb', 'negotiation of SMB 1', join(hex('000000 54 ff'), latin('SMBr'))),
  sample('smb', 'negotiation of SMB 2', join(hex('000000 6c fe'), latin('SMB@'))),
  sample('smb', 'encrypted SMB 3', join(hex('000001 00 fd'), latin('SMB'), fives(8))),
  sample('netbios', 'session request (RFC 1002)', hex(`81000044 20 ${'43'.repeat(32)} 00 20 ${'43'.repeat(32)} 00`)),
  sample(
    'rdp',
    'connection request with a cookie',
    join(hex('03 00 002b 26 e0 0000 0000 00'), latin('Cookie: mstshash=administr\r\n'), zeros(8)),
  ),
  sample('rdp', 'connection request with a negotiation', hex('03 00 0013 0e e0 0000 0000 00 01 00 0800 03000000')),
  sample('rdp', 'connection confirm', hex('03 00 0013 0e d0 0000 1234 00 02 1f 0800 02000000')),
  sample('rdp', 'connection request of old', hex('03 00 000b 06 e0 0000 0000 00'), { dstPort: 3389 }),
  sample('vnc', 'version (RFC 6143)', 'RFB 003.008\n'),
  sample('mqtt', 'CONNECT of 3.1.1', join(hex('10 12 0004'), latin('MQTT'), hex('04 02 003c'), fives(6))),
  sample(
    'mqtt',
    'CONNECT of 3.1 with a long remaining length',
    join(hex('10 8101 0006'), latin('MQIsdp'), hex('03 02'), zeros(100)),
  ),
  sample('bittorrent', 'handshake (BEP 3)', join(latin('\x13BitTorrent protocol'), fives(48))),
  sample('imap', 'greeting (RFC 9051)', '* OK IMAP4rev2 server ready\r\n'),
  sample('imap', 'greeting to somebody known', '* PREAUTH ready\r\n'),
  sample('pop3', 'greeting (RFC 1939)', '+OK POP3 server ready\r\n'),
  sample('pop3', 'bare greeting', '+OK\r\n', { srcPort: 110 }),
  sample('smtp', 'greeting (RFC 5321)', '220 mail.example.org ESMTP ready\r\n'),
  sample('smtp', 'greeting that tells nothing', '220 example.org\r\n', { srcPort: 587 }),
  sample('smtp', 'greeting of a client', 'EHLO client.example.org\r\n'),
  sample('ftp', 'greeting (RFC 959)', '220-Welcome\r\n220 example.org FTP server\r\n'),
  sample('ftp', 'greeting that tells nothing', '220 example.org\r\n', { srcPort: 21 }),
  sample('telnet', 'options (RFC 854)', hex('fffb18 fffd20')),
  sample('sip', 'request (RFC 3261)', 'INVITE sip:bob@biloxi.example.com SIP/2.0\r\n'),
  sample('sip', 'response', 'SIP/2.0 180 Ringing\r\n'),
  sample('rtsp', 'request (RFC 7826)', 'DESCRIBE rtsp://media.example.com/audio RTSP/1.0\r\n'),
  sample('rtsp', 'request with a path', 'GET /info RTSP/1.0\r\nX-Apple: 1\r\n\r\n'),
  sample('rtsp', 'response', 'RTSP/1.0 200 OK\r\n'),
  sample('xmpp', 'stream (RFC 6120)', "<?xml version='1.0'?><stream:stream from='juliet@im.example.com'"),
  sample('xmpp', 'stream without a declaration', '<stream:stream to="im.example.com"'),
  sample('irc', 'name of a client (RFC 2812)', 'NICK wiz\r\nUSER guest 0 * :Ronnie Reagan\r\n'),
  sample('irc', 'capabilities', 'CAP LS 302\r\n'),
  sample('irc', 'notice of a server', ':irc.example.org NOTICE * :*** Looking up your hostname\r\n'),
  sample('irc', 'reply of a server', ':irc.example.org 001 wiz :Welcome\r\n'),
  sample('postgresql', 'start', join(hex('00000026 00030000'), latin('user\0postgres\0database\0db\0\0'))),
  sample('postgresql', 'request for TLS', hex('00000008 04d2162f')),
  sample('mysql', 'greeting', join(hex('4a0000 00 0a'), latin('8.0.36\0'), fives(66))),
  sample('redis', 'command', '*1\r\n$4\r\nPING\r\n'),
  sample('mongodb', 'message', hex('18000000 01000000 00000000 dd070000 00000000 00000000')),
  sample('mongodb', 'query', hex('20000000 01000000 00000000 d4070000 00000000 0000000000000000')),
  sample('mssql', 'pre-login', hex('12 01 001a 0000 01 00 00 000b 0006 01 0011 0001 ff 00000000 0000 00')),
  sample('ldap', 'bind (RFC 4511)', hex('30 0c 020101 60 07 020103 0400 8000')),
  sample('ldap', 'search with a long length', hex('3084 00000045 020101 63 84 0000003c')),
  sample('kerberos', 'request for a ticket (RFC 4120)', counted(32, asReq, zeros(140))),
  sample('dns', 'query (RFC 1035)', counted(16, dnsQuery)),
  sample('dns', 'start of a long answer', join(hex('0400'), hex('1234 8180 0001 0014 0000 0001'), fives(40)), { srcPort: 53 }),
  sample('rtmp', 'handshake', join(hex('03 00000000 00000000'), fives(1400))),
  sample('socks', 'greeting of version 5 (RFC 1928)', hex('05 02 00 02')),
  sample('socks', 'request of version 4', join(hex('04 01 0050 5db8d822'), latin('user\0'))),
  sample('nfs', 'call (RFC 5531)', record(rpcCall('000186a3'))),
  sample('rpc', 'call of the port mapper', record(rpcCall('000186a0'))),
  sample('rpc', 'first fragment of a call', counted(32, rpcCall('000186a0'))),
  sample('nfs', 'reply', record(rpcReply), { srcPort: 2049 }),
  sample('rpc', 'reply', record(rpcReply), { srcPort: 111 }),
  sample('dcerpc', 'bind', join(hex('05 00 0b 03 10000000 4800 0000 01000000'), zeros(56))),
  sample('openvpn', 'reset', counted(16, openVpnReset)),
  sample('openvpn', 'reset with a hash', counted(16, openVpnHashed)),
  sample('git', 'request', '0033git-upload-pack /project.git\0host=example.org\0'),
  sample('rsync', 'greeting', '@RSYNCD: 31.0\n'),
  sample('amqp', 'header of 0-9-1', hex('414d5150 00 00 09 01')),
  sample('amqp', 'header of 1.0', hex('414d5150 03 01 00 00')),
  sample('zabbix', 'header', hex('5a425844 01 0d000000 00000000')),
  sample('ajp', 'forwarded request', hex('1234 0020 02 02 0008 485454502f312e31')),
  sample('adb', 'connection', join(latin('CNXN'), hex('00000001 00001000 07000000 32020000 bcb1a7b1'), latin('host::\0'))),
  sample('bgp', 'OPEN (RFC 4271)', hex(`${'ff'.repeat(16)} 001d 01 04 fde8 00b4 0a000001 00`)),
  sample('modbus', 'request', hex('0001 0000 0006 01 03 0000 000a'), { dstPort: 502 }),
  sample('ethernetip', 'registration of a session', hex('6500 0400 00000000 00000000 0000000000000000 00000000 0100 0000')),
  sample('dnp3', 'request', hex('0564 08 c4 0100 0a00 71af c0c001 cfba')),
  sample(
    'steam',
    'connection to a server of Steam',
    join(hex('1c000000'), latin('VT01'), hex('17050000 ffffffffffffffff'), fives(16)),
  ),
  sample('minecraft', 'handshake', join(hex('13 00 fd05 0c'), latin('mc.example.o'), hex('63dd 01 0100'))),
];

export const UDP_SAMPLES: readonly Sample[] = [
  sample('dns', 'query', dnsQuery, { dstPort: 53 }),
  sample('dns', 'answer', hex('1234 8183 0001 0000 0001 0000 00'), { srcPort: 53 }),
  sample('dns', 'query on another port', dnsQuery, { dstPort: 5335 }),
  sample('dns', 'query with EDNS, whose id looks like a reset of OpenVPN', dnsCookie, { dstPort: 443 }),
  sample('mdns', 'question (RFC 6762)', hex('0000 0000 0003 0000 0000 0000 00'), { srcPort: 5353, dstPort: 5353 }),
  sample('llmnr', 'question (RFC 4795)', hex('9a3c 0000 0001 0000 0000 0000 00'), { dstPort: 5355 }),
  sample('netbios', 'question (RFC 1002)', netBiosName, { srcPort: 137, dstPort: 137 }),
  sample('netbios', 'registration', hex('8002 2910 0001 0000 0000 0001 00'), { srcPort: 137, dstPort: 137 }),
  sample('netbios', 'datagram', hex('11 0a 8003 c0a80102 008a 00bb 0000 20'), { srcPort: 138, dstPort: 138 }),
  sample('dhcp', 'discovery (RFC 2131)', join(hex('01 01 06 00'), fives(232), hex('63825363 350101 ff')), {
    srcPort: 68,
    dstPort: 67,
  }),
  sample('dhcpv6', 'SOLICIT (RFC 8415)', hex('01 abcdef 0001 0000'), { srcPort: 546, dstPort: 547 }),
  sample('ntp', 'request (RFC 5905)', join(hex('23 00 06 e9'), zeros(44)), { dstPort: 123 }),
  sample('ntp', 'control message', hex('16 01 0000 0000 0000 0000 0000'), { dstPort: 123 }),
  sample('snmp', 'request of version 2', join(hex('30 29 02 01 01 04 06'), latin('public'), hex('a0 1c'))),
  sample('snmp', 'request of version 3 (RFC 3412)', hex('30 81 80 02 01 03 30 11 02 04')),
  sample('ssdp', 'search', 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n'),
  sample('ssdp', 'notice', 'NOTIFY * HTTP/1.1\r\n'),
  sample('ssdp', 'answer', 'HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n', { srcPort: 1900 }),
  sample('ssdp', 'answer from another port', 'HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n', { srcPort: 49_152, dstPort: 50_000 }),
  sample('stun', 'binding request (RFC 8489)', hex('0001 0000 2112a442 010203040506070809101112')),
  sample('stun', 'binding request of old (RFC 3489)', hex('0001 0000 01020304 010203040506070809101112'), { dstPort: 3478 }),
  sample('stun', 'to the other port of a server', hex('0001 0000 01020304 010203040506070809101112'), { dstPort: 3479 }),
  sample('rtp', 'telephone, 20 ms (RFC 3551)', join(hex('80 00 1234 00000000 aabbccdd'), fives(160))),
  sample('rtp', 'dynamic type with an extension', join(hex('90 e0 1234 00000000 aabbccdd bede 0001 10ff0000'), fives(80))),
  sample(
    'rtp',
    'transport stream (RFC 2250)',
    join(hex('80 21 1234 00000000 aabbccdd'), ...new Array<Uint8Array>(7).fill(join(hex('47'), fives(187)))),
  ),
  sample('rtcp', 'sender report (RFC 3550)', join(hex('80 c8 0006 aabbccdd'), fives(20), hex('81 ca 0002 aabbccdd 01020000'))),
  sample('rtcp', 'receiver report', join(hex('81 c9 0007 aabbccdd'), fives(24))),
  sample(
    'dtls',
    'ClientHello (RFC 9147)',
    join(hex('16 fefd 0000 000000000000 0064 01 000058 0000 000000 000058 fefd'), fives(8)),
  ),
  sample(
    'dtls',
    'ClientHello of version 1.0 as it was before the RFC',
    join(hex('16 0100 0000 000000000000 0064 01 000058 0000 000000 000058 0100'), fives(80)),
  ),
  sample('quic', 'Initial of version 1 (RFC 9000)', join(hex('c3 00000001 08 0102030405060708 00 00 449e'), fives(1180))),
  sample('quic', 'Initial of version 2 (RFC 9369)', join(hex('d3 6b3343cf 08 0102030405060708 00 00 449e'), fives(1180))),
  sample('quic', 'Version Negotiation', hex('80 00000000 00 08 0102030405060708 00000001')),
  sample('quic', 'as it was before the IETF', join(hex('0d 0102030405060708'), latin('Q043'), hex('01'), fives(40))),
  sample('wireguard', 'initiation', join(hex('01000000'), fives(144))),
  sample('wireguard', 'response', join(hex('02000000'), fives(88))),
  sample('wireguard', 'cookie', join(hex('03000000'), fives(60))),
  sample('wireguard', 'keep-alive', join(hex('04000000'), fives(28))),
  sample('openvpn', 'reset', openVpnReset),
  sample('openvpn', 'answer to a reset', openVpnAnswer),
  sample('openvpn', 'reset with a hash', openVpnHashed),
  sample('openvpn', 'hidden reset', openVpnHidden),
  sample('openvpn', 'reset that shows a cookie', openVpnCookies),
  sample('bittorrent', 'query of the hash table (BEP 5)', 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe'),
  sample('bittorrent', 'answer of the hash table', 'd1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re'),
  sample('bittorrent', 'start of uTP (BEP 29)', hex('41 00 1234 00112233 00000000 00100000 0001 0000')),
  sample(
    'bittorrent',
    'start of uTP with an extension',
    hex('41 02 1234 00112233 00000000 00100000 0001 0000 00 08 0000000000000000'),
  ),
  sample('bittorrent', 'request to a tracker (BEP 15)', hex('0000041727101980 00000000 01020304')),
  sample('bittorrent', 'local discovery (BEP 14)', 'BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n'),
  sample('sip', 'request', 'REGISTER sips:registrar.biloxi.example.com SIP/2.0\r\n'),
  sample('sip', 'response', 'SIP/2.0 200 OK\r\n'),
  sample('syslog', 'message (RFC 5424)', '<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - failed'),
  sample('syslog', 'message (RFC 3164)', "<34>Oct 11 22:14:15 mymachine su: 'su root' failed"),
  sample('syslog', 'message of any form', '<190>link down', { dstPort: 514 }),
  sample('coap', 'request (RFC 7252)', hex('40 01 1234 bb'), { dstPort: 5683 }),
  sample('radius', 'request (RFC 2865)', join(hex('01 7f 0014'), fives(16)), { dstPort: 1812 }),
  sample('tftp', 'request (RFC 1350)', '\0\x01pxelinux.0\0octet\0', { dstPort: 69 }),
  sample('ipsec', 'IKE_SA_INIT (RFC 7296)', ikeStart, { dstPort: 500 }),
  sample('ipsec', 'IKE on the port of ESP (RFC 3948)', join(zeros(4), ikeStart), { dstPort: 4500 }),
  sample('ipsec', 'ESP on its port with IKE (RFC 3948)', join(hex('80001234 00000001 aabbccdd'), fives(160)), { dstPort: 4500 }),
  sample('ipsec', 'answer of ESP', join(hex('c1a55e11 00000001'), fives(120)), { srcPort: 4500 }),
  sample('netflow', 'version 5', join(hex('0005 0001'), fives(68))),
  sample('netflow', 'version 9 (RFC 3954)', join(hex('0009 0001'), fives(40)), { dstPort: 2055 }),
  sample('netflow', 'IPFIX (RFC 7011)', join(hex('000a 0014'), fives(16))),
  sample('sflow', 'version 5', join(hex('00000005 00000001 c0a80001'), fives(20)), { dstPort: 6343 }),
  sample('wsd', 'probe', '<?xml version="1.0"?><soap:Envelope', { dstPort: 3702 }),
  sample('ldap', 'search without a connection', hex('30 25 020101 63 20 0400')),
  sample('kerberos', 'request for a ticket', asReq),
  sample('rpc', 'call of the port mapper', rpcCall('000186a0'), { dstPort: 111 }),
  sample('nfs', 'call', rpcCall('000186a3'), { dstPort: 2049 }),
  sample('bacnet', 'Who-Is', hex('81 0b 000c 0120 ffff 00ff 1008')),
  sample('dnp3', 'request', hex('0564 05 c0 0100 0a00 e08c')),
  sample('rip', 'response (RFC 2453)', hex('02 02 0000 0002 0000 0a000000'), { srcPort: 520, dstPort: 520 }),
  sample('vxlan', 'Ethernet (RFC 7348)', hex('08000000 00007b00 ffffffffffff'), { dstPort: 4789 }),
  sample('steam', 'query to a server', '\xff\xff\xff\xffTSource Engine Query\0'),
  sample('steam', 'discovery', hex('ffffffff 214c5fa0 10000000')),
  sample('dropbox', 'discovery', '{"host_int": 1234, "version": [2, 0]}'),
  sample('spotify', 'discovery', 'SpotUdp0\x01\x02'),
];
