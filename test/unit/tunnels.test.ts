import { describe, expect, it } from 'vitest';
import { type Decoded, decapsulated, decoded } from '../helpers/decoded.js';
import { address, viewOf } from '../helpers/frame-bytes.js';
import {
  authentication,
  ethernet,
  extension,
  fragment,
  frame,
  icmp,
  ipv4,
  ipv6,
  type Layer,
  payload,
  tcp,
  udp,
  vlan,
} from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';
import {
  ayiya,
  capwap,
  eoip,
  erspan,
  etherIp,
  geneve,
  gre,
  gtpU,
  l2tp,
  mpls,
  ppp,
  pptp,
  serviceHeader,
  snap,
  teredo,
  vxlan,
} from '../helpers/tunnel-frames.js';
import { ieee80211, subframe } from '../helpers/wlan-frames.js';

const outer = ipv4({ src: '192.0.2.1', dst: '192.0.2.2' });
const outer6 = ipv6({ src: '2001:db8:f::1', dst: '2001:db8:f::2' });
const inner = [ipv4(), udp({ srcPort: 5000, dstPort: 53 }), 'hello'] as const;
const inner6 = [ipv6(), udp({ srcPort: 5000, dstPort: 53 }), 'hello'] as const;
const port = (dstPort: number): Layer => udp({ srcPort: 40_000, dstPort });
const from = (srcPort: number): Layer => udp({ srcPort, dstPort: 40_000 });
const word = (text: string): number => viewOf(address(text)).getInt32(0);

const expectedInner = { drop: '', protocol: 17, srcPort: 5000, dstPort: 53, payloadBytes: 5 };

type Case = readonly [name: string, tunnel: string, id: number | null, bytes: Uint8Array];

const over4 = (...layers: readonly (Layer | Uint8Array | string)[]): Uint8Array => frame(ethernet(), outer, ...layers);
const ethernetInIp: Layer = { ipProtocol: 143, build: (carried) => carried };
const over6 = (...layers: readonly (Layer | Uint8Array | string)[]): Uint8Array => frame(ethernet(), outer6, ...layers);

