import { describe, expect, it } from 'vitest';
import { recogniseUdp } from '../../src/parse/app/recognise-udp.js';
import { APPLICATIONS } from '../../src/ring/application.js';
import { UDP_SAMPLES } from '../helpers/application-samples.js';
import { hasCaptures } from '../helpers/captures.js';
import { firstPayloads } from '../helpers/first-payloads.js';
import { join, viewOf } from '../helpers/frame-bytes.js';
import { hex, latin, placed } from '../helpers/placed.js';

function recognised(bytes: Uint8Array | string, srcPort = 40_000, dstPort = 40_002): string | undefined {
  return APPLICATIONS[recogniseUdp(...placed(typeof bytes === 'string' ? latin(bytes) : bytes), srcPort, dstPort)];
}

const fives = (count: number): Uint8Array => new Uint8Array(count).fill(5);
const telephone = join(hex('80 00 1234 00000000 aabbccdd'), fives(160));
const transportStream = join(hex('80 21 1234 00000000 aabbccdd 47'), fives(7 * 188 - 1));

describe('a datagram of which only the start is here', () => {
  const start = (bytes: Uint8Array, bytesInAll: number, dstPort = 40_002): string | undefined =>
    APPLICATIONS[recogniseUdp(viewOf(bytes), 0, bytes.length, 40_000, dstPort, bytesInAll)];

  it.each([
    ['wireguard', join(hex('04000000'), fives(156)), 1408, 51_820],
    ['ipsec', join(hex('0102030405060708 0000000000000000 21 20 22 08 00000000 000001f4'), fives(132)), 500, 500],
    ['ipsec', join(hex('00000000 0102030405060708 0000000000000000 21 20 22 08 00000000 000001f4'), fives(128)), 504, 4500],
    ['netflow', join(hex('000a 0400'), fives(156)), 1024, 40_002],
    ['netflow', join(hex('0005 001e'), fives(156)), 1464, 40_002],
    ['bacnet', join(hex('81 0b 01f4'), fives(156)), 500, 47_808],
    ['radius', join(hex('01 01 01f4'), fives(156)), 500, 1812],
    ['rtcp', join(hex('81 c8 007c'), fives(156)), 500, 40_001],
    ['rtp', telephone.subarray(0, 160), 172, 40_002],
    ['rtp', transportStream.subarray(0, 160), 1328, 40_002],
    ['stun', join(hex('0001 00c8 01020304 010203040506070809101112'), fives(140)), 220, 3478],
  ])('of %s goes by its length', (application, bytes, bytesInAll, dstPort) => {
    expect(start(bytes, bytesInAll, dstPort)).toBe(application);
  });

  it('is not WireGuard if the whole of it cannot be', () => {
    expect(start(join(hex('04000000'), fives(156)), 303)).not.toBe('wireguard');
  });

  it('is neither RTP nor STUN if the whole of it cannot be', () => {
    expect(start(telephone.subarray(0, 92), 173)).toBe('');
    expect(start(transportStream.subarray(0, 160), 1327)).toBe('');
    expect(start(join(hex('0001 008c 01020304 010203040506070809101112'), fives(140)), 220, 3478)).toBe('');
    // Its payload begins behind what is here.
    expect(start(join(hex('90 60 1234 00000000 aabbccdd bede 0025'), fives(144)), 400)).toBe('');
  });
});

