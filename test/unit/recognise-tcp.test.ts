import { describe, expect, it } from 'vitest';
import { recogniseTcp } from '../../src/parse/app/recognise-tcp.js';
import { APPLICATIONS } from '../../src/ring/application.js';
import { TCP_SAMPLES } from '../helpers/application-samples.js';
import { hasCaptures } from '../helpers/captures.js';
import { firstPayloads } from '../helpers/first-payloads.js';
import { join, viewOf } from '../helpers/frame-bytes.js';
import { hex, latin, placed } from '../helpers/placed.js';

function recognised(bytes: Uint8Array | string, srcPort = 40_000, dstPort = 40_002): string | undefined {
  return APPLICATIONS[recogniseTcp(...placed(typeof bytes === 'string' ? latin(bytes) : bytes), srcPort, dstPort)];
}

describe('a stream', () => {
  it.each(TCP_SAMPLES.map((sample) => [sample.application, sample.what, sample] as const))(
    'of %s: %s',
    (application, _, sample) => {
      expect(recognised(sample.bytes, sample.srcPort, sample.dstPort)).toBe(application);
    },
  );

  it.each([
    ['nothing', ''],
    ['a byte', '\x16'],
    ['text', 'Hello, world.\r\n'],
    ['zeros', '\0'.repeat(100)],
    ['ones', '\xff'.repeat(100)],
    ['a TLS handshake of another type', hex('16 0301 0200 0b 0001fc')],
    ['a TLS record of a version that is none', hex('16 0305 0200 01 0001fc')],
    ['a TLS record that is too long', hex('17 0303 4801 00')],
    ['TLS that stands elsewhere', hex('00 16 0301 0200 01 0001fc')],
    ['HTTP of a version that is none', 'GET / HTTP/3.0\r\n\r\n'],
    ['a greeting on no port in particular', '220 ready\r\n'],
    ['a bare positive answer on no port in particular', '+OK\r\n'],
    ['a method of SIP with another target', 'INVITE bob SIP/2.0\r\n'],
    ['XML', '<?xml version="1.0"?><html>'],
    ['an array that is none', '*x\r\n$4\r\nPING\r\n'],
    ['a TPKT of S7', hex('03 00 0016 11 e0 0000 0001 00 c0010a c1020100 c2020102')],
    ['an MQTT packet with another name', join(hex('10 12 0004'), latin('MQTX'))],
    ['a TCP call of RPC version 3', hex(`80000028 13572468 00000000 00000003 000186a3 00000003 ${'00'.repeat(20)}`)],
    ['SOCKS with bytes behind its methods', hex('05 01 00 00')],
    ['SOCKS with a method that is none', hex('05 01 40')],
    ['Modbus on another port', hex('0001 0000 0006 01 03 0000 000a')],
    ['DNS with a length that does not fit', join(hex('0400'), hex('1234 0100 0001 0000 0000 0000 00'))],
    ['PostgreSQL of version 2', hex('00000008 00020000')],
    ['an OpenVPN reset without a session', join(hex('000e 38 00000000 00000000 00 00000000'))],
  ])('of %s is not recognised', (_, bytes) => {
    expect(recognised(bytes)).toBe('');
  });

  it('is what its greeting says where its port says something else', () => {
    expect(recognised('SSH-2.0-x\r\n', 443)).toBe('ssh');
    expect(recognised('220 example.org ESMTP\r\n', 2525)).toBe('smtp');
    expect(recognised('220 smtp.example.org FTP server\r\n', 21)).toBe('ftp');
  });
});

describe.skipIf(!hasCaptures)('streams in captures', () => {
  const TLS_BOTH = { tls: 2 };
  it.each([
    ['zeek__http-get.pcap', { http: 2 }],
    ['zeek__http-connect-with-header.pcap', { http: 2 }],
    ['zeek__http-get-to-ssh-server.pcap', { http: 1, ssh: 1 }],
    ['zeek__wikipedia.pcap', { http: 18 }],
    ['zeek__tls-chrome-34-google.pcap', TLS_BOTH],
    ['zeek__tls-openjdk-25.0.2-zeek.org.pcap', TLS_BOTH],
    ['ipfixprobe__tls.pcap', { tls: 55 }],
    // Five connections carry data: what they hold has no form of its own. "USER anonymous" says nothing either.
    ['zeek__ftp-ipv6.pcap', { ftp: 1, '': 6 }],
    ['zeek__tunnels-gre-sample.pcap', { ssh: 2 }],
    ['pcapplusplus__sll.pcap', { http: 2 }],
    // A record that is no handshake: its start was not captured.
    ['pcapplusplus__sll2.pcap', { tls: 1 }],
  ])('%s', async (name, expected) => {
    const counts: Record<string, number> = {};
    for (const { protocol, srcPort, dstPort, bytes } of await firstPayloads(name)) {
      if (protocol !== 6) continue;
      const application = APPLICATIONS[recogniseTcp(viewOf(bytes), 0, bytes.length, srcPort, dstPort)] as string;
      counts[application] = (counts[application] ?? 0) + 1;
    }
    expect(counts).toEqual(expected);
  });
});
