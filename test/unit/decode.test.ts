import { describe, expect, it } from 'vitest';
import { FragmentKind } from '../../src/wire/packet.js';
import { decoded } from '../helpers/decoded.js';
import {
  authentication,
  cooked,
  cooked2,
  ethernet,
  extension,
  fragment,
  frame,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  loopback,
  payload,
  tcp,
  udp,
  vlan,
} from '../helpers/frames.js';

const udpPorts = { srcPort: 5000, dstPort: 53 };
const expectedUdp = { drop: '', protocol: 17, srcPort: 5000, dstPort: 53, payloadBytes: 5 };

describe('link layers', () => {
  const inner = [ipv4(), udp(udpPorts), 'hello'] as const;

  it.each([
    ['Ethernet', 1, frame(ethernet(), ...inner)],
    ['802.1Q', 1, frame(ethernet(), vlan(7), ...inner)],
    ['802.1ad over 802.1Q', 1, frame(ethernet(), vlan(7, { tag: 0x88a8 }), vlan(9), ...inner)],
    ['three tags', 1, frame(ethernet(), vlan(7, { tag: 0x9100 }), vlan(9), vlan(11), ...inner)],
    ['raw IP', 101, frame(...inner)],
    ['raw IPv4', 228, frame(...inner)],
    ['raw IP of BSD', 12, frame(...inner)],
    ['loopback, little-endian', 0, frame(loopback(), ...inner)],
    ['loopback, big-endian', 0, frame(loopback({ bigEndian: true }), ...inner)],
    ['loopback with an EtherType', 0, frame(Uint8Array.of(0x0f, 0, 0x08, 0), ...inner)],
    ['LINKTYPE_LOOP', 108, frame(loopback({ bigEndian: true }), ...inner)],
    ['Linux cooked', 113, frame(cooked(), ...inner)],
    ['Linux cooked 2', 276, frame(cooked2(), ...inner)],
  ])('%s', (_, linkType, bytes) => {
    expect(decoded(bytes, { linkType })).toMatchObject(expectedUdp);
  });

  it.each([
    [0, 24],
    [0, 28],
    [0, 30],
    [0, 10],
    [101, 0],
    [229, 0],
  ])('IPv6 over link type %i, family %i', (linkType, family) => {
    const layers = [ipv6(), udp(udpPorts), 'hello'] as const;
    const bytes = linkType === 0 ? frame(loopback({ family }), ...layers) : frame(...layers);
    expect(decoded(bytes, { linkType })).toMatchObject({ ...expectedUdp, ipVersion: 6, ipBytes: 53 });
  });

  it('keeps the outermost VLAN id', () => {
    expect(decoded(frame(ethernet(), vlan(4095, { tag: 0x88a8, priority: 5 }), vlan(9), ...inner)).vlanId).toBe(4095);
    expect(decoded(frame(ethernet(), ...inner)).vlanId).toBe(0);
  });

  it.each([
    ['arp', 1, frame(ethernet({ etherType: 0x0806 }), new Uint8Array(28))],
    ['lldp', 1, frame(ethernet({ etherType: 0x88cc }), new Uint8Array(28))],
    ['eapol', 1, frame(ethernet({ etherType: 0x888e }), new Uint8Array(28))],
    ['mpls', 1, frame(ethernet({ etherType: 0x8847 }), new Uint8Array(28))],
    ['pppoe', 1, frame(ethernet({ etherType: 0x8864 }), new Uint8Array(28))],
    ['llc', 1, frame(ethernet({ etherType: 38 }), new Uint8Array(38))],
    ['not_ip', 1, frame(ethernet({ etherType: 0x1234 }), new Uint8Array(28))],
    ['not_ip', 0, frame(loopback({ family: 7 }), new Uint8Array(28))],
    ['not_ip', 101, Uint8Array.of(0x50, 0, 0, 0)],
    ['link_truncated', 1, new Uint8Array(13)],
    ['link_truncated', 0, new Uint8Array(3)],
    ['link_truncated', 101, new Uint8Array(0)],
    ['link_truncated', 113, new Uint8Array(15)],
    ['link_truncated', 276, new Uint8Array(19)],
    ['vlan_truncated', 1, frame(ethernet({ etherType: 0x8100 }), new Uint8Array(3))],
    ['layers_too_many', 1, frame(ethernet(), ...Array.from({ length: 17 }, () => vlan(1)), ...inner)],
    ['link_type_unsupported', 147, frame(ethernet(), ...inner)],
  ])('names what is no IP: %s on link type %i', (reason, linkType, bytes) => {
    expect(decoded(bytes, { linkType }).drop).toBe(reason);
  });

  it('follows 16 tags', () => {
    const tags = Array.from({ length: 16 }, () => vlan(1));
    expect(decoded(frame(ethernet(), ...tags, ...inner))).toMatchObject(expectedUdp);
  });
});