const CARRY_IPV4: readonly Case[] = [
  ['IPv4 in IPv4', 'ipip', null, over4(...inner)],
  ['IPv4 in IPv6', '4in6', null, over6(...inner)],
  ['IPv4 in IPv6 behind options', '4in6', null, over6(extension(60), ...inner)],
  ['GRE', 'gre', null, over4(gre(), ...inner)],
  ['GRE with everything', 'gre', 0xffffffff, over4(gre({ key: 0xffffffff, sequence: 1, hasChecksum: true }), ...inner)],
  ['GRE with a key of 0', 'gre', 0, over6(gre({ key: 0 }), ...inner)],
  ['GRE with Ethernet', 'gre', 9, over4(gre({ key: 9 }), ethernet(), vlan(7), ...inner)],
  ['GRE with MPLS', 'gre', null, over4(gre(), mpls(16), ...inner)],
  ['GRE with PPP', 'gre', null, over4(gre(), ppp({ isFramed: true }), ...inner)],
  ['GRE with WCCP', 'gre', null, over4(gre({ protocol: 0x883e }), new Uint8Array(4), ...inner)],
  ['GRE with the old WCCP', 'gre', null, over4(gre({ protocol: 0x883e }), ...inner)],
  ['ERSPAN I', 'erspan', null, over4(gre({ protocol: 0x88be }), ethernet(), ...inner)],
  ['ERSPAN II', 'erspan', 5, over4(gre({ sequence: 1 }), erspan(2), ethernet(), vlan(7), ...inner)],
  ['ERSPAN III', 'erspan', 0x3ff, over4(gre({ sequence: 1 }), erspan(3, { session: 0x3ff }), ethernet(), ...inner)],
  ['ERSPAN III, subheader', 'erspan', 5, over4(gre({ sequence: 1 }), erspan(3, { hasSubheader: true }), ethernet(), ...inner)],
  ['ERSPAN III with IP', 'erspan', 5, over4(gre({ sequence: 1 }), erspan(3, { frameType: 2 }), ...inner)],
  ['PPTP', 'pptp', 9, over4(pptp(), ppp({ isFramed: true, isShort: true }), ...inner)],
  ['PPTP, acknowledging', 'pptp', 65_535, over4(pptp({ call: 65_535, hasAcknowledgement: true }), ppp(), ...inner)],
  ['EoIP', 'eoip', 77, over4(eoip(77), ethernet(), ...inner)],
  ['MPLS in IP', 'mpls', 16, over4(mpls(16), ...inner)],
  ['MPLS in UDP', 'mpls', 17, over4(port(6635), mpls(17, 18), ...inner)],
  ['GRE in UDP', 'gre', 5, over4(port(4754), gre({ key: 5 }), ...inner)],
  ['L2TP', 'l2tp', 0x80000001, over4(port(1701), l2tp(0x8000, 1), ppp({ isFramed: true }), ...inner)],
  ['L2TP from its server', 'l2tp', 0x10002, over4(from(1701), l2tp(1, 2), ppp(), ...inner)],
  ['L2TP with everything', 'l2tp', 0x10002, over6(port(1701), l2tp(1, 2, 0x4a00), ppp(), ...inner)],
  ['EtherIP', 'etherip', null, over4(etherIp(), ethernet(), ...inner)],
  ['EtherIP, version turned', 'etherip', null, over4(etherIp(3), ethernet(), ...inner)],
  ['VXLAN', 'vxlan', 0xffffff, over4(port(4789), vxlan(0xffffff), ethernet(), ...inner)],
  ['VXLAN of Linux', 'vxlan', 1, over6(port(8472), vxlan(1), ethernet(), vlan(5), ...inner)],
  ['VXLAN-GPE', 'vxlan_gpe', 2, over4(port(4790), vxlan(2, { flags: 0x0c, next: 1 }), ...inner)],
  ['VXLAN-GPE without its flag', 'vxlan_gpe', 2, over4(port(4790), vxlan(2, { next: 1 }), ...inner)],
  ['VXLAN-GPE with Ethernet', 'vxlan_gpe', 2, over4(port(4790), vxlan(2, { next: 3 }), ethernet(), ...inner)],
  ['VXLAN-GPE without next protocol', 'vxlan_gpe', 2, over4(port(4790), vxlan(2), ethernet(), ...inner)],
  ['VXLAN-GPE, service header', 'vxlan_gpe', 2, over4(port(4790), vxlan(2, { next: 4 }), serviceHeader(1), ...inner)],
  ['GENEVE', 'geneve', 3, over4(port(6081), geneve(3), ethernet(), ...inner)],
  ['GENEVE, answered from its port', 'geneve', 3, over4(from(6081), geneve(3), ...inner)],
  ['GENEVE with options', 'geneve', 3, over4(port(6081), geneve(3, { optionBytes: 252 }), ...inner)],
  ['GTP-U', 'gtp_u', 0x80000001, over4(port(2152), gtpU(0x80000001), ...inner)],
  ['GTP-U with a sequence', 'gtp_u', 4, over4(port(2152), gtpU(4, { flags: 0x32 }), ...inner)],
  ['GTP-U with extensions', 'gtp_u', 4, over4(port(2152), gtpU(4, { extensions: [1, 2, 1] }), ...inner)],
  ['GRE of Aruba', 'gre', 0, over4(gre({ key: 0, protocol: 0x8200 }), ieee80211({ subtype: 8 }), snap(), ...inner)],
  [
    'GRE of Aruba with an aggregate',
    'gre',
    null,
    over4(gre({ protocol: 0x8370 }), ieee80211({ subtype: 8, qos: 0x80 }), subframe(), snap(), ...inner),
  ],
  ['Ethernet in IP', 'ethernet_in_ip', null, over4(ethernetInIp, ethernet(), vlan(7), ...inner)],
  ['Ethernet behind a routing header', 'ethernet_in_ip', null, over6(extension(43), ethernetInIp, ethernet(), ...inner)],
  ['AYIYA', 'ayiya', null, over4(port(5072), ayiya(), ...inner)],
  ['AYIYA without a signature', 'ayiya', null, over4(port(5072), ayiya({ signatureWords: 0 }), ...inner)],
  ['CAPWAP with Ethernet', 'capwap', null, over4(port(5247), capwap({ words: 4 }), ethernet(), ...inner)],
  ['CAPWAP with 802.11', 'capwap', null, over4(port(5247), capwap({ radio: 1 }), ieee80211(), snap(), ...inner)],
  [
    'CAPWAP with 802.11 as Cisco writes it, to the access point',
    'capwap',
    null,
    over4(
      from(5247),
      capwap({ radio: 1 }),
      ieee80211({ subtype: 8, flags: 2, fragmentNumber: 0x0110, isTurned: true }),
      snap(),
      ...inner,
    ),
  ],
  [
    'the first fragment of CAPWAP',
    'capwap',
    null,
    over4(port(5247), capwap({ radio: 1, flags: 0x80 }), ieee80211(), snap(), ...inner),
  ],
  ['authentication header', 'ah', 0, over4(authentication(), ...inner)],
  ['authentication header and GRE', 'gre', null, over4(authentication(), gre(), ...inner)],
];

