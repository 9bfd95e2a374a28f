import { type Packet as DnsPacket, encode, RECURSION_DESIRED, streamEncode } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { Details, Slot, Table } from '../../src/ring/layout.js';
import { join } from '../helpers/frame-bytes.js';
import {
  ethernet,
  frame,
  icmpv6,
  ipv4,
  ipv6,
  extension as ipv6Extension,
  type Layer,
  tcpFrame,
  udp,
  udpFrame,
} from '../helpers/frames.js';
import { onlyFlow, ParseRig } from '../helpers/parse-rig.js';
import { cryptoFrame, longPacket } from '../helpers/quic-packet.js';
import { CLIENT, Connection, hello, ISN, SERVER } from '../helpers/tcp-connection.js';
import { alpn, clientHello, serverName, supportedVersions, tlsRecords } from '../helpers/tls-hello.js';

const RAW = 101;

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));

describe('TLS', () => {
  const expected = { sni: 'www.example.org', alpn: 'h2,http/1.1', tlsVersion: '0304' };

  it('tells name, protocols, version and fingerprint of a client', () => {
    const connection = new Connection(new ParseRig()).handshake().client(0, tlsRecords(hello('www.example.org')));
    const flow = onlyFlow(connection.rig);
    expect(flow).toMatchObject({ application: 'tls', details: expected });
    expect(flow.details['ja4']).toMatch(/^t13d0204h2_[0-9a-f]{12}_[0-9a-f]{12}$/);
  });

  const long = tlsRecords(hello('www.example.org', 2500));
  const pieces = [0, 1200, 2400].map((from) => [from, long.subarray(from, from + 1200)] as const);

  it.each([
    ['in order', [0, 1, 2]],
    ['out of order', [0, 2, 1]],
    ['the first one last', [2, 1, 0]],
    ['with segments sent again', [0, 0, 1, 1, 2]],
  ])('is read across segments %s', (_, order) => {
    const connection = new Connection(new ParseRig()).handshake();
    for (const index of order) connection.client(...(pieces[index] as (typeof pieces)[0]));
    expect(onlyFlow(connection.rig)).toMatchObject({ application: 'tls', details: expected });
  });

  it('is read in small pieces, across the wrap of sequence numbers', () => {
    const connection = new Connection(new ParseRig()).handshake();
    const bytes = tlsRecords(hello('www.example.org', 200));
    expect(bytes.length).toBeGreaterThan(0x100);
    for (let at = 0; at < bytes.length; at += 40) connection.client(at, bytes.subarray(at, at + 40));
    expect(onlyFlow(connection.rig)).toMatchObject({ application: 'tls', details: expected });
  });

  it('is read where the handshake was not seen', () => {
    const connection = new Connection(new ParseRig()).client(100, tlsRecords(hello('www.example.org')));
    expect(onlyFlow(connection.rig)).toMatchObject({ tcpState: 'midstream', application: 'tls', details: expected });
  });

  it('is read at each connection of the same ports', () => {
    const rig = new ParseRig();
    const connection = new Connection(rig).handshake().client(0, tlsRecords(hello('one.example')));
    connection
      .reset()
      .handshake()
      .client(0, tlsRecords(hello('two.example')));
    expect(
      rig
        .finish()
        .flows()
        .map(({ details }) => details['sni']),
    ).toEqual(['one.example', 'two.example']);
  });

  it('survives the death of the worker, as the flow does', () => {
    const connection = new Connection(new ParseRig()).handshake().client(0, tlsRecords(hello('www.example.org')));
    connection.rig.replaceWorker();
    expect(onlyFlow(connection.rig)).toMatchObject({ application: 'tls', details: expected });
  });

  it('is given up where its worker died in the middle of it', () => {
    const connection = new Connection(new ParseRig()).handshake().client(...(pieces[0] as (typeof pieces)[0]));
    connection.rig.replaceWorker();
    connection.client(...(pieces[1] as (typeof pieces)[0])).client(...(pieces[2] as (typeof pieces)[0]));
    expect(onlyFlow(connection.rig)).toMatchObject({ application: 'tls', details: {} });
  });

  it('is on every segment of a long flow', () => {
    const connection = new Connection(new ParseRig({ 'flow.active-s': 10 }))
      .handshake()
      .client(0, tlsRecords(hello('a.example')));
    connection.us += 11e6;
    connection.server(0, 'x');
    expect(
      connection.rig
        .finish()
        .flows()
        .map(({ details }) => details['sni']),
    ).toEqual(['a.example', 'a.example']);
  });

  it('of many streams that wait for bytes gives up those that have waited longest', () => {
    const rig = new ParseRig();
    const connections = Array.from({ length: 80 }, (_, i) => new Connection(rig, 443, 30_000 + i).handshake());
    for (const connection of connections) connection.client(0, long.subarray(0, 1200));
    for (const connection of connections) connection.client(1200, long.subarray(1200, 2400)).client(2400, long.subarray(2400));
    const named = rig
      .finish()
      .flows()
      .filter(({ details }) => details['sni'] === 'www.example.org');
    expect(named).toHaveLength(64);
  });
});

