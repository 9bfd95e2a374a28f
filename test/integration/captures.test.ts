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

/** Settings under which flows are whole-file 5-tuples of the outermost IP header. */
const WHOLE_FILE = [
  '--idle-timeout',
  '0',
  '--active-timeout',
  '0',
  '--flows-active-max',
  '10000',
  '--no-decap',
  '--no-join-fragments',
];

/** Expected 5-tuples that are decoded later than this version: the packets must be in these drop counters instead. */
const NOT_DECODED: Record<string, { readonly drops: readonly string[]; readonly packets: number }> = {
  'arkime__arkime_synthetic.pcap': { drops: ['mpls', 'pppoe', 'not_ip', 'llc'], packets: 4 },
  'zeek__mixed-vlan-mpls.pcap': { drops: ['mpls'], packets: 11 },
  'zeek__pppoe.pcap': { drops: ['pppoe'], packets: 25 },
  'zeek__radiotap.pcap': { drops: ['link_type_unsupported'], packets: 3 },
};

/**
 * Where we read the packet otherwise than tshark 4.0 does, and why. The key is what tshark has, the value what we have.
 * - IPv6 fragments: tshark puts them together and shows the whole under its last fragment; the others have protocol 44. Ours have
 *   the protocol that the fragment header names.
 * - Destination options before an IP header: tshark names the protocol of the fixed header, 60; ours is what the options carry.
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

describe.skipIf(!hasCaptures)('real captures, compared with tshark (needs the folder of captures beside the project)', () => {
  it.each(captureNames.filter((name) => !REFUSED[name]))('%s: outer 5-tuples', async (name) => {
    const database = join(temporaryDirectory(), 'flows.db');
    const { json, exitCode } = await replay([capturePath(name), '--db', database, ...WHOLE_FILE]);
    expect(exitCode).toBe(0);
    expect(json.packets.received).toBe(expectedPackets(name) - (NO_PACKETS[name] ?? 0));
    expect(json.packets.difference).toBe(0);
    const stored = storedFlows(database);
    expect([...stored.values()].reduce((sum, [packets]) => sum + packets, 0)).toBe(json.packets.in_flows);

    const expected = new Map([...expectedFlows(name, 'outer')].map(([key, sums]) => [READ_OTHERWISE[name]?.[key] ?? key, sums]));
    const missing = [...expected].filter(([key]) => !stored.has(key));
    const notDecoded = NOT_DECODED[name];
    if (notDecoded) {
      expect(missing.reduce((sum, [, [packets]]) => sum + packets, 0)).toBe(notDecoded.packets);
      const dropped = notDecoded.drops.reduce((sum, reason) => sum + (json.packets.dropped[reason] ?? 0), 0);
      expect(dropped).toBeGreaterThanOrEqual(notDecoded.packets);
      for (const [key] of missing) expected.delete(key);
    }
    expect(Object.fromEntries(stored)).toEqual(Object.fromEntries(expected));
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
