import { describe, expect, it } from 'vitest';
import { join } from '../helpers/frame-bytes.js';
import { onlyFlow, ParseRig } from '../helpers/parse-rig.js';
import { hex, latin } from '../helpers/placed.js';
import { Connection, hello } from '../helpers/tcp-connection.js';
import { clientHello, tlsRecords } from '../helpers/tls-hello.js';

const named = { sni: 'mail.example', alpn: 'h2,http/1.1', tlsVersion: '0304', ja4: expect.stringMatching(/^t13d0204h2_/) };
const greeting = tlsRecords(hello('mail.example'));

/** A record of application data. */
const data = (bytes = 64): Uint8Array =>
  join(hex('17 0303'), Uint8Array.of(bytes >> 8, bytes & 0xff), new Uint8Array(bytes).fill(0xa5));

describe('TLS whose start was not seen', () => {
  it.each([
    ['data of the client', true, data()],
    ['data of the server', false, data(1300)],
    ['an alert', true, join(hex('15 0303 001a'), new Uint8Array(26).fill(0xa5))],
  ])('is told by %s, on ports of other protocols too', (_, isClient, record) => {
    const connection = new Connection(new ParseRig(), 5223);
    for (const offset of [0, record.length]) connection[isClient ? 'client' : 'server'](offset, record);
    expect(onlyFlow(connection.rig)).toMatchObject({ tcpState: 'midstream', application: 'tls', details: {} });
  });

  it('is none where a record goes on in the middle', () => {
    const connection = new Connection(new ParseRig()).client(0, data().subarray(10)).server(0, data().subarray(10));
    expect(onlyFlow(connection.rig)).toMatchObject({ application: '' });
  });

  it.each([
    ['client', 'client'],
    ['server', 'server'],
  ] as const)('is told of the flow behind an idle timeout, by what the %s sends', (_, side) => {
    const connection = new Connection(new ParseRig({ 'flow.idle-tcp-s': 10 }), 5223).handshake().client(0, greeting);
    // The capture looks into so many segments at the start of the server's stream.
    for (let i = 0; i < 4; i++) connection.server(i * 69, data());
    connection.us += 11e6;
    connection[side](side === 'client' ? greeting.length : 4 * 69, data());
    const flows = connection.rig.finish().flows();
    expect(flows.map(({ application, details }) => [application, details['sni']])).toEqual([
      ['tls', 'mail.example'],
      ['tls', undefined],
    ]);
  });
});

describe('a hello whose first bytes come alone', () => {
  it.each([1, 3, 4])('is read where there are %i of them, and eight segments', (bytes) => {
    const connection = new Connection(new ParseRig()).handshake().client(0, greeting.subarray(0, bytes));
    const step = Math.ceil((greeting.length - bytes) / 8);
    for (let at = bytes; at < greeting.length; at += step) connection.client(at, greeting.subarray(at, at + step));
    expect(onlyFlow(connection.rig)).toMatchObject({ application: 'tls', details: named });
  });
});

/** What client and server say before the client's hello. */
type Talk = readonly (readonly ['C' | 'S', string])[];

const SMTP = [
  ['S', '220 mail.example ESMTP ready\r\n'],
  ['C', 'EHLO client.example\r\n'],
  ['S', '250-mail.example\r\n250 STARTTLS\r\n'],
  ['C', 'STARTTLS\r\n'],
  ['S', '220 Go ahead\r\n'],
] as const satisfies Talk;
const IMAP = [
  ['S', '* OK IMAP4rev2 server ready\r\n'],
  ['C', 'a1 CAPABILITY\r\n'],
  ['S', '* CAPABILITY IMAP4rev2 STARTTLS\r\na1 OK\r\n'],
  ['C', 'a2 STARTTLS\r\n'],
  ['S', 'a2 OK Begin TLS\r\n'],
] as const satisfies Talk;
const POSTGRESQL = [
  ['C', '\0\0\0\x08\x04\xd2\x16\x2f'],
  ['S', 'S'],
] as const satisfies Talk;
const SOCKS = [
  ['C', '\x05\x01\0'],
  ['S', '\x05\0'],
  ['C', '\x05\x01\0\x01\xc6\x33\x64\x08\x01\xbb'],
  ['S', '\x05\0\0\x01\0\0\0\0\0\0'],
] as const satisfies Talk;
const OTHER = [
  ['C', 'I speak no known protocol\n'],
  ['S', 'Nor do I, and may encrypt\n'],
] as const satisfies Talk;