describe('HTTP', () => {
  const request = 'GET /private?q=1 HTTP/1.1\r\nHost: WWW.Example.org:8080\r\nUser-Agent: curl/8.1\r\n\r\n';

  it('tells host, method, agent and status, and no path', () => {
    const connection = new Connection(new ParseRig(), 8080)
      .handshake()
      .client(0, request)
      .server(0, 'HTTP/1.1 404 Not Found\r\n');
    expect(onlyFlow(connection.rig)).toMatchObject({
      application: 'http',
      details: { host: 'www.example.org', method: 'GET', userAgent: 'curl/8.1', status: '404' },
    });
    const again = new Connection(new ParseRig(), 8080).handshake().client(0, request);
    expect(onlyFlow(again.rig).details).not.toHaveProperty('path');
  });

  it('tells the path if it is wanted', () => {
    const connection = new Connection(new ParseRig({ 'names.http-path': true }), 80).handshake().client(0, request);
    expect(onlyFlow(connection.rig).details['path']).toBe('/private?q=1');
  });

  it('is read across segments', () => {
    const connection = new Connection(new ParseRig(), 80)
      .handshake()
      .client(0, request.slice(0, 30))
      .client(30, request.slice(30));
    expect(onlyFlow(connection.rig).details).toMatchObject({ host: 'www.example.org', userAgent: 'curl/8.1' });
  });

  it.each([
    ['behind the agent', 140, { host: 'www.example.org', method: 'GET', userAgent: 'curl/8.1' }],
    ['in the middle of the agent', 120, { host: 'www.example.org', method: 'GET' }],
    ['in the middle of the host', 100, { method: 'GET' }],
    ['in the request line', 75, { method: 'GET' }],
  ])('tells what stands in whole lines where a capture is cut %s', (_, snapBytes, expected) => {
    const cookie = `${request.slice(0, -2)}Cookie: ${'c'.repeat(400)}\r\n\r\n`;
    const connection = new Connection(new ParseRig(), 80, 40_000, snapBytes).handshake().client(0, cookie);
    const { application, details } = onlyFlow(connection.rig);
    expect([application, details]).toEqual(['http', expected]);
  });

  describe('with interim responses', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
    const hints = `HTTP/1.1 103 Early Hints\r\nLink: </${'s'.repeat(200)}.css>; rel=preload\r\n\r\n`;
    const final = 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n';

    /** The status of a connection with these segments of the server; `cut` bytes at the end of the first one were not captured. */
    function statusOf(segments: readonly string[], cut = 0): string | undefined {
      const { rig, us } = new Connection(new ParseRig(), 80).handshake().client(0, request);
      let seq = ISN + 1;
      for (const [index, payload] of segments.entries()) {
        // Without a link header, the capture copies the whole segment.
        const bytes = tcpFrame({ src: SERVER, dst: CLIENT, srcPort: 80, dstPort: 40_000, seq: seq >>> 0, ack: 1, payload });
        const packet = bytes.subarray(14, bytes.length - (index === 0 ? cut : 0));
        rig.feed(packet, us, { linkType: RAW, wireBytes: bytes.length - 14 });
        seq += payload.length;
      }
      return onlyFlow(rig).details['status'];
    }

    const all = interim + hints + final;
    const pieces = Array.from({ length: Math.ceil(all.length / 30) }, (_, i) => all.slice(i * 30, i * 30 + 30));

    it.each([
      ['in one segment', [interim + final]],
      ['in a segment before it', [interim, final]],
      ['of several kinds', [interim, hints, hints, final]],
      ['of several kinds, in one segment', [all]],
      ['in pieces', pieces],
    ])('tells the status of the final one behind those %s', (_, segments) => {
      expect(statusOf(segments)).toBe('201');
    });

    it('passes over a head that the capture cut', () => {
      expect(statusOf([hints, final], 60)).toBe('201');
    });

    it('tells none while there is no final one', () => {
      expect(statusOf([interim])).toBeUndefined();
      expect(statusOf([interim, 'something else entirely', final])).toBeUndefined();
    });

    it('takes a change of protocol for the final one', () => {
      expect(statusOf(['HTTP/1.1 101 Switching Protocols\r\n\r\n', final])).toBe('101');
    });
  });

  it('through a proxy shows the name of the TLS inside', () => {
    const connect = 'CONNECT inner.example:443 HTTP/1.1\r\nHost: inner.example:443\r\n\r\n';
    const connection = new Connection(new ParseRig(), 3128).handshake().client(0, connect);
    connection.server(0, 'HTTP/1.1 200 OK\r\n\r\n').client(connect.length, tlsRecords(hello('inner.example')));
    expect(onlyFlow(connection.rig)).toMatchObject({
      application: 'http',
      details: { host: 'inner.example', sni: 'inner.example', method: 'CONNECT', status: '200' },
    });
  });
});

