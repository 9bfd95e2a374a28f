import { describe, expect, it } from 'vitest';
import { LinkType } from '../../src/wire/link-type.js';
import { decoded } from '../helpers/decoded.js';
import { join } from '../helpers/frame-bytes.js';
import { cooked, cooked2, ethernet, frame, ipv4, ipv6, type Layer, udp, vlan } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';
import { ethernet8023, llc, mpls, ppp, pppoe, serviceHeader, snap, typedTag, untypedTag } from '../helpers/tunnel-frames.js';
import { ieee80211, nflog, pflog, ppi, prism, radiotap, subframe } from '../helpers/wlan-frames.js';

const udp5000 = udp({ srcPort: 5000, dstPort: 53 });
const inner = [ipv4(), udp5000, 'hello'] as const;
const inner6 = [ipv6(), udp5000, 'hello'] as const;
const expected = { drop: '', protocol: 17, srcPort: 5000, dstPort: 53, ipBytes: 33, payloadBytes: 5 };
const expected6 = { ...expected, ipBytes: 53 };
const wlan = (options: Parameters<typeof ieee80211>[0] = {}): Uint8Array => frame(ieee80211(options), snap(), ...inner);

type Case = readonly [name: string, linkType: LinkType, bytes: Uint8Array];

const IPV4_CASES: readonly Case[] = [
  ['SNAP', LinkType.Ethernet, frame(ethernet8023(), snap(), ...inner)],
  ['SNAP of bridges', LinkType.Ethernet, frame(ethernet8023(), snap({ organization: 0xf8 }), ...inner)],
  ['LLC', LinkType.Ethernet, frame(ethernet8023(), llc(6), ...inner)],
  ['VLAN over LLC', LinkType.Ethernet, frame(ethernet(), vlan(5, { etherType: 41 }), snap(), ...inner)],
  ['MPLS', LinkType.Ethernet, frame(ethernet(), mpls(29), ...inner)],
  ['stacked labels', LinkType.Ethernet, frame(ethernet(), vlan(3), mpls(16, 17, 18), ...inner)],
  ['multicast MPLS', LinkType.Ethernet, frame(ethernet({ etherType: 0x8848 }), mpls(16), ...inner)],
  ['pseudowire', LinkType.Ethernet, frame(ethernet(), mpls(16), ethernet(), ...inner)],
  ['pseudowire, control word', LinkType.Ethernet, frame(ethernet(), mpls(16), new Uint8Array(4), ethernet(), vlan(7), ...inner)],
  ['pseudowire, sequence', LinkType.Ethernet, frame(ethernet(), mpls(16), Uint8Array.of(0, 0, 0, 9), ethernet(), ...inner)],
  ['PPPoE', LinkType.Ethernet, frame(ethernet(), pppoe(), ppp(), ...inner)],
  ['PPPoE, short protocol', LinkType.Ethernet, frame(ethernet(), pppoe(), ppp({ isShort: true }), ...inner)],
  ['PPPoE over QinQ', LinkType.Ethernet, frame(ethernet(), vlan(1, { tag: 0x88a8 }), vlan(2), pppoe(), ppp(), ...inner)],
  ['service header', LinkType.Ethernet, frame(ethernet(), serviceHeader(1), ...inner)],
  ['service header, Ethernet', LinkType.Ethernet, frame(ethernet(), serviceHeader(3, 2), ethernet(), ...inner)],
  ['Cisco metadata', LinkType.Ethernet, frame(ethernet(), typedTag(0x8909, 8), ...inner)],
  ['VN-Tag', LinkType.Ethernet, frame(ethernet(), typedTag(0x8926, 6), vlan(3), ...inner)],
  ['HSR', LinkType.Ethernet, frame(ethernet(), typedTag(0x892f, 6), ...inner)],
  [
    'backbone bridging',
    LinkType.Ethernet,
    frame(ethernet(), vlan(9, { tag: 0x88a8 }), untypedTag(0x88e7, 4), ethernet(), ...inner),
  ],
  ['FabricPath', LinkType.Ethernet, frame(ethernet(), untypedTag(0x8903, 2), ethernet(), ...inner)],
  ['PPP', LinkType.Ppp, frame(ppp(), ...inner)],
  ['PPP, framed', LinkType.Ppp, frame(ppp({ isFramed: true }), ...inner)],
  ['PPP, framed and short', LinkType.PppHdlc, frame(ppp({ isFramed: true, isShort: true }), ...inner)],
  ['PPP with a label', LinkType.PppHdlc, frame(ppp(), mpls(16), ...inner)],
  ['Cisco HDLC', LinkType.CiscoHdlc, frame(Uint8Array.of(0x0f, 0, 8, 0), ...inner)],
  ['Cisco HDLC under the name of PPP', LinkType.Ppp, frame(Uint8Array.of(0x0f, 0, 8, 0), ...inner)],
  ['Cisco HDLC, multicast', LinkType.PppHdlc, frame(Uint8Array.of(0x8f, 0, 8, 0), ...inner)],
  ['PPPoE without Ethernet', LinkType.PppEther, frame(pppoe(), ppp(), ...inner)],
  ['802.11', LinkType.Ieee80211, wlan()],
  ['802.11, QoS', LinkType.Ieee80211, wlan({ subtype: 8 })],
  ['802.11, four addresses', LinkType.Ieee80211, wlan({ flags: 3 })],
  ['802.11, QoS, four addresses, HT control', LinkType.Ieee80211, wlan({ subtype: 8, flags: 0x83 })],
  ['802.11, aggregate', LinkType.Ieee80211, frame(ieee80211({ subtype: 8, qos: 0x80 }), subframe(), snap(), ...inner)],
  ['radiotap', LinkType.Ieee80211Radiotap, frame(radiotap(), ieee80211(), snap(), ...inner)],
  [
    'radiotap with check sequence',
    LinkType.Ieee80211Radiotap,
    join(frame(radiotap({ flags: 0x10 }), ieee80211(), snap(), ...inner), Uint8Array.of(1, 2, 3, 4)),
  ],
  [
    'radiotap, padded',
    LinkType.Ieee80211Radiotap,
    frame(radiotap({ flags: 0x20, hasTime: true, extraWords: 1 }), ieee80211({ subtype: 8, isPadded: true }), snap(), ...inner),
  ],
  ['Prism', LinkType.Ieee80211Prism, frame(prism(), ieee80211(), snap(), ...inner)],
  ['AVS in Prism', LinkType.Ieee80211Prism, frame(prism(64), ieee80211(), snap(), ...inner)],
  ['AVS', LinkType.Ieee80211Avs, frame(prism(64), ieee80211(), snap(), ...inner)],
  ['PPI with 802.11', LinkType.Ppi, frame(ppi(105, 24), ieee80211(), snap(), ...inner)],
  ['PPI with Ethernet', LinkType.Ppi, frame(ppi(1), ethernet(), vlan(5), ...inner)],
  ['NFLOG', LinkType.NfLog, frame(nflog({ prefix: 'dropped' }), ...inner)],
  ['NFLOG, big-endian', LinkType.NfLog, frame(nflog({ bigEndian: true }), ...inner)],
  ['NFLOG of a bridge', LinkType.NfLog, frame(nflog({ family: 7 }), ...inner)],
  ['PFLOG', LinkType.PfLog, frame(pflog(), ...inner)],
  ['PFLOG of OpenBSD', LinkType.PfLog, frame(pflog({ bytes: 100 }), ...inner)],
  ['PFLOG of another length', LinkType.PfLog, frame(pflog({ bytes: 70 }), ...inner)],
  ['cooked LLC', LinkType.LinuxSll, frame(cooked({ etherType: 4 }), snap(), ...inner)],
  ['cooked radiotap', LinkType.LinuxSll, frame(cooked({ hardware: 803 }), radiotap(), ieee80211(), snap(), ...inner)],
  ['cooked 802.11', LinkType.LinuxSll2, frame(cooked2({ hardware: 801 }), ieee80211(), snap(), ...inner)],
  ['cooked Prism', LinkType.LinuxSll2, frame(cooked2({ hardware: 802 }), prism(), ieee80211(), snap(), ...inner)],
  ['cooked PPPoE', LinkType.LinuxSll, frame(cooked(), pppoe(), ppp(), ...inner)],
  ['cooked Ethernet', LinkType.LinuxSll2, frame(cooked2(), ethernet(), ...inner)],
];

