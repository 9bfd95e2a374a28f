import { describe, expect, it } from 'vitest';
import { communityId } from '../../src/store/community-id.js';
import { type Baseline, type BaselineFlow, flowKey, readBaselines } from '../helpers/baselines.js';
import { captureFrames, frameUs } from '../helpers/capture-frames.js';
import { capturePath, hasCaptures } from '../helpers/captures.js';
import { type EmittedFlow, ParseRig } from '../helpers/parse-rig.js';

/** A 5-tuple with its packets and bytes. */
type Counted = readonly [a: string, portA: number, b: string, portB: number, protocol: number, packets: number, bytes: number];

/** Flows of theirs that are other flows to us, and why. Both sides are checked, so an exception that is no longer true fails. */
interface Exception {
  readonly why: string;
  readonly theirs: readonly Counted[];
  readonly ours: readonly Counted[];
}

const [TCP, UDP, ICMP, IP_IN_IP, IPV6_IN_IP, AH] = [6, 17, 1, 4, 41, 51];

const FLOW_EXCEPTIONS: Readonly<Record<string, readonly Exception[]>> = {
  'arkime__arkime_synthetic.pcap': [
    {
      why: 'a datagram whose UDP length is 0: arkime calls it corrupt and leaves out its ports, which are there',
      theirs: [
        ['10.9.8.1', 40_100, '10.9.8.2', 9_999, UDP, 1, 58],
        ['10.9.8.1', 0, '10.9.8.2', 0, UDP, 1, 58],
      ],
      ours: [['10.9.8.1', 40_100, '10.9.8.2', 9_999, UDP, 2, 116]],
    },
    {
      why: 'destination options of 2,048 bytes before an IPv4 header: arkime reads no further, the packet inside is whole',
      theirs: [['2001:db8:900::1', 0, '2001:db8:900::2', 0, IP_IN_IP, 1, 2138]],
      ours: [['10.9.10.1', 40_200, '10.9.10.2', 40_201, UDP, 1, 2138]],
    },
    {
      why: 'the same before an IPv6 header',
      theirs: [['2001:db8:901::1', 0, '2001:db8:901::2', 0, IPV6_IN_IP, 1, 2158]],
      ours: [['2001:db8:902::1', 40_300, '2001:db8:902::2', 40_301, UDP, 1, 2158]],
    },
    {
      why: 'arkime puts the messages of a DHCP transaction together, whatever their addresses',
      theirs: [['0.0.0.0', 68, '255.255.255.255', 67, UDP, 3, 945]],
      ours: [
        ['0.0.0.0', 68, '255.255.255.255', 67, UDP, 2, 629],
        ['192.168.1.1', 67, '192.168.1.100', 68, UDP, 1, 316],
      ],
    },
    {
      why: 'AH in tunnel mode: arkime does not look inside',
      theirs: [['10.0.32.100', 0, '10.0.32.1', 0, AH, 1, 86]],
      ours: [['192.168.3.1', 0, '192.168.3.2', 0, ICMP, 1, 86]],
    },
    {
      why: 'ERSPAN as an EtherType of its own, which it is behind GRE only: not_ip to us, as to tshark',
      theirs: [['192.168.4.1', 0, '192.168.4.2', 0, ICMP, 1, 64]],
      ours: [],
    },
    {
      why: 'VXLAN-GPE: arkime knows it by the destination port only, so not in the answer',
      theirs: [
        ['192.0.2.10', 12_345, '192.0.2.20', 53, UDP, 1, 90],
        ['10.40.9.1', 40_000, '10.40.9.100', 4_790, UDP, 1, 90],
      ],
      ours: [['192.0.2.10', 12_345, '192.0.2.20', 53, UDP, 2, 180]],
    },
    {
      why: 'GENEVE: the same',
      theirs: [
        ['10.111.111.10', 5_353, '10.111.111.20', 53, UDP, 1, 121],
        ['10.222.222.10', 12_345, '10.222.222.20', 6_081, UDP, 1, 137],
      ],
      ours: [['10.111.111.10', 5_353, '10.111.111.20', 53, UDP, 2, 258]],
    },
  ],
  'zeek__gtp-gtp1_gn_normal_incl_fragmentation.pcap': [
    {
      why: 'Zeek looks into whole datagrams only, and 4 of 36 have no last fragment in the file; ours are counted by their first one',
      theirs: [['10.131.47.185', 1_923, '79.101.110.141', 80, TCP, 68, 55_798]],
      ours: [['10.131.47.185', 1_923, '79.101.110.141', 80, TCP, 72, 61_718]],
    },
    {
      why: 'later fragments are packets of the tunnel to us, as they show no inner header',
      theirs: [],
      ours: [['239.114.155.111', 2_152, '63.94.149.181', 2_152, UDP, 36, 1_296]],
    },
  ],
  'zeek__wikipedia.pcap': [
    {
      why: 'the test of Zeek that this log is of narrows the capture filter to port 80 after one packet, and to port 53 after two',
      theirs: [['141.142.220.118', 35_634, '208.80.152.2', 80, TCP, 1, 515]],
      ours: [['141.142.220.118', 35_634, '208.80.152.2', 80, TCP, 3, 969]],
    },
  ],
};

