import type { Random } from '../../bench/generate/random.js';
import { LinkType } from '../../src/wire/link-type.js';
import { join } from '../helpers/frame-bytes.js';
import { ethernet, frame, icmp, icmpv6, ipv4, ipv6, type Layer, payload, tcp, udp } from '../helpers/frames.js';
import { mutate, onceIn, pick, randomBytes } from '../helpers/mutate.js';
import { chainedFrame, envelope, stackedFrame } from './layers.js';
import { dhcpMessage, dhcpv6Message, dnsMessage, netbiosMessage } from './names.js';
import { otherDatagram, quicDatagrams, tcpStreams } from './streams.js';

/** A frame as a capture has it. */
export interface FuzzFrame {
  readonly bytes: Uint8Array;
  readonly linkType: number;
  readonly wireBytes: number;
}

type Bare = Omit<FuzzFrame, 'wireBytes'>;

/** Both ends of a conversation, as IP layers, out and back. */
function ends(random: Random): { readonly out: Layer; readonly back: Layer } {
  const [client, server] = [1 + random.below(32), 1 + random.below(8)];
  if (onceIn(random, 3)) {
    const [src, dst] = [`fe80::${client.toString(16)}`, onceIn(random, 4) ? 'ff02::fb' : `2001:db8::${server.toString(16)}`];
    // Neighbour discovery is read only of packets that no router has handed on.
    const hopLimit = onceIn(random, 4) ? 64 : 255;
    return { out: ipv6({ src, dst, hopLimit }), back: ipv6({ src: dst, dst: src, hopLimit }) };
  }
  const [src, dst] = [`192.168.1.${client}`, onceIn(random, 4) ? '224.0.0.251' : `10.0.0.${server}`];
  return { out: ipv4({ src, dst }), back: ipv4({ src: dst, dst: src }) };
}

/** Ports of the protocols from which names are read, with what they carry. */
const DATAGRAMS: readonly (readonly [port: number, make: (random: Random) => Uint8Array])[] = [
  [53, dnsMessage],
  [53, dnsMessage],
  [5353, dnsMessage],
  [5355, dnsMessage],
  [137, netbiosMessage],
  [67, dhcpMessage],
  [68, dhcpMessage],
  [546, dhcpv6Message],
  [547, (random) => dhcpv6Message(random)],
];

function udpConversation(random: Random): Bare[] {
  const { linkType, layers } = envelope(random);
  const { out, back } = ends(random);
  const srcPort = onceIn(random, 4) ? pick(random, [53, 5353, 67, 137, 546]) : 1024 + random.below(256);
  const packet = (dstPort: number, isBack: boolean, bytes: Uint8Array): Bare => {
    const header = isBack ? udp({ srcPort: dstPort, dstPort: srcPort }) : udp({ srcPort, dstPort });
    return { bytes: frame(...layers, isBack ? back : out, header, bytes), linkType };
  };
  if (onceIn(random, 4)) return quicDatagrams(random).map((datagram) => packet(443, false, datagram));
  if (onceIn(random, 5)) {
    const { port, bytes } = otherDatagram(random);
    return [packet(port, false, bytes), packet(port, true, bytes)];
  }
  const [dstPort, make] = pick(random, DATAGRAMS);
  return Array.from({ length: 1 + random.below(4) }, (_, index) => {
    const message = make(random);
    return packet(dstPort, index % 2 === 1, onceIn(random, 3) ? mutate(message, random) : message);
  });
}

/** Cuts a stream into segments: whole, a few, or byte by byte at first. */
function segmentsOf(random: Random, stream: Uint8Array): Uint8Array[] {
  const segments: Uint8Array[] = [];
  const most = pick(random, [1460, 1460, 500, 100, 20, 1]);
  let at = 0;
  while (at < stream.length && segments.length < 12) {
    const bytes = segments.length === 11 ? stream.length - at : 1 + random.below(most);
    segments.push(stream.subarray(at, at + bytes));
    at += bytes;
  }
  return segments;
}

