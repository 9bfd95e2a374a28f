import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  addSums,
  captureNames,
  capturePath,
  expectedFlows,
  expectedPackets,
  expectedTrouble,
  hasCaptures,
  pairKey,
  type Sums,
} from '../helpers/captures.js';
import { replay, temporaryDirectory } from '../helpers/daemon.js';

/** Settings under which flows are whole-file 5-tuples. */
const WHOLE_FILE = ['--idle-timeout', '0', '--active-timeout', '0', '--flows-active-max', '10000'];

/** The IP header that makes the flow, as the expected results are named, and the settings that make it so. */
const VIEWS = { outer: ['--no-decap', '--no-join-fragments'], inner: ['--decap', '--no-join-fragments'] } as const;

/**
 * Where we read the packet otherwise than tshark 4.0 does, and why. The key is what tshark has, the value what we have.
 * - IPv6 fragments: tshark puts them together and shows the whole under its last fragment; the others have protocol 44. Ours have
 *   the protocol that the fragment header names.
 * - Destination options before an IP header, and that not followed: tshark names the protocol of the fixed header, 60; ours is what
 *   the options carry.
 */
const READ_OTHERWISE: Record<string, Record<string, string>> = {
  'pcapplusplus__ip6_fragments.pcap': {
    [pairKey('fe80::21f:f3ff:fecd:f617', 0, 'ff02::fb', 0, 44)]: pairKey('fe80::21f:f3ff:fecd:f617', 0, 'ff02::fb', 0, 17),
    [pairKey('fe80::2c23:b96c:78d:e116', 0, 'ff02::c', 0, 44)]: pairKey('fe80::2c23:b96c:78d:e116', 0, 'ff02::c', 0, 17),
  },
  'arkime__arkime_synthetic.pcap': {
    [pairKey('2001:db8:900::1', 0, '2001:db8:900::2', 0, 60)]: pairKey('2001:db8:900::1', 0, '2001:db8:900::2', 0, 4),
    [pairKey('2001:db8:901::1', 0, '2001:db8:901::2', 0, 60)]: pairKey('2001:db8:901::1', 0, '2001:db8:901::2', 0, 41),
  },
};

/** Later fragments in a capture; tshark's results have 0 for those of IPv6. */
const LATER_FRAGMENTS: Record<string, number> = {
  'pcapplusplus__ip4_fragments.pcap': 41,
  'pcapplusplus__ip6_fragments.pcap': 32,
  'zeek__gtp-gtp1_gn_normal_incl_fragmentation.pcap': 36,
};

/** Outermost tunnels of the flows of a capture: type, id and addresses as tshark shows them. */
const TUNNELS: Record<string, readonly string[]> = {
  'arkime__arkime_synthetic.pcap': [
    '4in6 2001:db8:900::1 2001:db8:900::2',
    '6in6 2001:db8:901::1 2001:db8:901::2',
    'ah 0 10.0.32.100 10.0.32.1',
    'geneve 0 10.0.36.100 10.0.36.1',
    'geneve 1193046 10.222.222.10 10.222.222.20',
    'geneve 54321 10.5.9.100 10.5.9.1',
    'gre 10.0.19.100 10.0.19.1',
    'gre 10.5.4.100 10.5.4.1',
    'gtp_u 305419896 10.0.35.100 10.0.35.1',
    'mpls 100',
    'vxlan 12345 10.0.23.100 10.0.23.1',
    'vxlan 12345 10.5.3.100 10.5.3.1',
    'vxlan_gpe 54321 10.40.9.1 10.40.9.100',
  ],
  'zeek__gtp-gtp1_gn_normal_incl_fragmentation.pcap': ['gtp_u 2355215926 239.114.155.111 63.94.149.181'],
  'zeek__mixed-vlan-mpls.pcap': ['mpls 29'],
  'zeek__pppoe.pcap': [],
  'zeek__tunnels-geneve.pcap': ['geneve 0 20.0.0.1 20.0.0.2'],
  'zeek__tunnels-gre-sample.pcap': ['gre 172.27.1.66 66.59.109.137'],
  'zeek__tunnels-vxlan.pcap': ['vxlan 123 192.168.56.11 192.168.56.12'],
};

/** Frames that capinfos counts and that hold no packet: pcapng custom blocks, of which Wireshark makes frames. */
const NO_PACKETS: Record<string, number> = { 'pcapng__be-test102.pcapng': 3 };

/** Files that are no captures, with the error that says so. */
const REFUSED: Record<string, string> = { 'libpcap__pcap-invalid-version-1.pcap': 'INPUT_NOT_A_CAPTURE' };