const TUNNEL_EXCEPTIONS: Readonly<Record<string, readonly Exception[]>> = {
  'zeek__gtp-gtp1_gn_normal_incl_fragmentation.pcap': [
    {
      why: 'Zeek counts datagrams: 36 later fragments have no header of their own to it (720 bytes), 4 it could not complete (6,000)',
      theirs: [['239.114.155.111', 2_152, '63.94.149.181', 2_152, UDP, 68, 58_246]],
      ours: [['239.114.155.111', 2_152, '63.94.149.181', 2_152, UDP, 108, 64_966]],
    },
  ],
};

/** Captures of which their program shows a part, so that what else we have is not held against the baseline. */
const PARTIAL: Readonly<Record<string, string>> = {
  'zeek__wikipedia.pcap': 'the capture filter, see above',
  'ipfixprobe__tls.pcap': 'its TLS plugin writes no row for the QUIC flow',
};

/** Community IDs that are others, and why. */
const ID_EXCEPTIONS: Readonly<Record<string, { readonly why: string; readonly theirs: string; readonly ours: string }>> = {
  [flowKey('10.0.33.100', 0, '10.0.33.1', 0, 50)]: {
    why: 'ESP has no ports, so by the specification none are hashed; arkime hashes two zeros',
    theirs: '1:9uNdsDdNvLKTmin0AyKIJEYCe2Y=',
    ours: '1:g7cWiPuCQhtYmQkHTXyxKPSJVWY=',
  },
};

/** Flows whose ClientHello is read by them and not by us, and why. */
const NAME_EXCEPTIONS: Readonly<Record<string, string>> = {
  [flowKey('10.20.17.1', 443, '10.20.17.100', 49_900, UDP)]: 'the ClientHello of DTLS: no name is read from it, and it has none',
};

const NO_TIMEOUTS = {
  'flow.active-max': 2000,
  'flow.idle-tcp-s': 0,
  'flow.idle-udp-s': 0,
  'flow.idle-other-s': 0,
  'flow.active-s': 0,
  'flow.tcp-linger-s': 0,
};

interface OurFlow {
  packets: number;
  ipBytes: number;
  wireBytes: number;
  communityId: string | null;
  serverName: string | null;
  ja4: string | null;
}

const splitEndpoint = (text: string): { ip: string; port: number } => {
  const [ip = '', port] = text.split(' ');
  return { ip, port: Number(port) };
};

/** All flows of a capture by 5-tuple, through the parse stage, without timeouts. */
function ourFlows(name: string, decap: boolean): Map<string, OurFlow> {
  const rig = new ParseRig({ ...NO_TIMEOUTS, 'flow.decap': decap });
  const emitted: EmittedFlow[] = [];
  for (const frame of captureFrames(capturePath(name))) {
    const { linkType, wireBytes, interfaceIndex } = frame;
    rig.feed(frame.bytes, frameUs(frame), { linkType, wireBytes, interfaceIndex });
    emitted.push(...rig.flows());
  }
  emitted.push(...rig.finish().flows());
  const flows = new Map<string, OurFlow>();
  for (const { protocol, icmp, packets, ipBytes, wireBytes, details, ...ends } of emitted) {
    const [src, dst] = [splitEndpoint(ends.src), splitEndpoint(ends.dst)];
    const isIcmp = protocol === 1 || protocol === 58;
    const ports = isIcmp ? { srcPort: icmp >> 8, dstPort: icmp & 0xff } : { srcPort: src.port, dstPort: dst.port };
    const key = flowKey(src.ip, src.port, dst.ip, dst.port, protocol);
    const flow = flows.get(key) ?? { packets: 0, ipBytes: 0, wireBytes: 0, communityId: null, serverName: null, ja4: null };
    flow.packets += packets[0] + packets[1];
    flow.ipBytes += ipBytes[0] + ipBytes[1];
    flow.wireBytes += wireBytes[0] + wireBytes[1];
    flow.communityId ??= communityId({ protocol, src: src.ip, dst: dst.ip, ...ports });
    flow.serverName ??= details['sni'] ?? details['quicSni'] ?? null;
    flow.ja4 ??= details['ja4'] ?? null;
    flows.set(key, flow);
  }
  return flows;
}

