import { describe, expect, it } from 'vitest';
import { activeFlowSchema } from '../../src/api/endpoint/flow-schema.js';
import { ActiveFlows } from '../../src/api/reader/active-flows.js';
import { beginChange, endChange } from '../../src/ring/flow-slots.js';
import { InterfaceTable } from '../../src/ring/interface-table.js';
import { Slot, SlotState, Table } from '../../src/ring/layout.js';
import { ethernet, frame, icmp, ipv4, tcpFrame, udpFrame } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';
import { clientHello, serverName, tlsRecords } from '../helpers/tls-hello.js';

const ALL = { sort: 'bytes', limit: 1000 } as const;

const read = (rig: ParseRig, wanted: Parameters<ActiveFlows['read']>[0] = ALL) => {
  const { flows } = new ActiveFlows(rig.memory).read(wanted);
  for (const flow of flows) expect(activeFlowSchema.parse(flow)).toEqual(flow);
  return flows;
};
const udp = (srcPort: number, payload = 'x') => udpFrame({ src: '10.0.0.9', srcPort, dst: '10.0.0.1', dstPort: 9, payload });

describe('open flows', () => {
  it('are shown with their names, seen from who began', () => {
    const rig = new ParseRig();
    new InterfaceTable(rig.memory.interfaces).indexOf('eth0', 1);
    const client = { src: '192.168.1.10', srcPort: 40_000, dst: '10.0.0.1', dstPort: 443 };
    const hello = tlsRecords(clientHello({ extensions: [serverName('www.example.com')] }));
    rig.feed(tcpFrame({ ...client, flags: 'S', seq: 99 }), 1_000);
    rig.feed(tcpFrame({ src: client.dst, srcPort: 443, dst: client.src, dstPort: 40_000, flags: 'S.', seq: 9, ack: 100 }), 3_000);
    rig.feed(tcpFrame({ ...client, flags: '.', seq: 100, ack: 10 }), 3_100);
    rig.feed(tcpFrame({ ...client, flags: '.', seq: 100, ack: 10, payload: hello }), 4_000);
    expect(read(rig)).toMatchObject([
      {
        start_us: 1_000,
        end_us: 4_000,
        interface: 'eth0',
        protocol: 6,
        src_ip: '192.168.1.10',
        src_port: 40_000,
        dst_ip: '10.0.0.1',
        dst_port: 443,
        src_packets: 3,
        dst_packets: 1,
        tcp_state: 'established',
        rtt_client_us: 100,
        rtt_server_us: 2_000,
        application: 'tls',
        server_name: 'www.example.com',
        icmp_type: null,
        segment_index: 0,
      },
    ]);
  });

  it('show the type of ICMP in place of ports, and IPv6 addresses in short', () => {
    const rig = new ParseRig().feed(frame(ethernet(), ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }), icmp({ type: 8, code: 0 })));
    rig.feed(udpFrame({ src: 'fe80::1', dst: '2001:db8::2', srcPort: 1, dstPort: 2 }), 5);
    expect(read(rig, { sort: 'newest', limit: 2 })).toMatchObject([
      { src_ip: 'fe80::1', dst_ip: '2001:db8::2', src_port: 1, dst_port: 2 },
      { protocol: 1, src_port: 0, dst_port: 0, icmp_type: 8, icmp_code: 0 },
    ]);
  });

  it('come with the most bytes or the newest first, no more than asked for, and by address and protocol', () => {
    const rig = new ParseRig()
      .feed(udp(1, 'x'.repeat(50)), 1)
      .feed(udp(2, 'x'.repeat(90)), 2)
      .feed(udp(3), 3);
    const ports = (wanted: Parameters<ActiveFlows['read']>[0]) => read(rig, wanted).map(({ src_port }) => src_port);
    expect(ports({ sort: 'bytes', limit: 2 })).toEqual([2, 1]);
    expect(ports({ sort: 'newest', limit: 1000 })).toEqual([3, 2, 1]);
    expect(ports({ ...ALL, ip: '10.0.0.1' })).toEqual([2, 1, 3]);
    expect(ports({ ...ALL, ip: '10.0.0.7' })).toEqual([]);
    expect(ports({ ...ALL, protocol: 6 })).toEqual([]);
    expect(new ActiveFlows(rig.memory).read({ ...ALL, limit: 1 }).openFlows).toBe(3);
    rig.finish();
    expect(ports(ALL)).toEqual([]);
  });

  it('are found by an address of IPv6 however it is written', () => {
    const rig = new ParseRig().feed(udpFrame({ src: '::1', dst: '2001:db8::a:2', srcPort: 1, dstPort: 2 })).feed(udp(3));
    const ports = (ip: string) => read(rig, { ...ALL, ip }).map(({ src_port }) => src_port);
    for (const ip of ['::1', '0:0:0:0:0:0:0:1', '0000::0001', '2001:DB8:0:0::A:2', '2001:0db8::000a:0002'])
      expect(ports(ip), ip).toEqual([1]);
    for (const ip of ['::2', '0:0:0:0:0:0:0:10', '::ffff:10.0.0.1']) expect(ports(ip), ip).toEqual([]);
  });

  it('leave out a slot that is becoming another flow, until it is one', () => {
    const rig = new ParseRig().feed(udp(1)).feed(udp(2));
    const words = new Int32Array(rig.memory.flowTables[0] as SharedArrayBuffer);
    const word = (Table.HeaderBytes >> 2) + (words[(Table.HeaderBytes >> 2) + Slot.State] === SlotState.Active ? 0 : Slot.Words);
    beginChange(words, word);
    expect(read(rig)).toHaveLength(1);
    // As a worker that dies in the middle of it leaves it: its successor begins anew.
    beginChange(words, word);
    endChange(words, word);
    expect(read(rig)).toHaveLength(2);
  });

  it('have another version with every new flow and every segment, and an even one between', () => {
    const rig = new ParseRig({ 'flow.active-max': 1, 'flow.active-s': 10 });
    const words = new Int32Array(rig.memory.flowTables[0] as SharedArrayBuffer);
    const version = (): number => words[(Table.HeaderBytes >> 2) + Slot.Version] as number;
    const seen = [version()];
    for (const [port, us] of [
      [1, 1],
      [2, 2],
      [2, 9e6],
      [2, 11e6],
      [2, 12e6],
    ] as const) {
      rig.feed(udp(port), us);
      seen.push(version());
    }
    expect(seen.every((each) => each % 2 === 0)).toBe(true);
    expect(seen.map((each) => each / 2)).toEqual([0, 1, 2, 2, 3, 3]);
  });
});
