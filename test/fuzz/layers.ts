import type { Random } from '../../bench/generate/random.js';
import { LinkType } from '../../src/wire/link-type.js';
import {
  authentication,
  cooked,
  cooked2,
  ethernet,
  extension,
  fragment,
  frame,
  icmp,
  ipv4,
  ipv6,
  type Layer,
  loopback,
  tcp,
  udp,
  vlan,
} from '../helpers/frames.js';
import { onceIn, pick, randomBytes } from '../helpers/mutate.js';
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

/** Headers around an IP packet, with the link type that announces them. */
interface Envelope {
  readonly linkType: LinkType;
  readonly layers: readonly Layer[];
}

const LINKS: readonly Envelope[] = [
  { linkType: LinkType.Ethernet, layers: [ethernet(), vlan(7)] },
  { linkType: LinkType.Ethernet, layers: [ethernet(), vlan(7, { tag: 0x88a8 }), vlan(8), vlan(9)] },
  { linkType: LinkType.Ethernet, layers: [ethernet(), mpls(16, 17)] },
  { linkType: LinkType.Ethernet, layers: [ethernet(), pppoe(), ppp()] },
  { linkType: LinkType.Ethernet, layers: [ethernet({ bytesMin: 60 })] },
  { linkType: LinkType.LinuxSll, layers: [cooked()] },
  { linkType: LinkType.LinuxSll2, layers: [cooked2()] },
  { linkType: LinkType.Null, layers: [loopback()] },
  { linkType: LinkType.Loop, layers: [loopback({ bigEndian: true })] },
  { linkType: LinkType.Raw, layers: [] },
  { linkType: LinkType.RawBsd, layers: [] },
  { linkType: LinkType.Ppp, layers: [ppp({ isFramed: true })] },
  { linkType: LinkType.PppHdlc, layers: [ppp({ isFramed: true })] },
  { linkType: LinkType.PppEther, layers: [pppoe(), ppp()] },
  { linkType: LinkType.Ieee80211, layers: [ieee80211({ subtype: 8 }), snap()] },
  { linkType: LinkType.Ieee80211Radiotap, layers: [radiotap({ hasTime: true }), ieee80211(), snap()] },
  { linkType: LinkType.Ieee80211Prism, layers: [prism(), ieee80211(), snap()] },
  { linkType: LinkType.Ppi, layers: [ppi(1, 8), ethernet()] },
  { linkType: LinkType.NfLog, layers: [nflog()] },
  { linkType: LinkType.PfLog, layers: [pflog()] },
];

const port = (dstPort: number): Layer => udp({ srcPort: 40_000, dstPort });

/** What may stand between the link and the packet. */
const TUNNELS: readonly (readonly Layer[])[] = [
  [ipv4()],
  [ipv6()],
  [ipv4(), gre({ key: 1, sequence: 2 })],
  [ipv4(), gre({ sequence: 2 }), erspan(2), ethernet()],
  [ipv4(), gre({ sequence: 2 }), erspan(3, { hasSubheader: true }), ethernet()],
  [ipv4(), pptp({ hasAcknowledgement: true }), ppp()],
  [ipv6(), etherIp(), ethernet()],
  [ipv4(), port(4789), vxlan(1), ethernet()],
  [ipv4(), port(4790), vxlan(1, { next: 4 }), serviceHeader(3), ethernet()],
  [ipv6(), port(6081), geneve(1, { optionBytes: 8 })],
  [ipv4(), port(2152), gtpU(1, { extensions: [1, 2] })],
  [ipv4(), port(3544), teredo({ authenticationBytes: 4, hasOrigin: true })],
  [ipv4(), port(1701), l2tp(1, 2, 0x4a00), ppp()],
  [ipv4(), port(5072), ayiya()],
  [ipv4(), port(5247), capwap({ words: 3 }), ethernet()],
  [ipv4(), port(4754), gre()],
  [ipv4(), port(6635), mpls(16)],
  [ipv4(), authentication()],
];

/** Headers that make no sense in most orders. */
const PIECES: readonly (readonly Layer[])[] = [
  ...TUNNELS,
  [ethernet()],
  [vlan(7)],
  [mpls(16, 17)],
  [mpls(16), ethernet()],
  [pppoe(), ppp()],
  [snap()],
  [cooked()],
  [serviceHeader(1)],
  [ipv4({ moreFragments: true })],
  [ipv4({ fragmentOffset: 64 })],
  [ipv4({ options: new Uint8Array(40) })],
  [ipv6(), extension(60)],
  [ipv6(), fragment({ more: true })],
  [ipv6({ payloadBytes: 0 }), extension(0, { content: Uint8Array.of(0xc2, 4, 0, 1, 0xff, 0xff) })],
  [icmp({ type: 3 }), ipv4(), udp()],
  [tcp({ flags: 'S' })],
  [udp()],
];

const LINK_TYPES = [...new Set(LINKS.map(({ linkType }) => linkType)), LinkType.Ieee80211Avs, LinkType.CiscoHdlc, LinkType.Ipv4];
const PIECES_MAX = 24;
const EXTENSIONS_MAX = 80;

/** How a conversation is wrapped: mostly plain Ethernet, else any link, and a tunnel in between once in a while. */
export function envelope(random: Random): Envelope {
  const link = onceIn(random, 4) ? pick(random, LINKS) : { linkType: LinkType.Ethernet, layers: [ethernet()] };
  return onceIn(random, 6) ? { linkType: link.linkType, layers: [...link.layers, ...pick(random, TUNNELS)] } : link;
}

/** Up to two dozen headers in any order, with any link type. */
export function stackedFrame(random: Random): { bytes: Uint8Array; linkType: number } {
  const linkType = onceIn(random, 3) ? pick(random, LINK_TYPES) : LinkType.Ethernet;
  const pieces = Array.from({ length: 1 + random.below(PIECES_MAX) }, () => pick(random, PIECES));
  const link = linkType === LinkType.Ethernet ? [ethernet()] : [];
  return { bytes: frame(...link, ...pieces.flat(), randomBytes(random, random.below(100))), linkType };
}

/** IPv6 with a long chain of extension headers, whose lengths are right for the most part. */
export function chainedFrame(random: Random): { bytes: Uint8Array; linkType: number } {
  const chain = Array.from({ length: 1 + random.below(EXTENSIONS_MAX) }, () => {
    if (onceIn(random, 8)) return fragment({ offset: random.below(3) * 8, more: onceIn(random, 2), id: random.below(4) });
    if (onceIn(random, 12)) return authentication();
    const length = onceIn(random, 20) ? { length: pick(random, [0, 1, 0x7f, 0xff]) } : {};
    return extension(pick(random, [0, 43, 60, 135, 139, 140]), {
      content: randomBytes(random, 6 + 8 * random.below(3)),
      ...length,
    });
  });
  return {
    bytes: frame(ethernet(), ipv6(), ...chain, udp({ dstPort: 53 }), randomBytes(random, 30)),
    linkType: LinkType.Ethernet,
  };
}