const CARRY_IPV6: readonly Case[] = [
  ['6in4', '6in4', null, over4(...inner6)],
  ['6in6', '6in6', null, over6(...inner6)],
  ['GRE', 'gre', null, over4(gre(), ...inner6)],
  ['VXLAN', 'vxlan', 1, over4(port(4789), vxlan(1), ethernet(), ...inner6)],
  ['GENEVE', 'geneve', 3, over4(port(6081), geneve(3), ...inner6)],
  ['GTP-U', 'gtp_u', 4, over4(port(2152), gtpU(4), ...inner6)],
  ['AYIYA from its server', 'ayiya', null, over4(from(5072), ayiya(), ...inner6)],
  ['Teredo', 'teredo', null, over4(port(3544), ...inner6)],
  ['Teredo from its server', 'teredo', null, over4(udp({ srcPort: 3544, dstPort: 50_000 }), ...inner6)],
  ['Teredo with an origin', 'teredo', null, over4(port(3544), teredo({ hasOrigin: true }), ...inner6)],
  [
    'Teredo with all indications',
    'teredo',
    null,
    over4(port(3544), teredo({ authenticationBytes: 20, hasOrigin: true }), ...inner6, 'x'),
  ],
  ['authentication header', 'ah', 0, over6(authentication({ icvBytes: 16 }), ...inner6)],
];

const asShown = (packet: Decoded): unknown => ({
  tunnel: packet.tunnel,
  id: packet.tunnel !== '' && packet.hasTunnelId === 1 ? packet.tunnelId >>> 0 : null,
});

