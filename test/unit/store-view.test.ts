import { describe, expect, it } from 'vitest';
import { EndReason, TcpState } from '../../src/ring/layout.js';
import { TunnelType } from '../../src/ring/tunnel-type.js';
import { type FlowSpec, flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';

const EMITTED_US = NOW_MS * 1000;

/** The row of `flow_view` that one flow becomes. */
function rowOf(spec: FlowSpec, interfaces: readonly string[] = ['eth0']): Record<string, unknown> {
  const rig = new WriterRig({ interfaces });
  rig.store([spec]);
  const rows = rig.query('SELECT * FROM flow_view');
  expect(rows).toHaveLength(1);
  return rows[0] as Record<string, unknown>;
}

const TCP: FlowSpec = flow({
  src: '192.168.1.10',
  srcPort: 51_000,
  dst: '203.0.113.200',
  dstPort: 443,
  protocol: 6,
  packets: [12, 15],
  ipBytes: [1_000, 20_000],
  wireBytes: [1_168, 20_210],
  payloadBytes: [500, 19_300],
  tcpFlags: [0x1b, 0xdb],
  tcpState: TcpState.Closed,
  rttUs: [1_500, 2_000_000_000],
  retransmits: [1, 2],
  outOfOrder: [3, 4],
  zeroWindows: [5, 6],
  endReason: EndReason.TcpFin,
  vlanId: 4_094,
  interfaceIndex: 1,
  startUs: EMITTED_US - 7_000_001,
  endUs: EMITTED_US - 5_000_001,
  emittedUs: EMITTED_US + 1,
  flowId: 1_749_999_999_123_457,
});

const TCP_ROW = {
  id: EMITTED_US,
  start_us: EMITTED_US - 7_000_001,
  end_us: EMITTED_US - 5_000_001,
  interface: 'wlan0',
  vlan_id: 4_094,
  protocol: 6,
  src_ip: '192.168.1.10',
  src_port: 51_000,
  dst_ip: '203.0.113.200',
  dst_port: 443,
  src_packets: 12,
  dst_packets: 15,
  src_bytes: 1_000,
  dst_bytes: 20_000,
  src_wire_bytes: 1_168,
  dst_wire_bytes: 20_210,
  src_payload_bytes: 500,
  dst_payload_bytes: 19_300,
  src_tcp_flags: 0x1b,
  dst_tcp_flags: 0xdb,
  tcp_state: 'closed',
  rtt_client_us: 1_500,
  rtt_server_us: 2_000_000_000,
  src_retransmits: 1,
  dst_retransmits: 2,
  src_out_of_order: 3,
  dst_out_of_order: 4,
  application: 'tls',
  server_name: null,
  end_reason: 'tcp_fin',
  icmp_type: null,
  icmp_code: null,
  flow_id: 1_749_999_999_123_457,
  src_zero_windows: 5,
  dst_zero_windows: 6,
  tunnel_type: null,
  tunnel_id: null,
  tunnel_src_ip: null,
  tunnel_dst_ip: null,
  application_source: 'port',
  server_name_source: null,
  server_name_age_s: null,
  server_name_ambiguous: null,
  tls_version: null,
  alpn: null,
  ja4: null,
  quic_version: null,
  http_method: null,
  http_path: null,
  http_user_agent: null,
  http_status: null,
};

describe('flow_view', () => {
  it('shows no trouble of TCP flows that had none, and none of other protocols', () => {
    const calm = { rttUs: [0, 0], retransmits: [0, 0], outOfOrder: [0, 0], zeroWindows: [0, 0] } as const;
    const names = ['rtt_client_us', 'rtt_server_us', 'src_retransmits', 'dst_out_of_order', 'src_zero_windows'];
    const shown = (row: Record<string, unknown>): unknown[] => names.map((name) => row[name]);
    expect(shown(rowOf({ ...TCP, ...calm }, ['eth0', 'wlan0']))).toEqual([null, null, 0, 0, 0]);
    expect(shown(rowOf(flow()))).toEqual([null, null, null, null, null]);
  });

  it('shows every column of a TCP flow, in the promised order', () => {
    const row = rowOf(TCP, ['eth0', 'wlan0']);
    expect(row).toEqual(TCP_ROW);
    expect(Object.keys(row)).toEqual(Object.keys(TCP_ROW));
  });

  it('shows the initiator as src whichever direction of the record it is', () => {
    expect(rowOf({ ...TCP, direction: 1 }, ['eth0', 'wlan0'])).toEqual(TCP_ROW);
  });

  it('shows IPv6 addresses as text', () => {
    const row = rowOf({ ...TCP, src: '2001:db8::1', dst: 'fe80::a:0:0:1', direction: 1 }, ['eth0', 'wlan0']);
    expect(row).toEqual({ ...TCP_ROW, src_ip: '2001:db8::1', dst_ip: 'fe80::a:0:0:1' });
  });

  it.each([
    ['0.0.0.0', '255.255.255.255'],
    ['127.255.255.255', '128.0.0.0'],
  ])('keeps the extreme IPv4 addresses %s and %s', (src, dst) => {
    expect(rowOf(flow({ src, dst }))).toMatchObject({ src_ip: src, dst_ip: dst });
  });

  it.each([
    [65_535, 0],
    [0, 65_535],
    [32_768, 32_767],
  ])('keeps the extreme ports %d and %d in both directions', (srcPort, dstPort) => {
    for (const direction of [0, 1] as const)
      expect(rowOf(flow({ srcPort, dstPort, direction }))).toMatchObject({ src_port: srcPort, dst_port: dstPort });
  });

  it.each([
    ['ICMP', 1, '10.0.0.1', '10.0.0.2'],
    ['ICMPv6', 58, '2001:db8::1', '2001:db8::2'],
  ])('shows type and code of %s, and ports 0', (_, protocol, src, dst) => {
    const row = rowOf(flow({ protocol, src, dst, srcPort: 0, dstPort: 0, icmp: (255 << 8) | 4, direction: 1 }));
    expect(row).toMatchObject({ protocol, icmp_type: 255, icmp_code: 4, src_port: 0, dst_port: 0, src_ip: src, dst_ip: dst });
  });

  it.each([0, 1] as const)('shows the tunnel with its source at the end of the initiator, direction %i', (direction) => {
    const addresses = ['192.0.2.1', '192.0.2.2'] as const;
    const forth = { type: TunnelType.Vxlan, id: 0xffffff, addresses };
    const shown = { tunnel_type: 'vxlan', tunnel_id: 0xffffff, tunnel_src_ip: '192.0.2.1', tunnel_dst_ip: '192.0.2.2' };
    expect(rowOf(flow({ direction, tunnel: forth }))).toMatchObject(shown);
    const back = rowOf(flow({ direction, tunnel: { ...forth, isFromDst: true } }));
    expect(back).toMatchObject({ ...shown, tunnel_src_ip: '192.0.2.2', tunnel_dst_ip: '192.0.2.1' });
  });

  it('shows NULL for the id and the addresses that a tunnel has not', () => {
    const addresses = ['2001:db8::1', '2001:db8::2'] as const;
    const without = { tunnel_type: '6in6', tunnel_id: null, tunnel_src_ip: '2001:db8::1', tunnel_dst_ip: '2001:db8::2' };
    expect(rowOf(flow({ tunnel: { type: TunnelType.SixInSix, addresses } }))).toMatchObject(without);
    const label = { tunnel_type: 'mpls', tunnel_id: 0, tunnel_src_ip: null, tunnel_dst_ip: null };
    expect(rowOf(flow({ tunnel: { type: TunnelType.Mpls, id: 0 } }))).toMatchObject(label);
  });

  it('keeps ids of 32 bits, and the tunnels of many flows beside flows without', () => {
    const rig = new WriterRig();
    const ids = Array.from({ length: 70 }, (_, i) => 0xffff_ffff - i);
    const specs = ids.flatMap((id, i) => [
      flow({
        emittedUs: EMITTED_US + i * 100,
        tunnel: { type: TunnelType.GtpU, id: id | 0, addresses: ['10.0.0.1', '10.0.0.2'] },
      }),
      flow({ emittedUs: EMITTED_US + i * 100 + 50 }),
    ]);
    rig.store(specs);
    const shown = rig.query('SELECT tunnel_id FROM flow_view ORDER BY id').map((row) => row['tunnel_id']);
    expect(shown).toEqual(ids.flatMap((id) => [id, null]));
    expect(rig.value('SELECT count(*) FROM flow_tunnels')).toBe(70);
  });

  it('shows NULL for what a UDP flow has not', () => {
    const row = rowOf(flow());
    expect(row).toMatchObject({ tcp_state: null, vlan_id: null, icmp_type: null, icmp_code: null, flow_id: null });
    expect(row).toMatchObject({ src_tcp_flags: 0, dst_tcp_flags: 0, end_reason: 'idle_timeout' });
  });

  it('keeps negative differences: less on the wire than the header says, packets ahead of the clock', () => {
    const given = { ipBytes: [1500, 1500], wireBytes: [60, 64], payloadBytes: [1600, 0] } as const;
    const row = rowOf(flow({ ...given, startUs: EMITTED_US + 5, endUs: EMITTED_US + 9 }));
    expect(row).toMatchObject({ src_wire_bytes: 60, dst_wire_bytes: 64, src_payload_bytes: 1600, start_us: EMITTED_US + 5 });
    expect(row).toMatchObject({ end_us: EMITTED_US + 9, id: EMITTED_US });
  });

  it('keeps counts beyond 32 bits', () => {
    const bytes = [2 ** 45 + 1, 2 ** 33 + 3] as const;
    const row = rowOf(flow({ packets: [2 ** 32 + 1, 0], ipBytes: bytes, wireBytes: [2 ** 46 + 7, 2 ** 33 + 5] }));
    expect(row).toMatchObject({ src_packets: 2 ** 32 + 1, src_bytes: bytes[0], dst_bytes: bytes[1] });
    expect(row).toMatchObject({ src_wire_bytes: 2 ** 46 + 7, dst_wire_bytes: 2 ** 33 + 5 });
  });

  it('is made anew when an older flowberry has left another one', () => {
    const rig = new WriterRig();
    rig.store([flow()]);
    const writable = rig.open();
    writable.abandon();
    rig.execute('DROP VIEW flow_view; CREATE VIEW flow_view AS SELECT id FROM flows');
    new WriterRig({ path: rig.path }).store([flow({ emittedUs: EMITTED_US + 10 })]);
    expect(rig.query('SELECT src_ip FROM flow_view')).toEqual([{ src_ip: '192.168.1.10' }, { src_ip: '192.168.1.10' }]);
  });

  it('says the same as the names of interfaces that runs share', () => {
    const rig = new WriterRig({ interfaces: ['eth0', 'eth1'] });
    rig.store([flow({ interfaceIndex: 1 })]);
    new WriterRig({ path: rig.path, interfaces: ['eth1', 'eth2'] }).store([
      flow({ interfaceIndex: 0, emittedUs: EMITTED_US + 10 }),
      flow({ interfaceIndex: 1, emittedUs: EMITTED_US + 20 }),
    ]);
    expect(rig.query('SELECT interface FROM flow_view ORDER BY id').map((row) => row['interface'])).toEqual([
      'eth1',
      'eth1',
      'eth2',
    ]);
    expect(rig.value('SELECT count(*) FROM interfaces')).toBe(2);
  });
});
