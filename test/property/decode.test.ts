import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyLength } from '../../src/capture/copy-length.js';
import { steer } from '../../src/capture/steer.js';
import { DROP_REASONS, Drop } from '../../src/ring/drop-reason.js';
import { TunnelType } from '../../src/ring/tunnel-type.js';
import { LinkType } from '../../src/wire/link-type.js';
import { Packet } from '../../src/wire/packet.js';
import { fragmentDecoder } from '../helpers/decoded.js';
import { viewOf } from '../helpers/frame-bytes.js';
import {
  authentication,
  cooked,
  ethernet,
  extension,
  fragment,
  frame,
  icmp,
  ipv4,
  ipv6,
  type Layer,
  tcp,
  udp,
  vlan,
} from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';
import {
  ayiya,
  capwap,
  erspan,
  etherIp,
  geneve,
  gre,
  gtpU,
  l2tp,
  mpls,
  ppp,
  pppoe,
  pptp,
  serviceHeader,
  snap,
  teredo,
  vxlan,
} from '../helpers/tunnel-frames.js';
import { ieee80211, nflog, pflog, ppi, prism, radiotap } from '../helpers/wlan-frames.js';

const LINK_TYPES: readonly LinkType[] = [
  LinkType.Null,
  LinkType.Ethernet,
  LinkType.Ppp,
  LinkType.RawBsd,
  LinkType.RawOpenBsd,
  LinkType.PppHdlc,
  LinkType.PppEther,
  LinkType.Raw,
  LinkType.CiscoHdlc,
  LinkType.Ieee80211,
  LinkType.Loop,
  LinkType.LinuxSll,
  LinkType.Ieee80211Prism,
  LinkType.Ieee80211Radiotap,
  LinkType.Ieee80211Avs,
  LinkType.Ppi,
  LinkType.Ipv4,
  LinkType.Ipv6,
  LinkType.NfLog,
  LinkType.PfLog,
  LinkType.LinuxSll2,
];

const port = (dstPort: number): Layer => udp({ srcPort: 40_000, dstPort });

/** Layers that may stand in any order; most orders are nonsense, which is the point. */
const LAYERS: readonly (readonly Layer[])[] = [
  [ethernet()],
  [vlan(7)],
  [mpls(16, 17)],
  [mpls(16), ethernet()],
  [pppoe(), ppp()],
  [ppp({ isFramed: true, isShort: true })],
  [snap()],
  [cooked()],
  [serviceHeader(1)],
  [ipv4()],
  [ipv4({ moreFragments: true })],
  [ipv4({ fragmentOffset: 64 })],
  [ipv4({ options: new Uint8Array(40) })],
  [ipv6()],
  [ipv6(), extension(60)],
  [ipv6(), fragment({ more: true })],
  [ipv6({ payloadBytes: 0 }), extension(0, { content: Uint8Array.of(0xc2, 4, 0, 1, 0xff, 0xff) })],
  [authentication()],
  [ipv4(), gre({ key: 1, sequence: 2 })],
  [ipv4(), gre({ sequence: 2 }), erspan(2), ethernet()],
  [ipv4(), gre({ sequence: 2 }), erspan(3, { hasSubheader: true }), ethernet()],
  [ipv4(), pptp({ hasAcknowledgement: true }), ppp()],
  [ipv6(), etherIp(), ethernet()],
  [ipv4(), port(4789), vxlan(1), ethernet()],
  [ipv4(), port(4790), vxlan(1, { next: 4 }), serviceHeader(3), ethernet()],
  [ipv6(), port(6081), geneve(1, { optionBytes: 8 })],
  [ipv4(), port(2152), gtpU(1, { extensions: [1, 2] })],
  [ipv4(), port(3544), teredo({ authenticationBytes: 4, hasOrigin: true }), ipv6()],
  [ipv4(), port(1701), l2tp(1, 2, 0x4a00), ppp()],
  [ipv4(), port(5072), ayiya()],
  [ipv4(), port(5247), capwap({ words: 3 }), ethernet()],
  [ipv4(), port(4754), gre()],
  [ipv4(), port(6635), mpls(16)],
  [ieee80211({ subtype: 8 }), snap()],
  [radiotap({ hasTime: true, extraWords: 2 }), ieee80211(), snap()],
  [prism(), ieee80211(), snap()],
  [ppi(1, 8), ethernet()],
  [nflog()],
  [pflog()],
  [icmp({ type: 3 }), ipv4(), udp()],
  [tcp({ flags: 'S' })],
  [udp()],
];

interface Wire {
  readonly bytes: Uint8Array;
  readonly linkType: LinkType;
  readonly wireBytes: number;
}

/** Frames of layers in any order, then cut and with some bytes changed. */
const stacked: fc.Arbitrary<Wire> = fc
  .record({
    parts: fc.array(fc.constantFrom(...LAYERS), { minLength: 1, maxLength: 24 }),
    linkType: fc.oneof({ weight: 3, arbitrary: fc.constant(LinkType.Ethernet) }, fc.constantFrom(...LINK_TYPES)),
    hasLink: fc.boolean(),
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
    extraBytes: fc.constantFrom(0, 0, 100, 70_000),
  })
  .map(({ parts, linkType, hasLink, keep, changes, extraBytes }) => {
    const layers = [...(hasLink && linkType === LinkType.Ethernet ? [ethernet()] : []), ...parts.flat()];
    const whole = frame(...layers, 'payload');
    for (const [at, value] of changes) if (at < whole.length) whole[at] = value;
    return { bytes: whole.slice(0, Math.floor(whole.length * keep)), linkType, wireBytes: whole.length + extraBytes };
  });