describe('a datagram', () => {
  it.each(UDP_SAMPLES.map((sample) => [sample.application, sample.what, sample] as const))(
    'of %s: %s',
    (application, _, sample) => {
      expect(recognised(sample.bytes, sample.srcPort, sample.dstPort)).toBe(application);
    },
  );

  it.each([
    ['nothing', ''],
    ['zeros', '\0'.repeat(64)],
    ['text', 'Hello, world.'],
    ['WireGuard of another length', join(hex('01000000'), fives(143))],
    ['WireGuard with a reserved byte', join(hex('01000100'), fives(144))],
    ['STUN with another cookie', hex('0001 0000 2112a443 010203040506070809101112')],
    ['DTLS in the middle', join(hex('16 fefd 0001 000000000000 0064 01 000058'), fives(40))],
    ['DTLS of a version that is none', join(hex('16 0101 0000 000000000000 0064 01 000058'), fives(40))],
    ['ESP on no port in particular', join(hex('c1a55e11 00000001'), fives(120))],
    ['mosh', join(hex('80 00000000 000005'), fives(51))],
    ['SSDP of another version', 'M-SEARCH * HTTP/2.0\r\n'],
    ['an answer that says no', 'HTTP/1.1 404 Not Found\r\n'],
    ['a priority without a date', '<34>hello'],
    ['IKE of another length', join(hex('0102030405060708 0000000000000000 21 20 22 08 00000000 00000041'), fives(36))],
    ['a bare BitTorrent dictionary', 'd4:spam4:eggse1234567'],
    ['NetFlow 9 on no port in particular', join(hex('0009 0001'), fives(40))],
    ['DNS with two questions', hex('1234 0100 0002 0000 0000 0000 00 0002 0001 00 0002 0001')],
    ['DNS that does more than ask', hex('1234 2800 0001 0000 0000 0000 00 0002 0001')],
    ['a query of DNS with answers', hex('1234 0100 0001 0004 0000 0000 00 0002 0001')],
    ['a query of DNS with a code', hex('1234 0103 0001 0000 0000 0000 00 0002 0001')],
    ['a query of DNS with more behind it', hex('1234 0100 0001 0000 0000 0000 00 0002 0001 00')],
    ['a query of DNS without its records', hex('1234 0100 0001 0000 0000 0001 00 0002 0001 00')],
    ['DNS whose name is cut', hex('1234 0100 0001 0000 0000 0000 03777777')],
    ['DNS whose name is a pointer', hex('1234 0100 0001 0000 0000 0000 c00c 0001 0001')],
    ['DNS of a class that nobody has', hex('1234 0100 0001 0000 0000 0000 00 0002 0002')],
    ['DNS of no type', hex('1234 0100 0001 0000 0000 0000 00 0000 0001')],
    ['BACnet of another length', hex('81 0b 000d 0120 ffff 00ff 1008')],
  ])('of %s is not recognised', (_, bytes) => {
    expect(recognised(bytes)).toBe('');
  });

  it.each([
    ['DNS', 53, hex('1234 0100 ffff 0000 0000 0000')],
    ['DNS without any entry', 53, hex('1234 0100 0000 0000 0000 0000')],
    ['DNS with a bit that is reserved', 53, hex('1234 0140 0001 0000 0000 0000')],
    ['DNS of an operation that is none', 53, hex('1234 7800 0001 0000 0000 0000')],
    ['NTP of version 0', 123, join(hex('03'), fives(47))],
    ['NTP that is too short', 123, join(hex('23'), fives(30))],
    ['DHCP without its cookie', 67, join(hex('01 01 06 00'), fives(240))],
    ['DHCPv6 of type 0', 547, hex('00 abcdef 0001 0000')],
    ['DHCPv6 with an option that reaches beyond its end', 547, hex('01 abcdef 0001 0001')],
    ['DHCPv6 with an option that is none', 547, hex('01 abcdef 7777 0000')],
    ['TFTP of another operation', 69, '\0\x03\0\x01data\0'],
    ['RADIUS of another length', 1812, join(hex('01 7f 0015'), fives(16))],
    ['CoAP of version 2', 5683, hex('80 01 1234 bb')],
    ['ESP without an association', 4500, join(hex('00000000 00000001'), fives(120))],
    ['ESP that hides nothing', 4500, hex('c1a55e11 00000001')],
    ['ESP but a sign of life', 4500, hex('ff')],
    ['VXLAN without a network', 4789, hex('00000000 00007b00 ffff')],
  ])('on its port that is no %s is not recognised', (_, dstPort, bytes) => {
    expect(recognised(bytes, 40_001, dstPort)).toBe('');
  });
});