describe('tunnels', () => {
  it.each(CARRY_IPV4)('%s', (_, tunnel, id, bytes) => {
    const packet = decapsulated(bytes);
    expect(packet).toMatchObject({ ...expectedInner, ipVersion: 4, ipBytes: 33, src3: word('10.0.0.1') });
    expect(asShown(packet)).toEqual({ tunnel, id });
  });

  it.each(CARRY_IPV6)('%s with IPv6', (_, tunnel, id, bytes) => {
    const packet = decapsulated(bytes);
    expect(packet).toMatchObject({ drop: '', protocol: 17, srcPort: 5000, ipVersion: 6, src0: 0x20010db8, src3: 1 });
    expect(asShown(packet)).toEqual({ tunnel, id });
  });

  it.each([...CARRY_IPV4, ...CARRY_IPV6])(
    '%s stays a flow of its outer header unless it is to be followed',
    (_, __, ___, bytes) => {
      const packet = decoded(bytes);
      expect(packet).toMatchObject({ tunnel: '', ipBytes: bytes.length - 14 });
      if (packet.ipVersion === 4) expect(packet.src3).toBe(word('192.0.2.1'));
      else expect([packet.src1, packet.src3]).toEqual([0x000f0000, 1]);
    },
  );

  it.each([...CARRY_IPV4, ...CARRY_IPV6])('%s, cut anywhere, belongs to the last good header', (_, __, ___, bytes) => {
    const whole = decapsulated(bytes);
    const outside = decoded(bytes);
    for (let length = 34; length < bytes.length; length++) {
      const packet = decapsulated(bytes.subarray(0, length), { wireBytes: bytes.length });
      if (packet.drop !== '') {
        // The capture ends within the outer header.
        expect(outside.ipVersion === 6 && length < 54).toBe(true);
        continue;
      }
      const isOuter = packet.ipBytes === outside.ipBytes;
      expect(packet).toMatchObject(isOuter ? { tunnelType: 0 } : { ipBytes: whole.ipBytes, tunnelType: whole.tunnelType });
    }
  });

  it('keeps the addresses of the outermost tunnel of several, and follows to the innermost header', () => {
    const bytes = over4(gre({ key: 1 }), ipv4({ src: '10.9.9.9' }), port(4789), vxlan(2), ethernet(), outer6, ...inner);
    expect(decapsulated(bytes)).toMatchObject({
      ...expectedInner,
      tunnel: 'gre',
      tunnelId: 1,
      tunnelIpVersion: 4,
      tunnelSrc0: 0,
      tunnelSrc3: word('192.0.2.1'),
      tunnelDst3: word('192.0.2.2'),
    });
    expect(decapsulated(over6(gre(), ...inner))).toMatchObject({ tunnelIpVersion: 6, tunnelSrc0: 0x20010db8, tunnelDst3: 2 });
  });

  it('keeps a label below the outermost header as the tunnel, where there is one', () => {
    const bytes = frame(ethernet(), mpls(29), outer, gre({ key: 1 }), ...inner);
    expect(decapsulated(bytes)).toMatchObject({ ...expectedInner, tunnel: 'mpls', tunnelId: 29, tunnelIpVersion: 0 });
  });

  it('takes the length of the outer packet where that inside is 0', () => {
    const bytes = over4(port(4789), vxlan(1), ethernet(), ipv4({ totalBytes: 0 }), tcp(), 'x'.repeat(2000));
    expect(decapsulated(bytes)).toMatchObject({ protocol: 6, ipBytes: 2040, payloadBytes: 2000 });
  });

  it('follows 16 tunnels and stops at the header where it stands', () => {
    const nested = (count: number): Uint8Array =>
      frame(ethernet(), ...Array.from({ length: count }, (_, i) => ipv4({ src: `10.1.1.${i}` })), ...inner);
    expect(decapsulated(nested(16))).toMatchObject(expectedInner);
    expect(decapsulated(nested(17))).toMatchObject({ drop: '', protocol: 4, src3: word('10.1.1.16') });
    expect(decapsulated(nested(60))).toMatchObject({ drop: '', protocol: 4, src3: word('10.1.1.16') });
  });

  it('counts tags and tunnels together', () => {
    const tags = Array.from({ length: 15 }, () => vlan(1));
    expect(decapsulated(frame(ethernet(), ...tags, outer, ...inner))).toMatchObject({ ...expectedInner, tunnel: 'ipip' });
    const bytes = frame(ethernet(), vlan(1), ...tags, outer, ...inner);
    expect(decapsulated(bytes)).toMatchObject({ drop: '', protocol: 4, tunnel: '' });
  });

  it('takes MPLS in UDP that the capture cuts, or of which the rest is in other fragments', () => {
    const bytes = over4(port(6635), mpls(17), ...inner);
    expect(decapsulated(bytes.subarray(0, 76), { wireBytes: bytes.length })).toMatchObject({ tunnel: 'mpls', srcPort: 5000 });
    const first = frame(
      ethernet(),
      ipv4({ moreFragments: true }),
      port(6635),
      mpls(17),
      ipv4({ totalBytes: 2000 }),
      ...inner.slice(1),
    );
    expect(decapsulated(first)).toMatchObject({ tunnel: 'mpls', srcPort: 5000 });
  });

  it('does not follow what an ICMP error quotes', () => {
    expect(decapsulated(over4(icmp({ type: 3, code: 3 }), ...inner))).toMatchObject({ protocol: 1, icmp: 0x0303, tunnel: '' });
  });

  it('does not follow later fragments, but the first', () => {
    const later = frame(ethernet(), ipv4({ fragmentOffset: 1400, protocol: 4 }), ...inner);
    expect(decapsulated(later)).toMatchObject({ protocol: 4, tunnel: '' });
    const first = frame(ethernet(), ipv4({ moreFragments: true }), gre(), ...inner);
    expect(decapsulated(first)).toMatchObject({ ...expectedInner, tunnel: 'gre' });
    const first6 = frame(ethernet(), outer6, fragment({ more: true }), ...inner);
    expect(decapsulated(first6)).toMatchObject({ ...expectedInner, tunnel: '4in6' });
  });
});

const arp = payload(new Uint8Array(28), { etherType: 0x0806 });

