import { join, viewOf } from './frame-bytes.js';
import type { Layer } from './frames.js';

/** Layers between a link header and the IP header that makes the flow, for `frame`. What they carry is announced by its EtherType. */

/** `bytes` with numbers written big-endian: offset, width in bytes, value. */
function header(bytes: number, ...fields: readonly (readonly [offset: number, width: 1 | 2 | 4, value: number])[]): Uint8Array {
  const content = new Uint8Array(bytes);
  const view = viewOf(content);
  for (const [offset, width, value] of fields) {
    if (width === 1) view.setUint8(offset, value);
    else if (width === 2) view.setUint16(offset, value);
    else view.setUint32(offset, value);
  }
  return content;
}

/** IEEE 802.3 length and 802.2 LLC, behind the addresses of `ethernet({ etherType })`; here the two together. */
export function ethernet8023(): Layer {
  return { build: (inner) => join(header(14, [0, 4, 0x0180c200], [12, 2, inner.length]), inner) };
}

/** IEEE 802.2. */
export function llc(dsap: number, ssap = dsap, control = 3): Layer {
  return { build: (inner) => join(Uint8Array.of(dsap, ssap, control), inner) };
}

/** SNAP behind its LLC. */
export function snap(options: { organization?: number; type?: number } = {}): Layer {
  return {
    build(inner, next) {
      const type = options.type ?? next?.etherType ?? 0;
      return join(Uint8Array.of(0xaa, 0xaa, 3), header(5, [0, 4, (options.organization ?? 0) * 256], [3, 2, type]), inner);
    },
  };
}

/** A label stack, the first label on top. */
export function mpls(...labels: readonly number[]): Layer {
  return {
    etherType: 0x8847,
    ipProtocol: 137,
    build(inner) {
      const entries = labels.map((label, index) =>
        header(4, [0, 4, label * 4096 + (index === labels.length - 1 ? 0x140 : 0x40)]),
      );
      return join(...entries, inner);
    },
  };
}

/** A PPPoE session header. */
export function pppoe(options: { version?: number; code?: number } = {}): Layer {
  return {
    etherType: 0x8864,
    build: (inner) =>
      join(header(6, [0, 1, options.version ?? 0x11], [1, 1, options.code ?? 0], [2, 2, 7], [4, 2, inner.length]), inner),
  };
}

const PPP_PROTOCOLS: Readonly<Record<number, number>> = { 2048: 0x21, 34525: 0x57, 34887: 0x281 };

/** PPP; `isFramed` puts address and control in front, `isShort` leaves out the protocol's leading zero. */
export function ppp(options: { protocol?: number; isFramed?: boolean; isShort?: boolean } = {}): Layer {
  return {
    etherType: 0x880b,
    build(inner, next) {
      const protocol = options.protocol ?? PPP_PROTOCOLS[next?.etherType ?? 0] ?? 0;
      const number = options.isShort ? Uint8Array.of(protocol) : header(2, [0, 2, protocol]);
      return join(options.isFramed ? Uint8Array.of(0xff, 0x03) : new Uint8Array(0), number, inner);
    },
  };
}

interface GreOptions {
  readonly key?: number;
  readonly sequence?: number;
  readonly hasChecksum?: boolean;
  readonly protocol?: number;
  readonly flags?: number;
}

/** GRE, version 0. */
export function gre(options: GreOptions = {}): Layer {
  const { key, sequence, hasChecksum } = options;
  return {
    ipProtocol: 47,
    build(inner, next) {
      const flags = (hasChecksum ? 0x8000 : 0) | (key === undefined ? 0 : 0x2000) | (sequence === undefined ? 0 : 0x1000);
      return join(
        header(4, [0, 2, options.flags ?? flags], [2, 2, options.protocol ?? next?.etherType ?? 0]),
        hasChecksum ? new Uint8Array(4) : new Uint8Array(0),
        key === undefined ? new Uint8Array(0) : header(4, [0, 4, key]),
        sequence === undefined ? new Uint8Array(0) : header(4, [0, 4, sequence]),
        inner,
      );
    },
  };
}

/** GRE, version 1, as PPTP uses it. */
export function pptp(options: { call?: number; hasSequence?: boolean; hasAcknowledgement?: boolean } = {}): Layer {
  const { call = 9, hasSequence = true, hasAcknowledgement = false } = options;
  return {
    ipProtocol: 47,
    build(inner) {
      const flags = 0x2001 | (hasSequence ? 0x1000 : 0) | (hasAcknowledgement ? 0x80 : 0);
      const fields = header(8, [0, 2, flags], [2, 2, 0x880b], [4, 2, inner.length], [6, 2, call]);
      return join(fields, new Uint8Array((hasSequence ? 4 : 0) + (hasAcknowledgement ? 4 : 0)), inner);
    },
  };
}

/** MikroTik's Ethernet over IP. */
export function eoip(tunnel: number): Layer {
  return {
    ipProtocol: 47,
    build: (inner) => join(header(8, [0, 4, 0x20016400], [4, 2, inner.length]), inner).fill(tunnel, 6, 7),
  };
}

/** ERSPAN type II or III, for the inside of `gre`. */
export function erspan(version: 2 | 3, options: { session?: number; hasSubheader?: boolean; frameType?: number } = {}): Layer {
  const session = options.session ?? 5;
  if (version === 2) return { etherType: 0x88be, build: (inner) => join(header(8, [0, 2, 0x1001], [2, 2, session]), inner) };
  return {
    etherType: 0x22eb,
    build(inner) {
      const flags = ((options.frameType ?? 0) << 10) | (options.hasSubheader ? 1 : 0);
      return join(
        header(12, [0, 2, 0x2001], [2, 2, session], [10, 2, flags]),
        new Uint8Array(options.hasSubheader ? 8 : 0),
        inner,
      );
    },
  };
}