const IPV6_CASES: readonly Case[] = [
  ['MPLS', LinkType.Ethernet, frame(ethernet(), mpls(29), ...inner6)],
  ['PPPoE', LinkType.Ethernet, frame(ethernet(), pppoe(), ppp(), ...inner6)],
  ['service header', LinkType.Ethernet, frame(ethernet(), serviceHeader(2, 2), ...inner6)],
  ['SNAP', LinkType.Ethernet, frame(ethernet8023(), snap(), ...inner6)],
  ['NFLOG', LinkType.NfLog, frame(nflog(), ...inner6)],
  ['PFLOG of OpenBSD', LinkType.PfLog, frame(pflog({ bytes: 100, family: 24 }), ...inner6)],
  ['PFLOG of FreeBSD', LinkType.PfLog, frame(pflog({ family: 28 }), ...inner6)],
  ['PFLOG of Darwin', LinkType.PfLog, frame(pflog({ family: 30 }), ...inner6)],
  ['802.11', LinkType.Ieee80211, frame(ieee80211(), snap(), ...inner6)],
];

describe('layers below IP', () => {
  it.each(IPV4_CASES)('%s', (_, linkType, bytes) => {
    expect(decoded(bytes, { linkType })).toMatchObject(expected);
  });

  it.each(IPV6_CASES)('%s with IPv6', (_, linkType, bytes) => {
    expect(decoded(bytes, { linkType })).toMatchObject({ ...expected6, ipVersion: 6 });
  });

  it.each([...IPV4_CASES, ...IPV6_CASES])('%s, cut anywhere, ends in a flow or by name', (_, linkType, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      const { drop, src3 } = decoded(bytes.subarray(0, length), { linkType, wireBytes: bytes.length });
      if (drop === '') expect([0x0a000001, 1]).toContain(src3);
    }
  });

  it('keeps the topmost label, and no addresses', () => {
    const labelled = decoded(frame(ethernet(), mpls(0xfffff, 17), ...inner));
    expect(labelled).toMatchObject({ tunnel: 'mpls', tunnelId: 0xfffff, hasTunnelId: 1, tunnelIpVersion: 0 });
    expect(decoded(frame(ethernet(), pppoe(), ppp(), ...inner)).tunnel).toBe('');
  });

  it('keeps the VLAN id that a pseudowire carries where there is none outside', () => {
    expect(decoded(frame(ethernet(), mpls(16), ethernet(), vlan(7), ...inner)).vlanId).toBe(7);
    expect(decoded(frame(ethernet(), vlan(4), mpls(16), ethernet(), vlan(7), ...inner)).vlanId).toBe(4);
  });

  it('follows 16 layers, each label and tag one of them', () => {
    const labels = mpls(...Array.from({ length: 15 }, () => 16));
    expect(decoded(frame(ethernet(), vlan(1), labels, ...inner))).toMatchObject(expected);
    expect(decoded(frame(ethernet(), vlan(1), vlan(2), labels, ...inner)).drop).toBe('layers_too_many');
    expect(decoded(frame(ethernet(), mpls(...Array.from({ length: 300 }, () => 16)), ...inner)).drop).toBe('layers_too_many');
  });
});