describe('what looks like a tunnel and is none', () => {
  it.each([
    ['IP in IP of another version', frame(ethernet(), ipv4({ protocol: 4 }), ipv6())],
    ['IP in IP, header too short', over4(ipv4({ headerBytes: 16 }))],
    ['GRE with source routes', over4(gre({ flags: 0x4000 }), ...inner)],
    ['GRE, unknown version', over4(gre({ flags: 2 }), ...inner)],
    ['GRE with a length', over4(gre({ protocol: 0xfe }), ...inner)],
    ['GRE with nothing', over4(gre({ key: 1, protocol: 0x0800 }))],
    ['GRE with ARP', over4(gre(), ethernet(), arp)],
    ['GRE with LLC', over4(gre(), ethernet({ etherType: 38 }), new Uint8Array(38).fill(0x42))],
    ['PPTP without sequence', over4(pptp({ hasSequence: false }), ppp(), ...inner)],
    ['PPTP with a control protocol', over4(pptp(), ppp({ protocol: 0xc021 }), 'xxxx')],
    ['PPTP, encrypted', over4(pptp(), ppp({ protocol: 0x00fd }), ...inner)],
    ['ERSPAN II of another version', over4(gre({ sequence: 1, protocol: 0x88be }), new Uint8Array(8), ethernet(), ...inner)],
    ['ERSPAN III of another version', over4(gre({ protocol: 0x22eb }), new Uint8Array(12), ethernet(), ...inner)],
    ['an L2TP control message', over4(port(1701), l2tp(1, 2, 0xc800), ppp(), ...inner)],
    ['L2TP whose offset leads out', over4(port(1701), l2tp(1, 2, 0x0200), ppp(), ...inner).fill(0xff, 48, 50)],
    ['MPLS in UDP with what is no IP', over4(port(6635), mpls(17), new Uint8Array(40))],
    ['MPLS in UDP with IPv4 that does not fit', over4(port(6635), mpls(17), ipv4({ totalBytes: 34 }), ...inner.slice(1))],
    ['MPLS in UDP with IPv6 that does not fit', over4(port(6635), mpls(17), ipv6({ payloadBytes: 14 }), ...inner6.slice(1))],
    ['EtherIP of another version', over4(etherIp(0x40), ethernet(), ...inner)],
    ['GRE of Aruba that is protected', over4(gre({ protocol: 0x8200 }), ieee80211({ flags: 0x41 }), snap(), ...inner)],
    ['GRE of Aruba with a beacon', over4(gre({ protocol: 0x8200 }), ieee80211({ type: 0, subtype: 8 }), new Uint8Array(40))],
    ['GRE with what is close to those of Aruba', over4(gre({ protocol: 0x8201 }), ieee80211(), snap(), ...inner)],
    ['AYIYA that is no packet', over4(port(5072), ayiya({ operation: 2 }), ...inner)],
    ['AYIYA with what is no IP', over4(port(5072), ayiya({ protocol: 59 }), ...inner)],
    ['CAPWAP under DTLS', over4(port(5247), capwap(), ethernet(), ...inner).fill(1, 42, 43)],
    ['CAPWAP that keeps alive', over4(port(5247), capwap({ flags: 0x08 }), ethernet(), ...inner)],
    ['a later fragment of CAPWAP', over4(port(5247), capwap({ flags: 0x80, fragmentOffset: 9 }), ethernet(), ...inner)],
    ['CAPWAP with a header of no length', over4(port(5247), capwap(), ethernet(), ...inner).fill(0, 43, 44)],
    ['CAPWAP of another radio', over4(port(5247), capwap({ radio: 3 }), ieee80211(), snap(), ...inner)],
    ['VXLAN without its flag', over4(port(4789), vxlan(1, { flags: 0 }), ethernet(), ...inner)],
    ['VXLAN with ARP', over4(port(4789), vxlan(1), ethernet(), arp)],
    ['VXLAN-GPE with what nobody knows', over4(port(4790), vxlan(1, { next: 9 }), ...inner)],
    ['GENEVE of another version', over4(port(6081), geneve(1, { version: 1 }), ...inner)],
    ['GENEVE without protocol', over4(port(6081), geneve(1, { protocol: 0 }), ...inner)],
    ['GTP-U that is no packet', over4(port(2152), gtpU(1, { messageType: 1 }), ...inner)],
    ['GTP of another version', over4(port(2152), gtpU(1, { flags: 0x50 }), ...inner)],
    ["GTP'", over4(port(2152), gtpU(1, { flags: 0x20 }), ...inner)],
    ['GTP-U with an extension of no length', over4(port(2152), gtpU(1, { flags: 0x34 }), Uint8Array.of(0, 0, 0, 0x85), ...inner)],
    ['GTP-U, too many extensions', over4(port(2152), gtpU(1, { extensions: new Array(17).fill(1) }), ...inner)],
    ['GTP-U with neither version', over4(port(2152), gtpU(1), new Uint8Array(40))],
    ['Teredo that does not fit', over4(port(3544), ipv6({ payloadBytes: 14 }), udp(), 'hello')],
    ['Teredo with IPv4', over4(port(3544), ...inner)],
    ['Teredo, indication too long', over4(port(3544), teredo({ authenticationBytes: 8 }), ...inner6).fill(255, 45, 46)],
    ['authentication header, too short', over4(authentication({ icvBytes: 0, nextHeader: 4 }), ...inner).fill(0, 35, 36)],
    ['authentication header before TCP', over4(authentication(), tcp(), 'hello')],
    ['what comes from the port of VXLAN', over4(from(4789), vxlan(1), ethernet(), ...inner)],
    ['what comes from the port of VXLAN of Linux', over4(from(8472), vxlan(1), ethernet(), ...inner)],
    ['what comes from the port of GRE in UDP', over4(from(4754), gre(), ...inner)],
    ['what comes from the port of MPLS in UDP', over4(from(6635), mpls(17), ...inner)],
    ['what comes from the port of GTP-U', over4(from(2152), gtpU(4), ...inner)],
    ['a port that is none', over4(port(4788), vxlan(1), ethernet(), ...inner)],
    ['TCP to such a port', over4(tcp({ dstPort: 4789 }), vxlan(1), ethernet(), ...inner)],
  ])('%s stays a flow of the outer header', (_, bytes) => {
    const packet = decapsulated(bytes);
    expect(packet).toMatchObject({ drop: '', tunnel: '', ipVersion: 4, ipBytes: bytes.length - 14 });
  });

  it.each([
    ['ESP', 50],
    ['IGMP', 2],
    ['OSPF', 89],
    ['PIM', 103],
    ['an unknown protocol', 253],
  ])('%s is a flow of its protocol', (_, ipProtocol) => {
    const packet = decapsulated(over4(payload(new Uint8Array(20), { ipProtocol })));
    expect(packet).toMatchObject({ drop: '', protocol: ipProtocol, srcPort: 0, dstPort: 0, payloadBytes: 20 });
  });
});