it('Steam over TCP is told by its first message, also on the port of MongoDB', () => {
  const first = join(Uint8Array.of(0x1c, 0, 0, 0), text('VT01'), new Uint8Array(28).fill(5));
  const connection = new Connection(new ParseRig(), 27_017).handshake().server(0, first);
  expect(onlyFlow(connection.rig)).toMatchObject({ application: 'steam' });
});

describe('QUIC', () => {
  const message = clientHello({ extensions: [serverName('quic.example'), alpn('h3'), supportedVersions(0x0304)] });
  const datagram = (payload: Uint8Array, isClient = true): Uint8Array =>
    udpFrame({
      src: isClient ? CLIENT : SERVER,
      dst: isClient ? SERVER : CLIENT,
      srcPort: isClient ? 50_000 : 443,
      dstPort: isClient ? 443 : 50_000,
      payload,
    });
  const padded = (frames: Uint8Array): Uint8Array => join(frames, new Uint8Array(1000));

  it('tells name, protocols and versions of a client', () => {
    const rig = new ParseRig().feed(datagram(longPacket(padded(cryptoFrame(0, message)))), 1e6);
    expect(onlyFlow(rig)).toMatchObject({
      application: 'quic',
      details: { quicSni: 'quic.example', alpn: 'h3', tlsVersion: '0304', quicVersion: '00000001' },
    });
  });

  it('is read across packets that come out of order', () => {
    const rig = new ParseRig();
    rig.feed(datagram(longPacket(padded(cryptoFrame(60, message.subarray(60))))), 1e6);
    rig.feed(datagram(longPacket(padded(cryptoFrame(0, message.subarray(0, 60))), { packetNumber: 1 })), 1.1e6);
    expect(onlyFlow(rig)).toMatchObject({ application: 'quic', details: { quicSni: 'quic.example' } });
  });
});