const noise: fc.Arbitrary<Wire> = fc
  .record({
    bytes: fc.uint8Array({ maxLength: 200 }),
    linkType: fc.oneof(fc.constantFrom(...LINK_TYPES), fc.nat(300)),
    more: fc.constantFrom(0, 1500, 100_000),
  })
  .map(({ bytes, linkType, more }) => ({ bytes, linkType: linkType as LinkType, wireBytes: bytes.length + more }));

const wire = fc.oneof({ weight: 3, arbitrary: stacked }, noise);

/** A view that ends where the bytes end, so that reading beyond them throws. */
function exactView(bytes: Uint8Array): DataView {
  return viewOf(bytes.slice());
}

describe('any frame', () => {
  it.each([true, false])('is a packet or a drop with a name, and reads nothing beyond its end; decapsulated: %s', (decap) => {
    const { decoder } = fragmentDecoder(decap);
    const packet = new Packet();
    fc.assert(
      fc.property(wire, fc.nat(100), ({ bytes, linkType, wireBytes }, seconds) => {
        const drop = decoder.decode(exactView(bytes), 0, bytes.length, wireBytes, linkType, seconds, packet);
        expect(drop === Drop.None || Boolean(DROP_REASONS[drop as number])).toBe(true);
        if (drop !== Drop.None) return;
        expect([4, 6]).toContain(packet.ipVersion);
        for (const field of [packet.ipBytes, packet.payloadBytes, packet.transportBytes, packet.srcPort, packet.dstPort])
          expect(Number.isSafeInteger(field) && field >= 0).toBe(true);
        expect(packet.payloadBytes).toBeLessThanOrEqual(packet.ipBytes);
        expect(packet.transportEnd).toBeLessThanOrEqual(bytes.length);
        expect(packet.vlanId).toBeLessThanOrEqual(4095);
        if (packet.tunnelType !== TunnelType.None) expect([0, 4, 6]).toContain(packet.tunnelIpVersion);
      }),
      { numRuns: 3000 },
    );
  });

  it('has the same outermost header whether tunnels are followed or not, and is counted either way', () => {
    const followed = fragmentDecoder(true).decoder;
    const left = fragmentDecoder(false).decoder;
    const [inner, outer] = [new Packet(), new Packet()];
    fc.assert(
      fc.property(wire, ({ bytes, linkType, wireBytes }) => {
        const drops = [followed, left].map((decoder, index) =>
          decoder.decode(exactView(bytes), 0, bytes.length, wireBytes, linkType, 0, index === 0 ? inner : outer),
        );
        expect(drops[0]).toBe(drops[1]);
        if (drops[0] !== Drop.None || inner.tunnelType === TunnelType.None || inner.tunnelIpVersion === 0) return;
        const { ipVersion, src0, src3, dst0, dst3 } = outer;
        expect([inner.tunnelIpVersion, inner.tunnelSrc0, inner.tunnelSrc3, inner.tunnelDst0, inner.tunnelDst3]).toEqual([
          ipVersion,
          src0,
          src3,
          dst0,
          dst3,
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  it('is decoded from what the capture copies as it is from the whole', () => {
    const { decoder } = fragmentDecoder();
    fc.assert(
      fc.property(wire, ({ bytes, linkType, wireBytes }) => {
        const [copied, whole] = [new Packet(), new Packet()];
        const view = exactView(bytes);
        const length = new CopyLength().of(view, 0, bytes.length, linkType);
        expect(length).toBeLessThanOrEqual(bytes.length);
        const drop = decoder.decode(exactView(bytes.subarray(0, length)), 0, length, wireBytes, linkType, 0, copied);
        expect(drop).toBe(decoder.decode(view, 0, bytes.length, wireBytes, linkType, 0, whole));
        if (drop === Drop.None) expect({ ...copied, transportEnd: 0 }).toEqual({ ...whole, transportEnd: 0 });
        expect(steer(view, 0, bytes.length, linkType, 3)).toBeLessThan(3);
      }),
      { numRuns: 2000 },
    );
  });

  it('has exactly one outcome', () => {
    const rig = new ParseRig({ 'flow.active-max': 50 });
    let wireBytesSum = 0;
    let count = 0;
    fc.assert(
      fc.property(wire, fc.nat(200), ({ bytes, linkType, wireBytes }, seconds) => {
        rig.feed(bytes, seconds * 1e6, { linkType, wireBytes });
        rig.flows();
        count++;
        wireBytesSum += wireBytes;
        const { received, inFlows, dropped, wireBytesReceived } = rig.ledger;
        expect(received).toBe(count);
        expect(wireBytesReceived).toBe(wireBytesSum);
        expect(inFlows + Object.values(dropped).reduce((sum, drops) => sum + drops, 0)).toBe(received);
      }),
      { numRuns: 2000 },
    );
  });
});