/** L2TP version 2; `flags` without the version. */
export function l2tp(tunnel: number, session: number, flags = 0): Layer {
  return {
    build(inner) {
      const length = (flags & 0x4000) === 0 ? new Uint8Array(0) : new Uint8Array(2);
      const sequence = (flags & 0x0800) === 0 ? new Uint8Array(0) : new Uint8Array(4);
      const offset = (flags & 0x0200) === 0 ? new Uint8Array(0) : Uint8Array.of(0, 3, 1, 2, 3);
      return join(header(2, [0, 2, flags | 2]), length, header(4, [0, 2, tunnel], [2, 2, session]), sequence, offset, inner);
    },
  };
}

/** EtherIP. */
export function etherIp(version = 0x30): Layer {
  return { ipProtocol: 97, build: (inner) => join(Uint8Array.of(version, 0), inner) };
}

/** VXLAN; with `next`, the field that VXLAN-GPE has. */
export function vxlan(network: number, options: { flags?: number; next?: number } = {}): Layer {
  return {
    build: (inner) => join(header(8, [0, 1, options.flags ?? 0x08], [3, 1, options.next ?? 0], [4, 4, network * 256]), inner),
  };
}

/** GENEVE with `optionBytes` of options, a multiple of four. */
export function geneve(network: number, options: { optionBytes?: number; version?: number; protocol?: number } = {}): Layer {
  const optionBytes = options.optionBytes ?? 0;
  return {
    build(inner, next) {
      const first = ((options.version ?? 0) << 6) | (optionBytes / 4);
      const fields = header(8, [0, 1, first], [2, 2, options.protocol ?? next?.etherType ?? 0], [4, 4, network * 256]);
      return join(fields, new Uint8Array(optionBytes), inner);
    },
  };
}

interface GtpOptions {
  readonly messageType?: number;
  readonly flags?: number;
  /** Lengths of extension headers in words of four bytes. */
  readonly extensions?: readonly number[];
}

/** GTP-U. */
export function gtpU(endpoint: number, options: GtpOptions = {}): Layer {
  const { extensions = [] } = options;
  const flags = options.flags ?? (extensions.length > 0 ? 0x34 : 0x30);
  return {
    build(inner) {
      const optional = (flags & 7) === 0 ? new Uint8Array(0) : header(4, [3, 1, extensions.length > 0 ? 0x85 : 0]);
      const headers = extensions.map((words, index) => {
        const content = new Uint8Array(words * 4);
        content[0] = words;
        content[content.length - 1] = index === extensions.length - 1 ? 0 : 0x85;
        return content;
      });
      const rest = join(optional, ...headers, inner);
      return join(header(8, [0, 1, flags], [1, 1, options.messageType ?? 0xff], [2, 2, rest.length], [4, 4, endpoint]), rest);
    },
  };
}

/** What may stand in front of the packet in Teredo. */
export function teredo(options: { authenticationBytes?: number; hasOrigin?: boolean } = {}): Layer {
  const { authenticationBytes, hasOrigin } = options;
  return {
    build(inner) {
      const bytes = authenticationBytes ?? 0;
      const authentication = authenticationBytes === undefined ? new Uint8Array(0) : header(13 + bytes, [0, 2, 1], [3, 1, bytes]);
      return join(authentication, new Uint8Array(hasOrigin ? 8 : 0), inner);
    },
  };
}

/** AYIYA with an identity of 16 bytes. */
export function ayiya(options: { operation?: number; protocol?: number; signatureWords?: number } = {}): Layer {
  const { operation = 1, signatureWords = 5 } = options;
  return {
    build(inner, next) {
      const protocol = options.protocol ?? next?.ipProtocol ?? 0;
      const fields = header(8, [0, 1, 0x41], [1, 1, (signatureWords << 4) | 2], [2, 1, 0x10 | operation], [3, 1, protocol]);
      return join(fields, new Uint8Array(16 + signatureWords * 4), inner);
    },
  };
}

/** The data channel of CAPWAP; `radio` 0 carries Ethernet, 1 carries 802.11. */
export function capwap(options: { radio?: number; flags?: number; words?: number; fragmentOffset?: number } = {}): Layer {
  const { radio = 0, words = 2, fragmentOffset = 0 } = options;
  const flags = (options.flags ?? 0) | (radio === 0 ? 0 : 0x100);
  return {
    build(inner) {
      const word = (words << 19) | (radio << 9) | flags;
      return join(header(8, [0, 4, word], [6, 2, fragmentOffset << 3]), new Uint8Array(words * 4 - 8), inner);
    },
  };
}

/** A network service header of `words` words of four bytes: 6 with metadata of type 1, any other number with type 2. */
export function serviceHeader(next: number, words = 6): Layer {
  const metadata = words === 6 ? 1 : 2;
  return {
    etherType: 0x894f,
    build: (inner) => join(header(words * 4, [0, 2, 0x0fc0 | words], [2, 1, metadata], [3, 1, next]), inner),
  };
}

/** A tag of fixed length that ends in an EtherType: Cisco metadata, VN-Tag or HSR. */
export function typedTag(etherType: number, bytes: number): Layer {
  return { etherType, build: (inner, next) => join(header(bytes, [bytes - 2, 2, next?.etherType ?? 0]), inner) };
}

/** A tag of fixed length in front of an Ethernet frame: backbone bridging or FabricPath. */
export function untypedTag(etherType: number, bytes: number): Layer {
  return { etherType, build: (inner) => join(new Uint8Array(bytes), inner) };
}