const ether = (etherType: number): Uint8Array => frame(ethernet({ etherType }), new Uint8Array(46));
const ieee8023 = (...layers: readonly (Layer | Uint8Array)[]): Uint8Array => frame(ethernet8023(), ...layers);

describe('what is no IP', () => {
  it.each<Case>([
    ['rarp', LinkType.Ethernet, ether(0x8035)],
    ['slow_protocol', LinkType.Ethernet, ether(0x8809)],
    ['loop_test', LinkType.Ethernet, ether(0x9000)],
    ['macsec', LinkType.Ethernet, ether(0x88e5)],
    ['ptp', LinkType.Ethernet, ether(0x88f7)],
    ['wake_on_lan', LinkType.Ethernet, ether(0x0842)],
    ['homeplug', LinkType.Ethernet, ether(0x88e1)],
    ['homeplug', LinkType.Ethernet, ether(0x8912)],
    ['ieee1905', LinkType.Ethernet, ether(0x893a)],
    ['ipx', LinkType.Ethernet, ether(0x8137)],
    ['pppoe', LinkType.Ethernet, ether(0x8863)],
    ['not_ip', LinkType.Ethernet, ether(0xffff)],
    ['not_ip', LinkType.Ethernet, ether(0x88be)],
    ['stp', LinkType.Ethernet, ieee8023(llc(0x42), new Uint8Array(35))],
    ['stp', LinkType.Ethernet, ieee8023(snap({ organization: 0x0c, type: 0x010b }))],
    ['cdp', LinkType.Ethernet, ieee8023(snap({ organization: 0x0c, type: 0x2000 }))],
    ['arp', LinkType.Ethernet, ieee8023(snap({ type: 0x0806 }))],
    ['llc', LinkType.Ethernet, ieee8023(snap({ organization: 0x123456, type: 0x0800 }))],
    ['llc', LinkType.Ethernet, ieee8023(snap({ type: 4 }))],
    ['llc', LinkType.Ethernet, ieee8023(llc(0xf0))],
    ['llc', LinkType.Ethernet, ieee8023(llc(0xfe), Uint8Array.of(0x81))],
    ['isis', LinkType.Ethernet, ieee8023(llc(0xfe), Uint8Array.of(0x83))],
    ['ipx', LinkType.Ethernet, ieee8023(llc(0xe0))],
    ['ipx', LinkType.Ethernet, ieee8023(llc(0xff))],
    ['link_truncated', LinkType.Ethernet, ieee8023(Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0, 8))],
    ['link_truncated', LinkType.Ethernet, ieee8023(Uint8Array.of(0xaa, 0xaa))],
    ['mpls', LinkType.Ethernet, frame(ethernet(), mpls(16))],
    ['mpls', LinkType.Ethernet, frame(ethernet(), mpls(16), Uint8Array.of(0x10, 0, 0, 7), new Uint8Array(40))],
    ['mpls', LinkType.Ethernet, frame(ethernet(), mpls(16), ethernet({ etherType: 0x0806 }), new Uint8Array(28))],
    ['pppoe', LinkType.Ethernet, frame(ethernet(), pppoe({ version: 0x21 }), ppp(), ...inner)],
    ['pppoe', LinkType.Ethernet, frame(ethernet(), pppoe({ code: 0xa7 }), ppp(), ...inner)],
    ['ppp', LinkType.Ethernet, frame(ethernet(), pppoe(), ppp({ protocol: 0xc021 }), new Uint8Array(20))],
    ['ppp', LinkType.Ppp, frame(ppp({ protocol: 0x00fd }), new Uint8Array(20))],
    ['link_truncated', LinkType.Ethernet, frame(ethernet({ etherType: 0x8864 }), new Uint8Array(5))],
    ['link_truncated', LinkType.Ppp, Uint8Array.of(0xff, 3)],
    ['link_truncated', LinkType.Ppp, Uint8Array.of(0xff, 3, 0)],
    ['link_truncated', LinkType.CiscoHdlc, Uint8Array.of(0x0f, 0, 8)],
    ['not_ip', LinkType.CiscoHdlc, Uint8Array.of(0x0f, 0, 0, 3, 1, 2, 3)],
    // A keep-alive of SLARP has the number of reverse ARP.
    ['not_ip', LinkType.CiscoHdlc, join(Uint8Array.of(0x8f, 0, 0x80, 0x35, 0, 0, 0, 2), new Uint8Array(14))],
    ['not_ip', LinkType.PppHdlc, join(Uint8Array.of(0x0f, 0, 0x80, 0x35, 0, 0, 0, 0), new Uint8Array(14))],
    ['not_ip', LinkType.Ethernet, frame(ethernet(), serviceHeader(6, 2), ...inner)],
    ['not_ip', LinkType.Ethernet, frame(ethernet(), serviceHeader(1, 1), ...inner)],
    ['link_truncated', LinkType.Ethernet, frame(ethernet(), serviceHeader(1, 63)).subarray(0, 60)],
    ['link_truncated', LinkType.Ethernet, frame(ethernet(), typedTag(0x8926, 6)).subarray(0, 19)],
    ['wlan_management', LinkType.Ieee80211, wlan({ type: 0, subtype: 8 })],
    ['wlan_control', LinkType.Ieee80211, wlan({ type: 1, subtype: 13 }).subarray(0, 10)],
    ['not_ip', LinkType.Ieee80211, wlan({ type: 3 })],
    ['wlan_no_data', LinkType.Ieee80211, wlan({ subtype: 4 })],
    ['wlan_no_data', LinkType.Ieee80211, wlan({ subtype: 12 })],
    ['wlan_protected', LinkType.Ieee80211, wlan({ flags: 0x41 })],
    ['wlan_fragment', LinkType.Ieee80211, wlan({ fragmentNumber: 1 })],
    ['eapol', LinkType.Ieee80211, frame(ieee80211(), snap({ type: 0x888e }))],
    ['link_truncated', LinkType.Ieee80211, new Uint8Array(1)],
    ['link_truncated', LinkType.Ieee80211, wlan().subarray(0, 23)],
    ['link_truncated', LinkType.Ieee80211Radiotap, frame(radiotap({ bytes: 7 }), ieee80211(), snap(), ...inner)],
    ['link_truncated', LinkType.Ieee80211Radiotap, frame(radiotap({ bytes: 5000 }), ieee80211(), snap(), ...inner)],
    ['link_truncated', LinkType.Ieee80211Prism, new Uint8Array(143)],
    ['link_truncated', LinkType.Ieee80211Avs, Uint8Array.of(0x80, 0x21, 0x10, 1, 0, 0, 0, 7, 8, 1, 0, 0)],
    ['link_truncated', LinkType.Ppi, frame(ppi(192), ppi(105), ieee80211(), snap(), ...inner)],
    ['link_type_unsupported', LinkType.Ppi, frame(ppi(0xffffffff), ...inner)],
    ['link_truncated', LinkType.Ppi, new Uint8Array(8)],
    ['not_ip', LinkType.NfLog, frame(nflog({ etherType: 0x0806, family: 3 }), ...inner).fill(9, 1, 2)],
    ['arp', LinkType.NfLog, frame(nflog({ etherType: 0x0806, family: 3 }), ...inner)],
    ['not_ip', LinkType.NfLog, frame(nflog({ etherType: 3, family: 3 }), ...inner)],
    ['not_ip', LinkType.NfLog, Uint8Array.of(2, 0, 0, 0, 3, 0, 1, 0, 0, 0)],
    ['link_truncated', LinkType.NfLog, Uint8Array.of(2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 0, 0)],
    ['not_ip', LinkType.PfLog, frame(pflog({ family: 17 }), ...inner)],
    ['link_truncated', LinkType.PfLog, Uint8Array.of(61)],
    ['link_truncated', LinkType.PfLog, frame(pflog(), ...inner).subarray(0, 63)],
    ['link_truncated', LinkType.PfLog, frame(pflog(), ...inner).fill(0, 0, 1)],
    ['not_ip', LinkType.LinuxSll, frame(cooked({ hardware: 824, etherType: 0 }), new Uint8Array(30))],
    ['not_ip', LinkType.LinuxSll, frame(cooked({ etherType: 0x0c }), new Uint8Array(30))],
    ['ipx', LinkType.LinuxSll, frame(cooked({ etherType: 1 }), new Uint8Array(30))],
  ])('is counted as %s', (reason, linkType, bytes) => {
    expect(decoded(bytes, { linkType }).drop).toBe(reason);
  });
});

describe('from the capture to the flow', () => {
  it('PFLOG makes one flow of both directions', () => {
    const rig = new ParseRig().feed(frame(pflog(), ...inner), 1, { linkType: LinkType.PfLog });
    const answer = frame(pflog({ bytes: 100 }), ipv4({ src: '10.0.0.2', dst: '10.0.0.1' }), udp({ srcPort: 53, dstPort: 5000 }));
    rig.feed(answer, 2, { linkType: LinkType.PfLog }).finish();
    expect(rig.flows()).toMatchObject([{ src: '10.0.0.1 5000', dst: '10.0.0.2 53', packets: [1, 1], ipBytes: [33, 28] }]);
  });

  it('a keep-alive of Cisco HDLC is no device that asks for its address', () => {
    const keepAlive = join(Uint8Array.of(0x8f, 0, 0x80, 0x35, 0, 0, 0, 2), new Uint8Array(14));
    const rig = new ParseRig().feed(keepAlive, 1, { linkType: LinkType.CiscoHdlc }).finish();
    expect([rig.block.drops(), rig.flows(), rig.devices()]).toEqual([{ not_ip: 1 }, [], []]);
  });
});
