import { type AddressPair, address, checksum, join, mac, padded, viewOf, withChecksum } from './frame-bytes.js';

/**
 * Builds frames layer by layer, with right lengths, types and checksums, so that a test names only what it is about:
 *
 * ```
 * frame(ethernet(), vlan(7), ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }), udp({ srcPort: 1000, dstPort: 53 }), 'payload')
 * udpFrame({ src: '10.0.0.1', srcPort: 1000, dst: '10.0.0.2', dstPort: 53 })
 * ```
 *
 * Every field can be given to make a broken frame; `frame(...).subarray(0, n)` makes one that was cut short.
 */

/** One layer of a frame; a text or bytes in its place are payload. */
export interface Layer {
  /** By which number a link layer announces this layer. */
  readonly etherType?: number;
  /** By which number an IP layer or an extension header announces it. */
  readonly ipProtocol?: number;
  readonly addresses?: AddressPair;
  /** Puts this layer around `payload`. `next` is the layer inside, `addresses` those of the nearest IP layer outside. */
  build(payload: Uint8Array, next: Layer | undefined, addresses: AddressPair | undefined): Uint8Array;
}

export { viewOf } from './frame-bytes.js';

/** Bytes of a frame, outermost layer first. */
export function frame(...parts: readonly (Layer | Uint8Array | string)[]): Uint8Array {
  const layers = parts.map((part) => (typeof part === 'string' || part instanceof Uint8Array ? payload(part) : part));
  return layers.reduceRight((inner: Uint8Array, layer, index) => {
    const outside = layers.slice(0, index).findLast((other) => other.addresses !== undefined);
    return layer.build(inner, layers[index + 1], outside?.addresses);
  }, new Uint8Array(0));
}

/** Any bytes, announced by the numbers given, for protocols that have no builder here. */
export function payload(content: Uint8Array | string, numbers: { etherType?: number; ipProtocol?: number } = {}): Layer {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { ...numbers, build: (inner) => join(bytes, inner) };
}

/** Ethernet II; inside another layer it is announced as bridged. `bytesMin` 60 pads as a network card does. */
export function ethernet(options: { src?: string; dst?: string; etherType?: number | undefined; bytesMin?: number } = {}): Layer {
  return {
    etherType: 0x6558,
    build(inner, next) {
      const header = new Uint8Array(14);
      header.set(mac(options.dst ?? '02:00:00:00:00:02'), 0);
      header.set(mac(options.src ?? '02:00:00:00:00:01'), 6);
      viewOf(header).setUint16(12, options.etherType ?? next?.etherType ?? 0);
      const padding = Math.max((options.bytesMin ?? 0) - header.length - inner.length, 0);
      return join(header, inner, new Uint8Array(padding));
    },
  };
}

/** A VLAN tag: 802.1Q, or 802.1ad with `tag` 0x88a8. */
export function vlan(id: number, options: { tag?: number; priority?: number; etherType?: number } = {}): Layer {
  return {
    etherType: options.tag ?? 0x8100,
    build(inner, next) {
      const header = new Uint8Array(4);
      viewOf(header).setUint16(0, ((options.priority ?? 0) << 13) | id);
      viewOf(header).setUint16(2, options.etherType ?? next?.etherType ?? 0);
      return join(header, inner);
    },
  };
}

/** Linux cooked capture, version 1 (LINKTYPE_LINUX_SLL, 113). */
export function cooked(options: { packetType?: number; hardware?: number; etherType?: number } = {}): Layer {
  return {
    build(inner, next) {
      const header = new Uint8Array(16);
      const view = viewOf(header);
      view.setUint16(0, options.packetType ?? 0);
      view.setUint16(2, options.hardware ?? 1);
      view.setUint16(4, 6);
      header.set(mac('02:00:00:00:00:01'), 6);
      view.setUint16(14, options.etherType ?? next?.etherType ?? 0);
      return join(header, inner);
    },
  };
}

/** Linux cooked capture, version 2 (LINKTYPE_LINUX_SLL2, 276). */
export function cooked2(
  options: { packetType?: number; hardware?: number; kernelIndex?: number; etherType?: number } = {},
): Layer {
  return {
    build(inner, next) {
      const header = new Uint8Array(20);
      const view = viewOf(header);
      view.setUint16(0, options.etherType ?? next?.etherType ?? 0);
      view.setUint32(4, options.kernelIndex ?? 2);
      view.setUint16(8, options.hardware ?? 1);
      header[10] = options.packetType ?? 0;
      header[11] = 6;
      header.set(mac('02:00:00:00:00:01'), 12);
      return join(header, inner);
    },
  };
}