function storedFlows(path: string): Map<string, Sums> {
  const database = new Database(path, { readonly: true });
  const flows = new Map<string, Sums>();
  const rows = database.prepare('SELECT * FROM flow_view').all() as Record<string, number & string>[];
  for (const row of rows) {
    const number = (column: string): number => row[column] as number;
    const key = pairKey(
      row['src_ip'] as string,
      number('src_port'),
      row['dst_ip'] as string,
      number('dst_port'),
      number('protocol'),
    );
    addSums(flows, key, [
      number('src_packets') + number('dst_packets'),
      number('src_bytes') + number('dst_bytes'),
      number('src_wire_bytes') + number('dst_wire_bytes'),
    ]);
  }
  database.close();
  return flows;
}

/** Sums by pair of hosts, whatever their ports and protocol. */
function byHosts(flows: Map<string, Sums>): Map<string, Sums> {
  const hosts = new Map<string, Sums>();
  for (const [key, sums] of flows) addSums(hosts, key.replace(/ protocol .*/, '').replaceAll(/ \d+(?= <->|$)/g, ''), sums);
  return hosts;
}

const sorted = (flows: Map<string, Sums>): [string, Sums][] => [...flows].sort(([a], [b]) => (a < b ? -1 : 1));
const packetsOf = (flows: Map<string, Sums>): number => [...flows.values()].reduce((sum, [packets]) => sum + packets, 0);

const readable = captureNames.filter((name) => !REFUSED[name]);
const views = Object.keys(VIEWS) as (keyof typeof VIEWS)[];

describe.skipIf(!hasCaptures)('real captures, compared with tshark (needs the folder of captures beside the project)', () => {
  it.each(views.flatMap((view) => readable.map((name) => [name, view] as const)))('%s: %s 5-tuples', async (name, view) => {
    const database = join(temporaryDirectory(), 'flows.db');
    const { json, exitCode } = await replay([capturePath(name), '--db', database, ...WHOLE_FILE, ...VIEWS[view]]);
    expect(exitCode).toBe(0);
    expect(json.packets.received).toBe(expectedPackets(name) - (NO_PACKETS[name] ?? 0));
    expect(json.packets.difference).toBe(0);
    const stored = storedFlows(database);
    expect(packetsOf(stored)).toBe(json.packets.in_flows);
    const expected = new Map([...expectedFlows(name, view)].map(([key, sums]) => [READ_OTHERWISE[name]?.[key] ?? key, sums]));
    expect(sorted(stored)).toEqual(sorted(expected));
  });

  it.each(Object.entries(LATER_FRAGMENTS))(
    '%s: all of its %i later fragments join, and the sums stay',
    async (name, fragments) => {
      const database = join(temporaryDirectory(), 'flows.db');
      const { json } = await replay([capturePath(name), '--db', database, ...WHOLE_FILE, '--no-decap']);
      expect(json.fragments).toEqual({ joined: fragments, unknown: 0 });
      const stored = storedFlows(database);
      expect(sorted(byHosts(stored))).toEqual(sorted(byHosts(expectedFlows(name, 'outer'))));
      const expected = [...expectedFlows(name, 'outer').keys()].filter((key) => !/ 0 <-> \S+ 0 protocol/.test(key));
      expect([...stored.keys()].sort()).toEqual(expected.sort());
    },
  );

  it.each(Object.entries(TUNNELS))('%s: outermost tunnels', async (name, expected) => {
    const path = join(temporaryDirectory(), 'flows.db');
    await replay([capturePath(name), '--db', path, ...WHOLE_FILE]);
    const database = new Database(path, { readonly: true });
    const tunnels = database
      .prepare<[], string>(
        `SELECT DISTINCT concat_ws(' ', tunnel_type, tunnel_id, tunnel_src_ip, tunnel_dst_ip) AS tunnel
         FROM flow_view WHERE tunnel_type IS NOT NULL ORDER BY tunnel`,
      )
      .pluck()
      .all();
    database.close();
    expect(tunnels).toEqual(expected);
  });

  it.each(captureNames.filter((name) => expectedTrouble(name).some((count) => count > 0)))(
    '%s: retransmissions and reordering',
    async (name) => {
      const path = join(temporaryDirectory(), 'flows.db');
      await replay([capturePath(name), '--db', path, ...WHOLE_FILE]);
      const database = new Database(path, { readonly: true });
      const sums = 'sum(src_retransmits + dst_retransmits) retransmits, sum(src_out_of_order + dst_out_of_order) reordered';
      const { retransmits, reordered } = database.prepare(`SELECT ${sums} FROM flow_view`).get() as Record<string, number>;
      database.close();
      expect([retransmits, reordered]).toEqual(expectedTrouble(name));
    },
  );

  it.each(Object.entries(REFUSED))('%s is refused with %s', async (name, code) => {
    const database = join(temporaryDirectory(), 'flows.db');
    const { exitCode, stderr } = await replay([capturePath(name), '--db', database, ...WHOLE_FILE]);
    expect(exitCode).toBeGreaterThan(0);
    expect(stderr).toContain(code);
  });
});
