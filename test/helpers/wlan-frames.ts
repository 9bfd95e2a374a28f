import { join, padded, viewOf } from './frame-bytes.js';
import type { Layer } from './frames.js';

/** Wi-Fi headers for `frame`: what a card in monitor mode puts in front, and the 802.11 header itself. */

interface Ieee80211Options {
  /** 0 management, 1 control, 2 data. */
  readonly type?: number;
  /** 8 is data with QoS, 4 is no data. */
  readonly subtype?: number;
  /** The second byte of frame control; 0x03 has four addresses, 0x40 is protected, 0x80 adds HT control to QoS. */
  readonly flags?: number;
  /** In the lower four bits, the sequence number above. */
  readonly fragmentNumber?: number;
  /** QoS control; 0x80 marks an aggregate. */
  readonly qos?: number;
  /** Fields of two bytes the other way round, as some controllers write them. */
  readonly isTurned?: boolean;
  /** Fills the header up to four bytes. */
  readonly isPadded?: boolean;
}

/** IEEE 802.11; LLC and SNAP follow as a layer of their own. */
export function ieee80211(options: Ieee80211Options = {}): Layer {
  const { type = 2, subtype = 0, flags = 1 } = options;
  return {
    build(inner) {
      const base = new Uint8Array(24);
      base[0] = (type << 2) | (subtype << 4);
      base[1] = flags;
      viewOf(base).setUint16(22, options.fragmentNumber ?? 0, true);
      if (options.isTurned) for (const at of [0, 22]) base.subarray(at, at + 2).reverse();
      const hasQos = (subtype & 8) !== 0;
      const whole = join(
        base,
        new Uint8Array((flags & 3) === 3 ? 6 : 0),
        hasQos ? Uint8Array.of(options.qos ?? 0, 0) : new Uint8Array(0),
        new Uint8Array(hasQos && (flags & 0x80) !== 0 ? 4 : 0),
      );
      return join(options.isPadded ? padded(whole, 4) : whole, inner);
    },
  };
}

/** The header of one frame inside an aggregate. */
export function subframe(): Layer {
  return {
    build(inner) {
      const head = new Uint8Array(14);
      viewOf(head).setUint16(12, inner.length);
      return join(head, inner);
    },
  };
}

interface RadiotapOptions {
  readonly flags?: number;
  readonly hasTime?: boolean;
  /** Words of presence beyond the first. */
  readonly extraWords?: number;
  readonly bytes?: number;
}

/** Radiotap with the flags field, which stands behind the time. */
export function radiotap(options: RadiotapOptions = {}): Layer {
  const extra = options.extraWords ?? 0;
  return {
    build(inner) {
      const time = options.hasTime ? ((8 - ((8 + extra * 4) % 8)) % 8) + 8 : 0;
      const head = new Uint8Array(8 + extra * 4 + time + 1);
      const view = viewOf(head);
      view.setUint16(2, options.bytes ?? head.length, true);
      for (let word = 0; word <= extra; word++) {
        const fields = word === 0 ? 2 | (options.hasTime ? 1 : 0) : 0;
        view.setUint32(4 + word * 4, (fields | (word < extra ? 0x80000000 : 0)) >>> 0, true);
      }
      head[head.length - 1] = options.flags ?? 0;
      return join(head, inner);
    },
  };
}

/** Prism; with `avsBytes`, an AVS header of that length in its place. */
export function prism(avsBytes?: number): Layer {
  return {
    build(inner) {
      const head = new Uint8Array(avsBytes ?? 144);
      const view = viewOf(head);
      view.setUint32(0, avsBytes === undefined ? 0x44 : 0x80211001);
      view.setUint32(4, avsBytes ?? 144);
      return join(head, inner);
    },
  };
}

/** Per-packet information in front of a frame of `linkType`, with `fieldBytes` of fields. */
export function ppi(linkType: number, fieldBytes = 0): Layer {
  return {
    build(inner) {
      const head = new Uint8Array(8 + fieldBytes);
      const view = viewOf(head);
      view.setUint16(2, head.length, true);
      view.setUint32(4, linkType, true);
      return join(head, inner);
    },
  };
}

interface NfLogOptions {
  readonly family?: number;
  readonly bigEndian?: boolean;
  /** EtherType in the packet header attribute. */
  readonly etherType?: number;
  readonly prefix?: string;
}

/** NFLOG: packet header, prefix, then the packet. */
export function nflog(options: NfLogOptions = {}): Layer {
  const attribute = (type: number, content: Uint8Array): Uint8Array => {
    const head = new Uint8Array(4);
    viewOf(head).setUint16(0, content.length + 4, !options.bigEndian);
    viewOf(head).setUint16(2, type, !options.bigEndian);
    return join(head, padded(content, 4));
  };
  return {
    build(inner, next) {
      const etherType = options.etherType ?? next?.etherType ?? 0;
      const family = options.family ?? (etherType === 0x86dd ? 10 : 2);
      return join(
        Uint8Array.of(family, 0, 0, 5),
        attribute(1, Uint8Array.of(etherType >> 8, etherType & 0xff, 3, 0)),
        attribute(10, new TextEncoder().encode(`${options.prefix ?? 'x'}\0`)),
        attribute(9, inner),
      );
    },
  };
}

/** PFLOG with a header of `bytes`, padded to a multiple of four; 61 and the family of IPv6 are those of FreeBSD. */
export function pflog(options: { bytes?: number; family?: number } = {}): Layer {
  return {
    build(inner, next) {
      const head = new Uint8Array(options.bytes ?? 61);
      head[0] = head.length;
      head[1] = options.family ?? (next?.etherType === 0x86dd ? 28 : 2);
      // Action, reason, name of the interface.
      head.set([1, 0, 0x65, 0x6d, 0x30], 2);
      return join(padded(head, 4), inner);
    },
  };
}