/** BSD loopback (LINKTYPE_NULL, 0; big-endian also LINKTYPE_LOOP, 108). `family` is by default that of the IP version inside. */
export function loopback(options: { family?: number; bigEndian?: boolean } = {}): Layer {
  return {
    build(inner, next) {
      const header = new Uint8Array(4);
      viewOf(header).setUint32(0, options.family ?? (next?.etherType === 0x86dd ? 30 : 2), !options.bigEndian);
      return join(header, inner);
    },
  };
}

interface Ipv4Options {
  readonly src?: string;
  readonly dst?: string;
  readonly ttl?: number;
  readonly id?: number;
  /** Option bytes; padded to a multiple of four. */
  readonly options?: Uint8Array;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** In bytes, a multiple of eight. */
  readonly fragmentOffset?: number;
  readonly protocol?: number | undefined;
  readonly version?: number;
  /** In bytes, a multiple of four. */
  readonly headerBytes?: number;
  readonly totalBytes?: number;
}

/** IPv4 (RFC 791), with a right header checksum. */
export function ipv4(options: Ipv4Options = {}): Layer {
  const addresses = { src: address(options.src ?? '10.0.0.1'), dst: address(options.dst ?? '10.0.0.2') };
  return {
    etherType: 0x0800,
    ipProtocol: 4,
    addresses,
    build(inner, next) {
      const header = join(new Uint8Array(20), padded(options.options ?? new Uint8Array(0), 4));
      const view = viewOf(header);
      header[0] = ((options.version ?? 4) << 4) | ((options.headerBytes ?? header.length) >> 2);
      view.setUint16(2, options.totalBytes ?? header.length + inner.length);
      view.setUint16(4, options.id ?? 1);
      const flags = (options.dontFragment ? 0x4000 : 0) | (options.moreFragments ? 0x2000 : 0);
      view.setUint16(6, flags | ((options.fragmentOffset ?? 0) >> 3));
      header[8] = options.ttl ?? 64;
      header[9] = options.protocol ?? next?.ipProtocol ?? 253;
      header.set(addresses.src, 12);
      header.set(addresses.dst, 16);
      view.setUint16(10, checksum(header));
      return join(header, inner);
    },
  };
}

interface Ipv6Options {
  readonly src?: string;
  readonly dst?: string;
  readonly hopLimit?: number;
  readonly flowLabel?: number;
  readonly nextHeader?: number | undefined;
  readonly version?: number;
  readonly payloadBytes?: number;
}

/** IPv6 (RFC 8200). */
export function ipv6(options: Ipv6Options = {}): Layer {
  const addresses = { src: address(options.src ?? '2001:db8::1'), dst: address(options.dst ?? '2001:db8::2') };
  return {
    etherType: 0x86dd,
    ipProtocol: 41,
    addresses,
    build(inner, next) {
      const header = new Uint8Array(40);
      const view = viewOf(header);
      view.setUint32(0, ((options.version ?? 6) << 28) | (options.flowLabel ?? 0));
      view.setUint16(4, options.payloadBytes ?? inner.length);
      header[6] = options.nextHeader ?? next?.ipProtocol ?? 59;
      header[7] = options.hopLimit ?? 64;
      header.set(addresses.src, 8);
      header.set(addresses.dst, 24);
      return join(header, inner);
    },
  };
}

interface ExtensionOptions {
  readonly nextHeader?: number;
  /** What follows the two bytes of next header and length; padded so that the header ends on eight bytes. */
  readonly content?: Uint8Array;
  /** The length field as it is written: 8-byte units without the first. */
  readonly length?: number;
}

/** An IPv6 extension header of type 0 (hop-by-hop), 43 (routing), 60 (destination options), 135 or 139. */
export function extension(ipProtocol: number, options: ExtensionOptions = {}): Layer {
  return {
    ipProtocol,
    build(inner, next) {
      const header = padded(join(new Uint8Array(2), options.content ?? new Uint8Array(6)), 8);
      header[0] = options.nextHeader ?? next?.ipProtocol ?? 59;
      header[1] = options.length ?? header.length / 8 - 1;
      return join(header, inner);
    },
  };
}

/** The IPv6 fragment header (RFC 8200 section 4.5). `offset` is in bytes, a multiple of eight. */
export function fragment(options: { offset?: number; more?: boolean; id?: number; nextHeader?: number } = {}): Layer {
  return {
    ipProtocol: 44,
    build(inner, next) {
      const header = new Uint8Array(8);
      header[0] = options.nextHeader ?? next?.ipProtocol ?? 59;
      viewOf(header).setUint16(2, (options.offset ?? 0) | (options.more ? 1 : 0));
      viewOf(header).setUint32(4, options.id ?? 1);
      return join(header, inner);
    },
  };
}

