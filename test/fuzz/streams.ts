import type { Random } from '../../bench/generate/random.js';
import { join } from '../helpers/frame-bytes.js';
import { mutate, onceIn, pick, randomBytes } from '../helpers/mutate.js';
import { cryptoFrame, longPacket, QUIC_DRAFT_29, QUIC_V1, QUIC_V2 } from '../helpers/quic-packet.js';
import {
  alpn,
  clientHello,
  extension,
  type ServerName,
  serverName,
  signatureAlgorithms,
  supportedVersions,
  tlsRecords,
} from '../helpers/tls-hello.js';
import { dnsMessage, hostName } from './names.js';

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A ClientHello whose lengths are right, with names that need not be, and then damaged now and then. */
function hello(random: Random): Uint8Array {
  const many = (of: () => number): number[] => Array.from({ length: random.below(onceIn(random, 10) ? 200 : 8) }, of);
  const half = (): number => (onceIn(random, 5) ? 0x0a0a + 0x1010 * random.below(16) : random.below(0x1_0000));
  const names = Array.from(
    { length: 1 + random.below(2) },
    (): ServerName => (onceIn(random, 10) ? [1, hostName(random)] : hostName(random)),
  );
  const choices = [
    () => serverName(...names),
    () => alpn(...many(() => 0).map(() => hostName(random).slice(0, 255))),
    () => supportedVersions(...many(half).slice(0, 100)),
    () => signatureAlgorithms(...many(half)),
    () => extension(half(), randomBytes(random, random.below(60))),
    () => extension(21, new Uint8Array(random.below(2000))),
  ];
  const extensions = Array.from({ length: random.below(12) }, () => pick(random, choices)());
  const message = clientHello({
    version: pick(random, [0x0301, 0x0303, 0x0304, 0xfeff, 0x0000]),
    sessionIdBytes: pick(random, [0, 32, 32, 33]),
    ciphers: many(half),
    ...(onceIn(random, 12) ? {} : { extensions }),
  });
  return onceIn(random, 3) ? mutate(message, random) : message;
}

/** What a TLS client sends first, in records of any size. */
function tlsStream(random: Random): Uint8Array {
  const message = hello(random);
  const sizes = message.length < 500 ? [1, 7, 100, 16_384, 16_384] : [100, 16_384, 16_384];
  return tlsRecords(message, pick(random, sizes), pick(random, [0x0301, 0x0303, 0x0300]));
}

/** One to three datagrams of a QUIC client, sealed: what is wrong with them is inside, where only a parser with the keys gets to. */
export function quicDatagrams(random: Random): Uint8Array[] {
  const message = hello(random);
  const version = pick(random, [QUIC_V1, QUIC_V1, QUIC_V2, QUIC_DRAFT_29]);
  const dcid = randomBytes(random, pick(random, [8, 8, 0, 20]));
  const pieces = 1 + random.below(3);
  const pieceBytes = Math.ceil(message.length / pieces);
  const datagrams = Array.from({ length: pieces }, (_, packetNumber) => {
    const offset = packetNumber * pieceBytes;
    const shift = onceIn(random, 15) ? random.below(0x1_0000) : 0;
    const frames = join(cryptoFrame(offset + shift, message.subarray(offset, offset + pieceBytes)));
    const plain = onceIn(random, 3) ? mutate(frames, random) : frames;
    const sealed = longPacket(plain.subarray(0, 1400), {
      version,
      dcid,
      packetNumber,
      payloadBytes: onceIn(random, 3) ? 0 : 1162,
    });
    return onceIn(random, 6) ? mutate(sealed, random) : sealed;
  });
  if (onceIn(random, 3)) datagrams.reverse();
  return datagrams;
}

function httpRequest(random: Random): Uint8Array {
  const line = `${pick(random, ['GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'PRI'])} ${pick(random, ['/', '*', `/${hostName(random)}`, 'http://a/'])} HTTP/1.${random.below(3)}`;
  const end = pick(random, ['\r\n', '\r\n', '\r\n', '\n', '\r', '']);
  const headers = Array.from({ length: random.below(onceIn(random, 20) ? 300 : 6) }, () =>
    pick(random, [
      () => `Host: ${hostName(random)}`,
      () => `host:\t ${hostName(random)}:80`,
      () => `User-Agent: ${hostName(random)} (${'x'.repeat(random.below(400))})`,
      () => ` folded ${hostName(random)}`,
      () => `X-${random.below(100)}: ${hostName(random)}`,
      () => `Host${hostName(random)}`,
    ])(),
  );
  return ascii([line, ...headers, '', 'body'].join(end));
}

const httpResponse = (random: Random): Uint8Array =>
  ascii(`HTTP/1.${random.below(2)} ${pick(random, ['200', '404', '99999', 'abc', ''])} ${hostName(random)}\r\nServer: x\r\n\r\n`);

/** First bytes of protocols that are known by their first bytes, and the ports that they have. */
const GREETINGS: readonly (readonly [port: number, text: string])[] = [
  [22, 'SSH-2.0-OpenSSH_9.6\r\n'],
  [25, '220 mail.example.com ESMTP\r\n'],
  [21, '220 FTP ready\r\n'],
  [110, '+OK POP3 ready\r\n'],
  [143, '* OK IMAP4rev1\r\n'],
  [5060, 'INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n'],
  [1900, 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n'],
  [1883, '\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0'],
  [6881, '\x13BitTorrent protocol'],
  [3478, '\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl'],
  [161, '0\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x01'],
  [445, '\0\0\0\x40\xfeSMB\x40\0'],
  [3389, '\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0'],
  [5900, 'RFB 003.008\n'],
  [123, '\x23\0\x06\xec'],
  [514, '<34>Oct 11 22:14:15 host su: x'],
  [51_820, '\x01\0\0\0'],
  [1194, '\x38abcdefgh\0\0\0\0\0'],
];

/** A port, and what each side of a TCP connection on it sends first. */
export function tcpStreams(random: Random): { port: number; client: Uint8Array; server: Uint8Array } {
  const withLength = (message: Uint8Array): Uint8Array =>
    join(Uint8Array.of(message.length >> 8, message.length & 0xff), message);
  const [port, text] = pick(random, GREETINGS);
  const choice = random.below(5);
  const usual =
    choice < 2
      ? { port: pick(random, [443, 853, 8443]), client: tlsStream(random), server: randomBytes(random, random.below(200)) }
      : choice === 2
        ? { port: pick(random, [80, 8080]), client: httpRequest(random), server: httpResponse(random) }
        : choice === 3
          ? {
              port: 53,
              client: withLength(dnsMessage(random)),
              server: join(withLength(dnsMessage(random)), withLength(dnsMessage(random))),
            }
          : { port, client: ascii(text), server: ascii(text) };
  const client = onceIn(random, 3) ? mutate(usual.client, random, usual.server) : usual.client;
  const server = onceIn(random, 3) ? mutate(usual.server, random, usual.client) : usual.server;
  return { port: onceIn(random, 8) ? random.below(0x1_0000) : usual.port, client, server };
}

/** A port, and a datagram of a protocol that no name is read from. */
export function otherDatagram(random: Random): { port: number; bytes: Uint8Array } {
  const [port, text] = pick(random, GREETINGS);
  const bytes = join(ascii(text), randomBytes(random, random.below(100)));
  return { port: onceIn(random, 4) ? random.below(0x1_0000) : port, bytes: onceIn(random, 2) ? mutate(bytes, random) : bytes };
}