describe('IPv4', () => {
  it('counts the total length and leaves padding out', () => {
    const bytes = frame(ethernet({ bytesMin: 60 }), ipv4(), udp(udpPorts), 'hello');
    expect(bytes.length).toBe(60);
    expect(decoded(bytes)).toMatchObject({ ipBytes: 33, payloadBytes: 5, transportBytes: 13 });
  });

  it('skips options', () => {
    const options = Uint8Array.of(0x94, 4, 0, 0, 1, 1, 1, 1);
    expect(decoded(frame(ethernet(), ipv4({ options }), udp(udpPorts), 'hello'))).toMatchObject({ ...expectedUdp, ipBytes: 41 });
  });

  it('takes the length on the wire where the total length is 0, as a card that segments leaves it', () => {
    const bytes = frame(ethernet(), ipv4({ totalBytes: 0 }), tcp(), 'x'.repeat(3000));
    expect(decoded(bytes)).toMatchObject({ drop: '', ipBytes: 3040, payloadBytes: 3000 });
  });

  it('reads signed and unsigned addresses alike', () => {
    const packet = decoded(frame(ethernet(), ipv4({ src: '255.1.2.3', dst: '1.2.3.4' }), udp(udpPorts)));
    expect([packet.src3 >>> 0, packet.dst3]).toEqual([0xff010203, 0x01020304]);
  });

  it.each([
    ['ipv4_truncated', frame(ethernet(), ipv4(), udp()).subarray(0, 14 + 19)],
    ['ipv4_version', frame(ethernet(), ipv4({ version: 5 }), udp())],
    ['ipv4_header_length', frame(ethernet(), ipv4({ headerBytes: 16 }), udp())],
    ['ipv4_header_length', frame(ethernet(), ipv4({ totalBytes: 19 }), udp())],
  ])('refuses what is malformed: %s', (reason, bytes) => {
    expect(decoded(bytes).drop).toBe(reason);
  });

  it('gives later fragments no ports', () => {
    const later = frame(ethernet(), ipv4({ fragmentOffset: 8, protocol: 17 }), udp(udpPorts), 'hello');
    expect(decoded(later)).toMatchObject({
      drop: '',
      protocol: 17,
      srcPort: 0,
      dstPort: 0,
      fragment: FragmentKind.Later,
      payloadBytes: 13,
    });
    const first = frame(ethernet(), ipv4({ moreFragments: true }), udp(udpPorts), 'hello');
    expect(decoded(first)).toMatchObject({ srcPort: 5000, fragment: FragmentKind.First });
  });
});

