import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APPLICATIONS } from '../../src/ring/application.js';
import { END_REASONS, type EndReason, TCP_STATES, type TcpState } from '../../src/ring/layout.js';
import { checkDatabase } from '../../src/store/check.js';
import { applicationOfPort } from '../../src/wire/application-ports.js';
import { type FlowSpec, flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { type DnsSpec, dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;
const INTERFACES = ['eth0', 'wlan0', 'tun0'];

const ipv4 = fc.ipV4();
/** Eight groups in hexadecimal, many of them zero: the form that the test's own address parser reads. */
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(':'));
const addresses = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6));
const count = fc.oneof(fc.nat(2_000), fc.integer({ min: 0, max: 2 ** 44 }));
const pair = fc.tuple(count, count);
const byte = fc.nat(255);
/** As names come from the wire: ASCII without spaces, quotes among it. */
const text = fc.string({ unit: fc.constantFrom(...`ab.-'\\"%;_1`), minLength: 1, maxLength: 253 });
/** Close together, so that emissions of one µs and collisions are common. */
const us = fc.nat(400);

interface Generated {
  readonly spec: FlowSpec;
  /** A transaction that the same worker emits before the flow; null for none. */
  readonly transaction: DnsSpec | null;
  readonly worker: number;
  /** The writer makes a step behind this flow. */
  readonly isStep: boolean;
}

const generated: fc.Arbitrary<Generated> = fc
  .record({
    ends: addresses,
    srcPort: fc.nat(65_535),
    dstPort: fc.nat(65_535),
    protocol: fc.oneof(fc.constantFrom(6, 17, 1, 58), byte),
    packets: pair,
    ipBytes: pair,
    wireBytes: pair,
    payloadBytes: pair,
    tcpFlags: fc.tuple(byte, byte),
    tcpState: fc.integer({ min: 0, max: TCP_STATES.length - 1 }),
    endReason: fc.integer({ min: 1, max: END_REASONS.length - 1 }),
    icmp: fc.nat(65_535),
    vlanId: fc.nat(4_095),
    interfaceIndex: fc.nat(INTERFACES.length - 1),
    emittedUs: us,
    endAgeUs: us,
    durationUs: us,
    direction: fc.constantFrom<0 | 1>(0, 1),
    application: fc.nat(APPLICATIONS.length - 1),
    details: fc.record({ sni: text, alpn: text, userAgent: text, status: fc.nat(999) }, { requiredKeys: [] }),
    query: fc.option(text),
    worker: fc.nat(1),
    isStep: fc.boolean(),
  })
  .map(({ ends, query, worker, isStep, emittedUs, endAgeUs, durationUs, ...rest }) => {
    const emitted = NOW_US + emittedUs;
    const endUs = emitted - endAgeUs;
    const state = rest.tcpState as TcpState;
    const times = { emittedUs: emitted, endUs, startUs: endUs - durationUs };
    const spec = flow({ ...rest, ...times, src: ends[0], dst: ends[1], tcpState: state, endReason: rest.endReason as EndReason });
    const [client, server] = ends;
    const transaction = query === null ? null : dns({ seenUs: endUs, emittedUs: emitted, client, server, query, answers: [] });
    return { spec, transaction, worker, isStep };
  });

/** What it must say of application and names. */
function expectedNames(spec: FlowSpec, isIcmp: boolean): Record<string, unknown> {
  const ports = isIcmp ? ([0, 0] as const) : ([spec.srcPort, spec.dstPort] as const);
  const usual = applicationOfPort(spec.protocol, ...ports);
  const source = spec.application === 0 ? (usual === 0 ? null : 'port') : 'protocol';
  const { sni = null, alpn = null, userAgent = null, status = null } = spec.details ?? {};
  return {
    application: APPLICATIONS[spec.application || usual] || null,
    application_source: source,
    server_name: sni,
    server_name_source: sni && 'sni',
    alpn,
    http_user_agent: userAgent,
    http_status: status,
  };
}

/** What `flow_view` must say of a flow, but for id and addresses. */
function expectedRow(spec: FlowSpec, flowId: number): Record<string, unknown> {
  const isIcmp = spec.protocol === 1 || spec.protocol === 58;
  return {
    flow_id: flowId,
    start_us: spec.startUs,
    end_us: spec.endUs,
    interface: INTERFACES[spec.interfaceIndex],
    vlan_id: spec.vlanId || null,
    protocol: spec.protocol,
    src_port: isIcmp ? 0 : spec.srcPort,
    dst_port: isIcmp ? 0 : spec.dstPort,
    icmp_type: isIcmp ? spec.icmp >> 8 : null,
    icmp_code: isIcmp ? spec.icmp & 255 : null,
    src_packets: spec.packets[0],
    dst_packets: spec.packets[1],
    src_bytes: spec.ipBytes[0],
    dst_bytes: spec.ipBytes[1],
    src_wire_bytes: spec.wireBytes[0],
    dst_wire_bytes: spec.wireBytes[1],
    src_payload_bytes: spec.payloadBytes[0],
    dst_payload_bytes: spec.payloadBytes[1],
    src_tcp_flags: spec.tcpFlags[0],
    dst_tcp_flags: spec.tcpFlags[1],
    tcp_state: TCP_STATES[spec.tcpState] || null,
    end_reason: END_REASONS[spec.endReason],
    ...expectedNames(spec, isIcmp),
  };
}

const sum = (specs: readonly FlowSpec[], field: 'packets' | 'ipBytes' | 'wireBytes'): number =>
  specs.reduce((total, spec) => total + spec[field][0] + spec[field][1], 0);

describe('store: any list of flows', () => {
  it('is stored completely, row by row and in sum, in any order and number of batches', () => {
    fc.assert(
      fc.property(fc.array(generated, { maxLength: 120 }), (list) => {
        const rig = new WriterRig({ workers: 2, interfaces: INTERFACES, options: { 'batch.rows-min': 1 } });
        const writer = rig.open();
        let nowMs = NOW_MS;
        for (const [index, { spec, transaction, worker, isStep }] of list.entries()) {
          if (transaction) rig.emitDns({ ...transaction, latencyUs: index }, worker);
          rig.emit({ ...spec, flowId: index + 1 }, worker);
          nowMs += 350;
          if (isStep) writer.step(nowMs, false);
        }
        while (writer.step(nowMs, true));
        writer.close(nowMs);

        const specs = list.map(({ spec }) => spec);
        const expected = specs.map((spec, index) => expectedRow(spec, index + 1));
        const names = Object.keys(expected[0] ?? { flow_id: 0 }).join(', ');
        expect(rig.query(`SELECT ${names} FROM flow_view ORDER BY flow_id`)).toEqual(expected);
        expect(
          rig.query(`SELECT count(*) AS flows, total(src_packets + dst_packets) AS packets,
            total(src_bytes + dst_bytes) AS ip, total(src_wire_bytes + dst_wire_bytes) AS wire FROM flow_view`),
        ).toEqual([
          { flows: list.length, packets: sum(specs, 'packets'), ip: sum(specs, 'ipBytes'), wire: sum(specs, 'wireBytes') },
        ]);
        expect(rig.value('SELECT count(*) FROM flows WHERE id % 2 <> 0')).toBe(0);
        const transactions = list.flatMap(({ transaction }, index) =>
          transaction ? [{ latency_us: index, seen_us: transaction.seenUs, query: transaction.query }] : [],
        );
        expect(rig.query('SELECT latency_us, seen_us, query FROM dns_view ORDER BY latency_us')).toEqual(transactions);
        expect(checkDatabase(rig.path).checks.filter((check) => !check.ok)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