const entryOf = ([a, portA, b, portB, protocol, packets, bytes]: Counted): [string, string] => [
  flowKey(a, portA, b, portB, protocol),
  countText(packets, bytes),
];
const countText = (packets: number, bytes: number): string => `${packets} packets, ${bytes} bytes`;

/** Their flows as ours should be, once what is an exception is put right. */
function expectedOf(theirs: ReadonlyMap<string, BaselineFlow>, exceptions: readonly Exception[] = []): Map<string, string> {
  const expected = new Map([...theirs].map(([key, { packets, bytes }]) => [key, countText(packets, bytes)]));
  for (const { why, theirs: left, ours: right } of exceptions) {
    for (const [key, text] of left.map(entryOf)) {
      expect(expected.get(key), `baseline of the exception: ${why}`).toBe(text);
      expected.delete(key);
    }
    for (const [key, text] of right.map(entryOf)) expected.set(key, text);
  }
  return expected;
}

function countsOf(flows: ReadonlyMap<string, OurFlow>, counts: Baseline['counts'], keys: ReadonlySet<string> | null) {
  const kept = [...flows].filter(([key]) => keys === null || keys.has(key));
  return sorted(new Map(kept.map(([key, flow]) => [key, countText(flow.packets, flow[counts])])));
}

const sorted = (entries: ReadonlyMap<string, string>): [string, string][] => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

const baselines = readBaselines();

describe.skipIf(!hasCaptures)('what other programs recorded (needs the folder of captures beside the project)', () => {
  it('is there for captures of each of them', () => {
    expect(new Set(baselines.map(({ program }) => program))).toEqual(new Set(['Zeek', 'arkime', 'ipfixprobe']));
    expect(baselines.length).toBeGreaterThanOrEqual(18);
    const named = [...Object.keys(FLOW_EXCEPTIONS), ...Object.keys(TUNNEL_EXCEPTIONS), ...Object.keys(PARTIAL)];
    expect(named.filter((name) => !baselines.some(({ capture }) => capture === name))).toEqual([]);
  });

  it.each(baselines)('$program, $capture: packets and bytes of each 5-tuple', ({ capture, counts, flows }) => {
    const expected = expectedOf(flows, FLOW_EXCEPTIONS[capture]);
    const keys = PARTIAL[capture] ? new Set(expected.keys()) : null;
    expect(countsOf(ourFlows(capture, true), counts, keys)).toEqual(sorted(expected));
  });

  it.each(baselines.filter(({ tunnels }) => tunnels.size > 0))(
    '$program, $capture: packets and bytes of the tunnels',
    ({ capture, counts, tunnels }) => {
      const expected = expectedOf(tunnels, TUNNEL_EXCEPTIONS[capture]);
      expect(countsOf(ourFlows(capture, false), counts, new Set(expected.keys()))).toEqual(sorted(expected));
    },
  );

  it.each(baselines.filter(({ program }) => program === 'arkime'))('$program, $capture: Community IDs', ({ capture, flows }) => {
    const ours = ourFlows(capture, true);
    let compared = 0;
    for (const [key, { communityId: theirs }] of flows) {
      const our = ours.get(key);
      if (theirs === null || !our) continue;
      const exception = ID_EXCEPTIONS[key];
      if (exception) expect(theirs, exception.why).toBe(exception.theirs);
      expect(our.communityId, key).toBe(exception?.ours ?? theirs);
      compared++;
    }
    expect(compared).toBeGreaterThanOrEqual(Math.floor(flows.size * 0.9));
  });

  const withNames = baselines.filter(({ flows }) => [...flows.values()].some(({ serverName, ja4 }) => serverName ?? ja4));
  it.each(withNames)('$program, $capture: server names and JA4', ({ capture, flows }) => {
    const ours = ourFlows(capture, true);
    const named = [...flows].filter(([key, { serverName, ja4 }]) => (serverName ?? ja4) && !NAME_EXCEPTIONS[key]);
    for (const [key, why] of Object.entries(NAME_EXCEPTIONS)) expect(ours.get(key)?.ja4 ?? null, why).toBeNull();
    const namesOf = (flow: BaselineFlow | OurFlow | undefined): string => `${flow?.serverName} ${flow?.ja4}`;
    expect(named.map(([key]) => [key, namesOf(ours.get(key))])).toEqual(named.map(([key, flow]) => [key, namesOf(flow)]));
  });
});