describe('IPv6', () => {
  it('counts header and payload length, and follows extension headers', () => {
    const bytes = frame(
      ethernet(),
      ipv6(),
      extension(0),
      extension(60, { content: new Uint8Array(14) }),
      extension(43),
      udp(udpPorts),
      'hello',
    );
    expect(decoded(bytes)).toMatchObject({ ...expectedUdp, ipBytes: 40 + 8 + 16 + 8 + 13 });
  });

  it.each([
    ['mobility', 135],
    ['HIP', 139],
    ['shim6', 140],
  ])('takes %s without a next header for the message', (_, protocol) => {
    const bytes = frame(ethernet(), ipv6(), extension(60), extension(protocol, { content: new Uint8Array(14) }));
    expect(decoded(bytes)).toMatchObject({ drop: '', protocol, ipBytes: 40 + 8 + 16, payloadBytes: 16, srcPort: 0 });
    const leading = frame(ethernet(), ipv6(), extension(protocol), udp(udpPorts), 'hello');
    expect(decoded(leading)).toMatchObject({ ...expectedUdp, ipBytes: 40 + 8 + 13 });
  });

  it('takes other extension headers without a next header for a packet without payload', () => {
    expect(decoded(frame(ethernet(), ipv6(), extension(60)))).toMatchObject({ drop: '', protocol: 59, payloadBytes: 0 });
  });

  it('does not look behind the authentication header: it is a flow of its own protocol', () => {
    expect(decoded(frame(ethernet(), ipv6(), authentication(), udp(udpPorts)))).toMatchObject({ protocol: 51, srcPort: 0 });
  });

  it('gives later fragments no ports, and the first one its own', () => {
    const later = frame(ethernet(), ipv6(), fragment({ offset: 1232, nextHeader: 17 }), payload('x'.repeat(20)));
    expect(decoded(later)).toMatchObject({ drop: '', protocol: 17, srcPort: 0, fragment: FragmentKind.Later, payloadBytes: 20 });
    const first = frame(ethernet(), ipv6(), fragment({ more: true }), udp(udpPorts), 'hello');
    expect(decoded(first)).toMatchObject({ ...expectedUdp, fragment: FragmentKind.First });
  });

  it('takes what is on the wire where the length is 0 and more follows than it could say', () => {
    const big = decoded(frame(ethernet(), ipv6({ payloadBytes: 0 }), tcp(), 'x'.repeat(70_000)));
    expect(big).toMatchObject({ drop: '', ipBytes: 70_060, payloadBytes: 70_000, srcPort: 1000 });
    const cut = frame(ethernet(), ipv6({ payloadBytes: 0 }), tcp(), 'x');
    expect(decoded(cut, { wireBytes: 100_054 })).toMatchObject({ ipBytes: 100_040, payloadBytes: 99_980 });
  });

  it('takes a length of 0 as it is where no more follows than padding', () => {
    const bytes = frame(ethernet({ bytesMin: 60 }), ipv6());
    expect(decoded(bytes)).toMatchObject({ drop: '', protocol: 59, ipBytes: 40, payloadBytes: 0 });
  });

  it.each([
    ['can be', 70_000, 70_040],
    ['is longer than the frame: all that is on the wire', 200_000, 80_040],
    ['is too short for one: all that is on the wire', 65_535, 80_040],
  ])('reads the length of a jumbo payload that %s', (_, stated, ipBytes) => {
    const option = new Uint8Array(6);
    option.set([0xc2, 4]);
    new DataView(option.buffer).setUint32(2, stated);
    const bytes = frame(ethernet(), ipv6({ payloadBytes: 0 }), extension(0, { content: option }), udp(udpPorts));
    const whole = decoded(bytes, { wireBytes: 14 + 80_040 });
    expect(whole).toMatchObject({ drop: '', protocol: 17, srcPort: 5000, ipBytes, payloadBytes: ipBytes - 40 - 8 - 8 });
  });

  it('takes a fragment that is alone for a whole packet', () => {
    expect(decoded(frame(ethernet(), ipv6(), fragment(), udp(udpPorts), 'hello'))).toMatchObject({
      ...expectedUdp,
      fragment: FragmentKind.Whole,
    });
  });

  it('leaves a chain that is cut off to the fixed header', () => {
    const bytes = frame(ethernet(), ipv6(), extension(0), extension(43), udp(udpPorts)).subarray(0, 14 + 40 + 12);
    expect(decoded(bytes)).toMatchObject({ drop: '', protocol: 0, srcPort: 0, ipBytes: 64 });
  });

  it('ends a chain without end', () => {
    const chain = Array.from({ length: 129 }, () => extension(60));
    expect(decoded(frame(ethernet(), ipv6(), ...chain, udp(udpPorts)))).toMatchObject({ drop: '', protocol: 60 });
  });

  it.each([
    ['ipv6_truncated', frame(ethernet(), ipv6(), udp()).subarray(0, 14 + 39)],
    ['ipv6_version', frame(ethernet(), ipv6({ version: 4 }), udp())],
  ])('refuses what is malformed: %s', (reason, bytes) => {
    expect(decoded(bytes).drop).toBe(reason);
  });
});

