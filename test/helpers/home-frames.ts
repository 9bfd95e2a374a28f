import { ANSWER, dnsMessage, FIRST_NAME, pointer, question, record, wireName } from './dns-bytes.js';
import { ethernet, frame, ipv4, type Layer, tcp, udp } from './frames.js';
import { clientHello, serverName, tlsRecords } from './tls-hello.js';

/** A device that browses, and never tells its name. */
export const DEVICE = { mac: '02:00:00:00:00:20', ip: '192.168.1.20' };
export const OTHER = { mac: '02:00:00:00:00:21', ip: '192.168.1.21' };
/** A device whose address is the beginning of those of the others. */
export const SHORT_DEVICE = { mac: '02:00:00:00:00:02', ip: '192.168.1.2' };
export const ROUTER = { mac: '02:00:00:00:00:fe', ip: '192.168.1.1' };
/** As markup it would run without a space, which names cannot have. */
export const MARKUP = '<img/src=x/onerror=document.body.remove()>';

/** A TLS connection from `device`, with the name that it asks for. */
export function connection(device: typeof DEVICE, dst: string, name: string): Uint8Array[] {
  const client = { srcPort: 40_000, dstPort: 443 };
  const server = { srcPort: 443, dstPort: 40_000 };
  const out = (...parts: readonly (Layer | Uint8Array | string)[]): Uint8Array =>
    frame(ethernet({ src: device.mac, dst: ROUTER.mac }), ipv4({ src: device.ip, dst }), ...parts);
  const back = (...parts: readonly (Layer | Uint8Array | string)[]): Uint8Array =>
    frame(ethernet({ src: ROUTER.mac, dst: device.mac }), ipv4({ src: dst, dst: device.ip }), ...parts);
  const hello = tlsRecords(clientHello({ extensions: [serverName(name)] }));
  return [
    out(tcp({ ...client, seq: 1, flags: 'S' })),
    back(tcp({ ...server, seq: 1, ack: 2, flags: 'S.' })),
    out(tcp({ ...client, seq: 2, ack: 2 })),
    out(tcp({ ...client, seq: 2, ack: 2, flags: 'P.' }), hello),
    back(tcp({ ...server, seq: 2, ack: 2 + hello.length }), 'x'.repeat(1200)),
  ];
}

/** What a home has: a device that tells its name, one that asks for a name, and connections. */
export function homeFrames(): Uint8Array[] {
  const announcement = dnsMessage({
    flags: 0x8400,
    answers: [record(wireName('printer.local'), 1, Uint8Array.of(192, 168, 1, 21))],
  });
  const asked = question(MARKUP);
  const address = record(pointer(FIRST_NAME), 1, Uint8Array.of(203, 0, 113, 9));
  const resolver = { src: DEVICE.ip, dst: ROUTER.ip };
  return [
    ...connection(SHORT_DEVICE, '198.51.100.2', 'short.example.net'),
    frame(
      ethernet({ src: OTHER.mac, dst: '01:00:5e:00:00:fb' }),
      ipv4({ src: OTHER.ip, dst: '224.0.0.251' }),
      udp({ srcPort: 5353, dstPort: 5353 }),
      announcement,
    ),
    frame(
      ethernet({ src: DEVICE.mac, dst: ROUTER.mac }),
      ipv4(resolver),
      udp({ srcPort: 50_000, dstPort: 53 }),
      dnsMessage({ questions: [asked] }),
    ),
    frame(
      ethernet({ src: ROUTER.mac, dst: DEVICE.mac }),
      ipv4({ src: resolver.dst, dst: resolver.src }),
      udp({ srcPort: 53, dstPort: 50_000 }),
      dnsMessage({ flags: ANSWER, questions: [asked], answers: [address] }),
    ),
    ...connection(DEVICE, '203.0.113.9', MARKUP),
    ...connection(OTHER, '198.51.100.7', 'www.example.org'),
  ];
}