describe('DNS', () => {
  const query: DnsPacket = { type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ type: 'A', name: 'Example.org' }] };
  const answer: DnsPacket = {
    ...query,
    type: 'response',
    answers: [{ type: 'A', name: 'Example.org', ttl: 60, data: '198.51.100.9' }],
  };
  const expected = { name: 'example.org', type: 1, code: 0, answers: ['198.51.100.9'], answerCount: 1 };

  it('gives a transaction with its latency, beside the flow', () => {
    const rig = new ParseRig();
    rig.feed(udpFrame({ src: CLIENT, dst: SERVER, srcPort: 5000, dstPort: 53, payload: encode(query) }), 1e6);
    rig.feed(udpFrame({ src: SERVER, dst: CLIENT, srcPort: 53, dstPort: 5000, payload: encode(answer) }), 1.025e6);
    rig.finish();
    expect(rig.dns()).toEqual([
      { ...expected, transport: 'udp', client: `${CLIENT} 5000`, server: `${SERVER} 53`, latencyUs: 25_000, seenUs: 1e6 },
    ]);
    expect(rig.flows()).toMatchObject([{ application: 'dns', packets: [1, 1] }]);
  });

  it('is read from the start of a datagram that ends before its IP packet', () => {
    const bytes = join(encode(query), new Uint8Array(20));
    const layers = [ethernet(), ipv4(), udp({ srcPort: 5000, dstPort: 53, length: 8 + encode(query).length }), bytes];
    const rig = new ParseRig().feed(frame(...layers), 1e6).finish();
    expect(rig.dns()).toMatchObject([{ name: 'example.org' }]);
    expect(rig.flows()).toMatchObject([{ application: 'dns', payloadBytes: [encode(query).length, 0] }]);
  });

  it('over TCP is read message by message, however they are cut', () => {
    const rig = new ParseRig();
    const connection = new Connection(rig, 53).handshake();
    const queries = join(streamEncode(query), streamEncode({ ...query, id: 8 }));
    const answers = join(streamEncode(answer), streamEncode({ ...answer, id: 8 }));
    connection.client(0, queries.subarray(0, 1)).client(1, queries.subarray(1, 50)).client(50, queries.subarray(50));
    connection.server(0, answers.subarray(0, 20)).server(60, answers.subarray(60)).server(20, answers.subarray(20, 60));
    rig.finish();
    expect(rig.dns()).toMatchObject([
      { ...expected, transport: 'tcp' },
      { ...expected, transport: 'tcp' },
    ]);
    expect(rig.flows()).toMatchObject([{ application: 'dns' }]);
  });

  it('over TCP on another port is told by its form, and read message by message', () => {
    const rig = new ParseRig();
    const connection = new Connection(rig, 5335).handshake();
    const queries = [streamEncode(query), streamEncode({ ...query, id: 8 })] as const;
    connection.client(0, queries[0].subarray(0, 2)).client(2, queries[0].subarray(2)).server(0, streamEncode(answer));
    connection.client(queries[0].length, queries[1]);
    rig.finish();
    expect(rig.dns()).toMatchObject([
      { ...expected, transport: 'tcp', server: `${SERVER} 5335` },
      { name: expected.name, code: -1 },
    ]);
    expect(rig.flows()).toMatchObject([{ application: 'dns' }]);
  });

  it.each([
    ['in a few pieces', 10, 1],
    ['byte by byte, which is given up', 1, 0],
  ])('over TCP %s', (_, bytesPerPiece, transactions) => {
    const rig = new ParseRig();
    const connection = new Connection(rig, 53).handshake();
    const message = streamEncode({ ...query, questions: [{ type: 'A', name: `${'a'.repeat(60)}.example` }] });
    for (let at = 0; at < message.length; at += bytesPerPiece) connection.client(at, message.subarray(at, at + bytesPerPiece));
    rig.finish();
    expect(rig.dns()).toHaveLength(transactions);
  });

  it('without an answer is told when the run ends', () => {
    const rig = new ParseRig();
    rig.feed(udpFrame({ src: CLIENT, dst: SERVER, srcPort: 5000, dstPort: 53, payload: encode(query) }), 1e6).finish();
    expect(rig.dns()).toMatchObject([{ name: 'example.org', code: -1, latencyUs: -1 }]);
  });
});

describe('neighbour discovery', () => {
  const target = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x48];
  const message = Uint8Array.of(...target, 2, 1, 2, 0, 0, 0, 0, 0x48);
  const told = (hopLimit: number, ...between: Layer[]): string[] => {
    const layers = [ethernet(), ipv6({ hopLimit }), ...between, icmpv6({ type: 136 }), message];
    const rig = new ParseRig().feed(frame(...layers), 1e6).finish();
    return rig.devices().map(({ source, mac, address }) => `${source} ${mac} ${address}`);
  };

  it('tells devices, also behind extension headers', () => {
    expect(told(255)).toEqual(['ndp 02:00:00:00:00:48 2001:db8:0:0:0:0:0:48']);
    expect(told(255, ipv6Extension(0), ipv6Extension(60))).toEqual(['ndp 02:00:00:00:00:48 2001:db8:0:0:0:0:0:48']);
  });

  it('tells nothing where a router handed it on, or may have (RFC 4861 section 7.1.2)', () => {
    expect([...told(254), ...told(64), ...told(0), ...told(64, ipv6Extension(0))]).toEqual([]);
  });
});

describe('details of a flow', () => {
  it('are never more than their block holds', () => {
    const agent = 'a'.repeat(300);
    const path = `/${'p'.repeat(300)}`;
    const host = `${'h'.repeat(60)}.example`.repeat(5);
    const rig = new ParseRig({ 'names.http-path': true });
    new Connection(rig, 80).handshake().client(0, text(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${agent}\r\n\r\n`));
    const table = new Int32Array(rig.memory.flowTables[0] as SharedArrayBuffer);
    const used = Array.from(
      { length: 100 },
      (_, slot) => table[(Table.HeaderBytes + slot * Slot.Bytes) / 4 + Slot.DetailBytes] as number,
    );
    expect(Math.max(...used)).toBeLessThanOrEqual(Details.BytesMax);
    expect(onlyFlow(rig).details).toMatchObject({ method: 'GET', host: host.slice(0, 253) });
  });
});

describe('payload that the capture does not hold', () => {
  it('is not looked for', () => {
    const bytes = tcpFrame({ payload: tlsRecords(hello('www.example.org')) });
    const rig = new ParseRig().feed(bytes.subarray(0, 60), 1e6, { wireBytes: bytes.length });
    expect(onlyFlow(rig)).toMatchObject({ details: {} });
  });
});