/** A connection with this talk, and where both streams stand behind it. */
class Talked {
  readonly rig = new ParseRig();
  readonly connection: Connection;
  private readonly at = { C: 0, S: 0 };

  constructor(talk: Talk, port: number) {
    this.connection = new Connection(this.rig, port).handshake();
    for (const [side, text] of talk) this.say(side, latin(text));
  }

  say(side: 'C' | 'S', bytes: Uint8Array): this {
    this.connection[side === 'C' ? 'client' : 'server'](this.at[side], bytes);
    this.at[side] += bytes.length;
    return this;
  }
}

describe('TLS that begins within another protocol', () => {
  it.each([
    ['smtp', SMTP, 587],
    ['imap', IMAP, 143],
    ['postgresql', POSTGRESQL, 5432],
    ['socks', SOCKS, 1080],
  ] as const)('tells its server and fingerprint, and %s stays what it is', (application, talk, port) => {
    const { rig } = new Talked(talk, port).say('C', greeting);
    expect(onlyFlow(rig)).toMatchObject({ application, details: named });
  });

  it('is what an unknown protocol turns to', () => {
    expect(onlyFlow(new Talked(OTHER, 7000).say('C', greeting).rig)).toMatchObject({ application: 'tls', details: named });
  });

  it('is read across segments', () => {
    const long = tlsRecords(hello('mail.example', 2500));
    const talked = new Talked(SMTP, 587);
    for (let at = 0; at < long.length; at += 1000) talked.say('C', long.subarray(at, at + 1000));
    expect(onlyFlow(talked.rig)).toMatchObject({ application: 'smtp', details: named });
  });

  it.each([
    ['smtp', [['C', '\r\n'], ...SMTP], 587],
    [
      'tls',
      [
        ['S', '"SIEVE" "fileinto"\r\n"STARTTLS"\r\nOK\r\n'],
        ['C', 'STARTTLS\r\n'],
        ['S', 'OK\r\n'],
      ],
      4190,
    ],
  ] as const)('is read behind bytes of the client that are too few to tell anything: %s', (application, talk, port) => {
    expect(onlyFlow(new Talked(talk, port).say('C', greeting).rig)).toMatchObject({ application, details: named });
  });

  it('is not looked for in what only looks like it', () => {
    const { rig } = new Talked(SMTP, 587).say('C', data()).say('S', tlsRecords(Uint8Array.of(2, 0, 0, 1, 0)));
    expect(onlyFlow(rig)).toMatchObject({ application: 'smtp', details: {} });
  });

  it('is read once', () => {
    const second = tlsRecords(hello('other.example'));
    const { rig } = new Talked(SMTP, 587).say('C', greeting).say('S', data()).say('C', second).say('S', second);
    expect(onlyFlow(rig).details).toEqual(named);
    // Nor does a second one add what the first did not tell.
    const nameless = new Talked(SMTP, 587).say('C', tlsRecords(clientHello())).say('C', second).say('S', second);
    expect(onlyFlow(nameless.rig).details).toEqual({ tlsVersion: '0303', ja4: expect.stringMatching(/^t12i020000_/) });
  });

  it('is not read a second time within TLS', () => {
    const { rig } = new Talked([], 443).say('C', greeting).say('C', tlsRecords(hello('other.example')));
    expect(onlyFlow(rig).details).toEqual(named);
  });

  it('is read at each connection of the same ports', () => {
    const rig = new ParseRig();
    for (const name of ['one.example', 'two.example']) {
      const connection = new Connection(rig, 5432).handshake().client(0, latin(POSTGRESQL[0][1]));
      connection
        .server(0, 'S')
        .client(8, tlsRecords(hello(name)))
        .reset();
    }
    const flows = rig.finish().flows();
    expect(flows.map(({ application, details }) => [application, details['sni']])).toEqual([
      ['postgresql', 'one.example'],
      ['postgresql', 'two.example'],
    ]);
  });
});
