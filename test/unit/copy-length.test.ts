import { describe, expect, it } from 'vitest';
import { CopyLength } from '../../src/capture/copy-length.js';
import { LinkType } from '../../src/wire/link-type.js';
import { viewOf } from '../helpers/frame-bytes.js';
import { ethernet, frame, ipv4, ipv6, tcp } from '../helpers/frames.js';
import { clientHello, serverName, tlsRecords } from '../helpers/tls-hello.js';

const CLIENT = { src: '10.0.0.1', dst: '10.0.0.2' };
const SERVER = { src: '10.0.0.2', dst: '10.0.0.1' };
const IPV6_CLIENT = { src: 'fd00::1', dst: 'fd00::2' };
const IPV6_SERVER = { src: 'fd00::2', dst: 'fd00::1' };
/** Ethernet, IPv4 and TCP without options. */
const HEADER_BYTES = 54;
/** The shortest frame of Ethernet, without its checksum. */
const FRAME_BYTES_MIN = 60;

/** One connection as a capture sees it. */
class Connection {
  private readonly length = new CopyLength();

  constructor(
    private readonly isIpv6 = false,
    private readonly port = 80,
  ) {}

  /** Bytes of payload that are copied of a segment of the client. */
  client(payload: Uint8Array | string = '', flags = '.'): number {
    return this.copied(true, payload, flags);
  }

  server(payload: Uint8Array | string = '', flags = '.'): number {
    return this.copied(false, payload, flags);
  }

  open(): this {
    this.client('', 'S');
    this.server('', 'S.');
    return this;
  }

  private copied(isClient: boolean, payload: Uint8Array | string, flags: string): number {
    const ip = this.isIpv6 ? ipv6(isClient ? IPV6_CLIENT : IPV6_SERVER) : ipv4(isClient ? CLIENT : SERVER);
    const ports = isClient ? { srcPort: 40_000, dstPort: this.port } : { srcPort: this.port, dstPort: 40_000 };
    const bytes = frame(ethernet({ bytesMin: FRAME_BYTES_MIN }), ip, tcp({ ...ports, flags }), payload);
    return this.length.of(viewOf(bytes), 0, bytes.length, LinkType.Ethernet) - HEADER_BYTES - (this.isIpv6 ? 20 : 0);
  }
}

const request = `GET / HTTP/1.1\r\nHost: a.example\r\nCookie: ${'x'.repeat(3000)}\r\n\r\n`;
const parts = (text: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => text.slice((i * text.length) / count, ((i + 1) * text.length) / count));
const hello = (bytes: number): Uint8Array =>
  clientHello({
    extensions: [serverName('a.example'), new Uint8Array([0, 21, bytes >> 8, bytes & 0xff, ...new Uint8Array(bytes)])],
  });

describe('what is copied of a TCP stream', () => {
  it.each([false, true])(
    'is the head of a request however many empty segments, padded by Ethernet, come before (IPv6: %s)',
    (isIpv6) => {
      const connection = new Connection(isIpv6).open();
      for (let i = 0; i < 3; i++) expect(connection.client()).toBe(0);
      for (const part of parts(request, 3)) {
        expect(connection.client(part)).toBe(part.length);
        connection.server();
      }
      expect(connection.server('HTTP/1.1 200 OK\r\n\r\n')).toBe(19);
    },
  );

  it('is the final answer as well as an interim one', () => {
    const connection = new Connection().open();
    connection.client(request);
    expect(connection.server('HTTP/1.1 100 Continue\r\n\r\n')).toBe(25);
    expect(connection.server('HTTP/1.1 201 Created\r\n\r\n')).toBe(24);
  });

  it('is a hello in several records, each in a segment of its own', () => {
    const connection = new Connection(false, 443).open();
    for (let left = tlsRecords(hello(600), 250); left.length > 0; left = left.subarray(255)) {
      const segment = left.subarray(0, 255);
      expect(connection.client(segment)).toBe(segment.length);
    }
  });

  it('is a hello whose first segment comes last', () => {
    const bytes = tlsRecords(hello(3600));
    const segments = [0, 1, 2, 3].map((i) => bytes.subarray(i * 1000, (i + 1) * 1000));
    const connection = new Connection(false, 443).open();
    for (const i of [1, 2, 3, 0, 2]) expect(connection.client(segments[i])).toBe(segments[i]?.length);
  });

  it('is all of DNS', () => {
    const connection = new Connection(false, 53).open();
    for (let i = 0; i < 20; i++) expect(connection.server('x'.repeat(20_000))).toBe(20_000);
  });
});