describe('transport', () => {
  it('reads TCP flags and the payload behind the options', () => {
    const bytes = frame(ethernet(), ipv4(), tcp({ flags: 'SP.', options: new Uint8Array(8) }), 'hello');
    expect(decoded(bytes)).toMatchObject({ protocol: 6, tcpFlags: 0x1a, payloadBytes: 5 });
  });

  it('reads ICMP type and code', () => {
    expect(decoded(frame(ethernet(), ipv4(), icmp({ type: 3, code: 1 }), 'x'))).toMatchObject({ icmp: 0x0301, srcPort: 0 });
    expect(decoded(frame(ethernet(), ipv6(), icmpv6({ type: 129 }), 'xy'))).toMatchObject({ icmp: 0x8100, payloadBytes: 2 });
  });

  it('ends the payload of UDP where its length says, though the IP packet goes on', () => {
    const bytes = frame(ethernet(), ipv4(), udp({ ...udpPorts, length: 12 }), 'hellooptions');
    expect(decoded(bytes)).toMatchObject({ ...expectedUdp, payloadBytes: 4, ipBytes: 40, transportBytes: 12 });
    const cut = decoded(bytes.subarray(0, 44), { wireBytes: bytes.length });
    expect(cut).toMatchObject({ ...expectedUdp, payloadBytes: 4 });
    expect(cut.transportEnd - cut.transportOffset).toBe(10);
    const lite = payload(udp({ ...udpPorts, length: 12 }).build(new Uint8Array(12), undefined, undefined), { ipProtocol: 136 });
    expect(decoded(frame(ethernet(), ipv4(), lite))).toMatchObject({ protocol: 136, payloadBytes: 12 });
  });

  it.each([
    ['of 0, as cards leave it that segment', 0],
    ['that has no room for the header', 7],
    ['beyond the packet, as in a first fragment', 3000],
  ])('takes the length of IP for that of UDP where there is one %s', (_, length) => {
    const bytes = frame(ethernet(), ipv4({ moreFragments: length > 2000 }), udp({ ...udpPorts, length }), 'hello');
    expect(decoded(bytes)).toMatchObject({ ...expectedUdp, transportBytes: 13 });
  });

  it('reads the ports of SCTP', () => {
    const sctp = payload(Uint8Array.of(0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9), { ipProtocol: 132 });
    expect(decoded(frame(ethernet(), ipv4(), sctp))).toMatchObject({ protocol: 132, srcPort: 1, dstPort: 2, payloadBytes: 1 });
  });

  it.each([0, 1, 2, 3])('counts a packet that was cut after %i bytes of its transport header, with ports 0', (count) => {
    const bytes = frame(ethernet(), ipv4(), tcp({ srcPort: 1, dstPort: 2 }), 'hello');
    const cut = decoded(bytes.subarray(0, 34 + count), { wireBytes: bytes.length });
    expect(cut).toMatchObject({ drop: '', srcPort: 0, dstPort: 0, ipBytes: 45, payloadBytes: 5 });
  });

  it('keeps the ports of a header that was cut behind them', () => {
    const bytes = frame(ethernet(), ipv4(), tcp({ srcPort: 1, dstPort: 2 }), 'hello').subarray(0, 38);
    expect(decoded(bytes)).toMatchObject({ srcPort: 1, dstPort: 2, tcpFlags: 0 });
  });

  it('never counts a negative payload', () => {
    expect(decoded(frame(ethernet(), ipv4(), tcp({ headerBytes: 60 }))).payloadBytes).toBe(0);
  });
});