function tcpConversation(random: Random): Bare[] {
  const { linkType, layers } = envelope(random);
  const { out, back } = ends(random);
  const { port: dstPort, client, server } = tcpStreams(random);
  const srcPort = 1024 + random.below(256);
  const from = (ip: Layer, options: Parameters<typeof tcp>[0], bytes: Uint8Array | string = ''): Bare => {
    const ports = ip === out ? { srcPort, dstPort } : { srcPort: dstPort, dstPort: srcPort };
    return { bytes: frame(...layers, ip, tcp({ ...options, ...ports }), bytes), linkType };
  };
  // Sequence numbers start anywhere, often just before they wrap.
  const [seq, ack] = [onceIn(random, 3) ? 2 ** 32 - 1 - random.below(600) : random.next(), random.next()];
  const data = (ip: Layer, first: number, stream: Uint8Array): Bare[] => {
    let sent = 0;
    const segments = segmentsOf(random, stream).map((bytes) => {
      const segment = from(ip, { seq: (first + sent) >>> 0, ack, flags: 'P.' }, bytes);
      sent += bytes.length;
      return segment;
    });
    if (onceIn(random, 4)) segments.reverse();
    if (onceIn(random, 4)) segments.push(...segments.slice(0, 2));
    return segments;
  };
  const handshake = [
    from(out, { seq, flags: 'S' }),
    from(back, { seq: ack, ack: (seq + 1) >>> 0, flags: 'S.' }),
    from(out, { seq: (seq + 1) >>> 0, ack: (ack + 1) >>> 0 }),
  ];
  const isTold = !onceIn(random, 5);
  const frames = [
    ...(isTold ? handshake : []),
    ...data(out, seq + 1, client),
    ...data(back, ack + 1, server),
    from(out, { seq: (seq + 1 + client.length) >>> 0, flags: onceIn(random, 2) ? 'F.' : 'R' }),
  ];
  return frames;
}

const TELLING_ICMPV6 = [1, 2, 3, 4, 128, 129, 133, 134, 135, 136, 137];

/** ARP, and ICMP with what it quotes or, as neighbour discovery, the options that it carries. */
function neighbours(random: Random): Bare[] {
  const linkType = LinkType.Ethernet;
  const arp = join(Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1 + random.below(2)), randomBytes(random, 20));
  const options = Array.from({ length: random.below(6) }, () =>
    join(Uint8Array.of(1 + random.below(5), onceIn(random, 6) ? random.below(256) : 1), randomBytes(random, 6)),
  );
  const { out } = ends(random);
  const header = out.ipProtocol === 41 ? icmpv6({ type: pick(random, TELLING_ICMPV6) }) : icmp({ type: random.below(20) });
  return [
    { bytes: frame(ethernet(), payload(arp, { etherType: 0x0806 })), linkType },
    { bytes: frame(ethernet(), out, header, randomBytes(random, 16), join(...options)), linkType },
  ];
}

function bareConversation(random: Random): Bare[] {
  const choice = random.below(16);
  if (choice < 6) return udpConversation(random);
  if (choice < 12) return tcpConversation(random);
  if (choice === 12) return neighbours(random);
  if (choice === 13) return [chainedFrame(random)];
  return [stackedFrame(random)];
}

/**
 * Packets that belong together, some of them damaged, cut, lost, doubled or out of order. `captured` are frames of real captures that
 * take part, if there are any. The same for the same state of `random`.
 */
export function conversation(random: Random, captured: readonly FuzzFrame[]): FuzzFrame[] {
  const isReal = captured.length > 0 && onceIn(random, 2);
  const first = isReal ? random.below(captured.length) : 0;
  const bare: readonly Bare[] = isReal ? captured.slice(first, first + 1 + random.below(8)) : bareConversation(random);
  const damage = pick(random, [2, 3, 8, 1000]);
  const frames = bare.flatMap(({ bytes, linkType }): FuzzFrame[] => {
    const other = pick(random, bare).bytes;
    const damaged = onceIn(random, damage) ? mutate(bytes, random, other) : bytes;
    const kept = onceIn(random, 12) ? damaged.subarray(0, random.below(damaged.length + 1)) : damaged;
    const wireBytes = onceIn(random, 40) ? pick(random, [0, kept.length + 1, 70_000, 2 ** 32 - 1]) : damaged.length;
    const type = onceIn(random, 60) ? random.below(300) : linkType;
    if (onceIn(random, 30)) return [];
    const one = { bytes: kept, linkType: type, wireBytes };
    return onceIn(random, 30) ? [one, one] : [one];
  });
  if (onceIn(random, 20)) frames.reverse();
  return frames;
}