describe('RTP', () => {
  it('goes to an even port, from 1024 on at both ends', () => {
    expect(recognised(telephone, 40_001, 40_002)).toBe('rtp');
    expect(recognised(telephone, 40_002, 40_001)).toBe('');
    expect(recognised(telephone, 1023, 40_002)).toBe('');
    expect(recognised(telephone, 40_001, 1022)).toBe('');
  });

  it.each([
    ['padding', 'a0 00 1234 00000000 aabbccdd', 160],
    ['a contributing source', '81 00 1234 00000000 aabbccdd', 160],
    ['version 1', '40 00 1234 00000000 aabbccdd', 160],
    ['no source', '80 00 1234 00000000 00000000', 160],
    ['no payload', '80 00 1234 00000000 aabbccdd', 0],
    ['4.9 ms of telephone', '80 00 1234 00000000 aabbccdd', 39],
    ['a type that is reserved', '80 01 1234 00000000 aabbccdd', 160],
    ['a type that is nobody’s', '80 23 1234 00000000 aabbccdd', 160],
    ['a type that is RTCP’s', '80 48 1234 00000000 aabbccdd', 160],
    ['a transport stream without its first byte', '80 21 1234 00000000 aabbccdd', 188],
    ['an extension that is longer than the datagram', '90 60 1234 00000000 aabbccdd bede 0100', 160],
  ])('has no %s', (_, header, payloadBytes) => {
    expect(recognised(join(hex(header), fives(payloadBytes)))).toBe('');
  });

  it.each(['80 c8 0007 aabbccdd', 'a0 c8 0006 aabbccdd', '81 c8 0006 aabbccdd', '80 c7 0006 aabbccdd', '80 cd 0006 aabbccdd'])(
    'has no report that begins with %s',
    (header) => {
      expect(recognised(join(hex(header), fives(20)))).toBe('');
    },
  );
});

describe.skipIf(!hasCaptures)('datagrams in captures', () => {
  it.each([
    ['arkime__quicietf.pcap', { quic: 1 }],
    ['ipfixprobe__tls.pcap', { quic: 2 }],
    ['pcapplusplus__DnsPackets.pcap', { dns: 420, llmnr: 6, mdns: 3 }],
    ['zeek__dns-mdns.pcap', { mdns: 2 }],
    ['zeek__dhcp.pcap', { dhcp: 4 }],
    ['zeek__pppoe.pcap', { dhcpv6: 2 }],
    // A port mapper, a mount and NFS itself, calls and replies.
    ['suricata__nfs3-01.pcap', { rpc: 12, nfs: 4 }],
    ['zeek__wikipedia.pcap', { dns: 28, mdns: 4, llmnr: 4, netbios: 2 }],
    ['zeek__tunnels-gre-sample.pcap', { ntp: 6, dns: 1 }],
    ['zeek__q-in-q.pcap', { bacnet: 1, '': 1 }],
    ['pcapplusplus__sll.pcap', { dns: 20, mdns: 2, netbios: 1, dhcp: 1, rip: 1 }],
    ['pcapplusplus__ip6_fragments.pcap', { mdns: 1, wsd: 1 }],
    // Probes of traceroute hold the alphabet.
    ['ipfixprobe__mixed.pcap', { dhcp: 3, dhcpv6: 1, dns: 7, '': 16 }],
  ])('%s', async (name, expected) => {
    const counts: Record<string, number> = {};
    for (const { protocol, srcPort, dstPort, bytes } of await firstPayloads(name)) {
      if (protocol !== 17) continue;
      const application = APPLICATIONS[recogniseUdp(viewOf(bytes), 0, bytes.length, srcPort, dstPort)] as string;
      counts[application] = (counts[application] ?? 0) + 1;
    }
    expect(counts).toEqual(expected);
  });
});