/** The authentication header (RFC 4302), with `icvBytes` of check value. */
export function authentication(options: { icvBytes?: number; nextHeader?: number } = {}): Layer {
  return {
    ipProtocol: 51,
    build(inner, next) {
      const header = new Uint8Array(12 + (options.icvBytes ?? 12));
      header[0] = options.nextHeader ?? next?.ipProtocol ?? 59;
      header[1] = header.length / 4 - 2;
      return join(header, inner);
    },
  };
}

interface TcpOptions {
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly seq?: number;
  readonly ack?: number;
  /** Letters as tcpdump prints them: F S R P, `.` for ACK, U, E, W. */
  readonly flags?: string;
  readonly window?: number;
  readonly options?: Uint8Array;
  /** In bytes, a multiple of four. */
  readonly headerBytes?: number;
}

const TCP_FLAG_LETTERS = 'FSRP.UEW';

/** TCP (RFC 9293), by default with ACK set. */
export function tcp(options: TcpOptions = {}): Layer {
  return {
    ipProtocol: 6,
    build(inner, _next, addresses) {
      const header = join(new Uint8Array(20), padded(options.options ?? new Uint8Array(0), 4));
      const view = viewOf(header);
      view.setUint16(0, options.srcPort ?? 1000);
      view.setUint16(2, options.dstPort ?? 80);
      view.setUint32(4, options.seq ?? 0);
      view.setUint32(8, options.ack ?? 0);
      header[12] = ((options.headerBytes ?? header.length) >> 2) << 4;
      for (const letter of options.flags ?? '.') {
        const bit = TCP_FLAG_LETTERS.indexOf(letter);
        if (bit < 0) throw new Error(`unknown TCP flag ${letter}`);
        header[13] = (header[13] as number) | (1 << bit);
      }
      view.setUint16(14, options.window ?? 65_535);
      return withChecksum(join(header, inner), 16, 6, addresses);
    },
  };
}

/** UDP (RFC 768). `length` is the field as it is written. */
export function udp(options: { srcPort?: number; dstPort?: number; length?: number } = {}): Layer {
  return {
    ipProtocol: 17,
    build(inner, _next, addresses) {
      const header = new Uint8Array(8);
      const view = viewOf(header);
      view.setUint16(0, options.srcPort ?? 1000);
      view.setUint16(2, options.dstPort ?? 53);
      view.setUint16(4, options.length ?? header.length + inner.length);
      return withChecksum(join(header, inner), 6, 17, addresses);
    },
  };
}

/** ICMP (RFC 792); by default an echo request. `rest` is the second word of the header. */
export function icmp(options: { type?: number; code?: number; rest?: number } = {}): Layer {
  return icmpLayer(1, options.type ?? 8, options.code ?? 0, options.rest ?? 0);
}

/** ICMPv6 (RFC 4443); by default an echo request. */
export function icmpv6(options: { type?: number; code?: number; rest?: number } = {}): Layer {
  return icmpLayer(58, options.type ?? 128, options.code ?? 0, options.rest ?? 0);
}

function icmpLayer(ipProtocol: number, type: number, code: number, rest: number): Layer {
  return {
    ipProtocol,
    build(inner, _next, addresses) {
      const header = new Uint8Array(8);
      header[0] = type;
      header[1] = code;
      viewOf(header).setUint32(4, rest);
      return withChecksum(join(header, inner), 2, ipProtocol, ipProtocol === 58 ? addresses : undefined);
    },
  };
}

interface Conversation {
  readonly src?: string;
  readonly srcPort?: number;
  readonly dst?: string;
  readonly dstPort?: number;
  readonly payload?: Uint8Array | string;
}

/** An Ethernet frame with UDP over the IP version of the addresses. */
export function udpFrame(options: Conversation = {}): Uint8Array {
  return frame(ethernet(), ip(options.src, options.dst), udp(options), options.payload ?? '');
}

/** An Ethernet frame with TCP over the IP version of the addresses. */
export function tcpFrame(options: Conversation & TcpOptions = {}): Uint8Array {
  return frame(ethernet(), ip(options.src, options.dst), tcp(options), options.payload ?? '');
}

/** IPv4 or IPv6, as the addresses say. */
function ip(src = '10.0.0.1', dst = '10.0.0.2'): Layer {
  return src.includes(':') ? ipv6({ src, dst }) : ipv4({ src, dst });
}