describe('the tunnel on a flow record', () => {
  const segments = { 'flow.active-s': 10, 'flow.idle-udp-s': 0 };

  it('is that of the first packet, and stays for every segment', () => {
    const rig = new ParseRig(segments);
    const one = over4(port(4789), vxlan(7), ethernet(), ...inner);
    rig
      .feed(one, 1e6)
      .feed(one, 5e6)
      .feed(over4(...inner), 20e6)
      .feed(over4(...inner), 21e6);
    const shown = 'vxlan id 7 192.0.2.1 192.0.2.2';
    expect(rig.finish().flows()).toMatchObject([
      { packets: [2, 0], tunnel: shown },
      { packets: [2, 0], tunnel: shown },
    ]);
  });

  it('says nothing of one that the flow has not', () => {
    const rig = new ParseRig();
    rig.feed(over6(gre({ key: 0x80000000 }), ...inner), 1);
    expect(rig.finish().flows()[0]?.tunnel).toBe('gre id 2147483648 20010db8:f0000:0:1 20010db8:f0000:0:2');
    // The slot is used again.
    rig.feed(frame(ethernet(), ...inner), 2).feed(frame(ethernet(), mpls(29), outer, tcp()), 3);
    expect(
      rig
        .finish()
        .flows()
        .map((flow) => flow.tunnel)
        .sort(),
    ).toEqual(['', 'mpls id 29']);
  });

  it('is none where tunnels are left alone', () => {
    const rig = new ParseRig({ 'flow.decap': false });
    rig.feed(over4(gre(), ...inner), 1);
    expect(rig.finish().flows()).toMatchObject([{ protocol: 47, ipBytes: [57, 0], tunnel: '' }]);
  });
});
