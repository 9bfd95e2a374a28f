import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AfpacketSource } from '../../src/capture/afpacket-source.js';
import { canCompileFilters } from '../../src/capture/bpf.js';
import { isOwnTraffic } from '../../src/capture/own-traffic.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { LinkType } from '../../src/wire/link-type.js';
import { ethernet, frame, ipv4, tcp, udp, vlan } from '../helpers/frames.js';
import { ADDRESSES, drain, hex, mixedFrames, toPort } from '../helpers/live-source.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';
import { RecordingSink } from '../helpers/recording-sink.js';

const obstacle = namespaceObstacle();
const SLL2_BYTES = 20;
const ETHERNET_BYTES = 14;

describe.skipIf(obstacle !== null)(`all interfaces at once${obstacle ? ` (${obstacle})` : ''}`, () => {
  let namespace: NetworkNamespace;
  let leave: () => void;
  let source: AfpacketSource;
  let sink: RecordingSink;
  let interfaces: InterfaceTable;

  beforeAll(() => {
    namespace = new NetworkNamespace();
    leave = namespace.enter();
  });

  afterEach(() => source.close());

  afterAll(() => {
    leave();
    namespace.delete();
  });

  function open(options: OptionValues = {}): void {
    source = new AfpacketSource('any', resolveConfig(options));
    sink = new RecordingSink();
    interfaces = new InterfaceTable(createInterfaceTable());
    source.open(sink, interfaces);
  }

  function send(interfaceName: string, ...frames: readonly Uint8Array[]): void {
    const sender = new FrameSender(interfaceName);
    for (const each of frames) sender.send(each);
    sender.close();
  }

  const seenOn = (): string[] => sink.frames.map(({ interfaceIndex }) => interfaces.name(interfaceIndex));

  it('gives each frame a cooked header and the interface that it was seen on', async () => {
    open();
    const bytes = toPort(7, 'content');
    send('peer0', bytes);
    await drain(source);
    // Once on its way out of one end of the pair, and once on its way into the other.
    expect(seenOn()).toEqual(['peer0', 'capture0']);
    for (const each of sink.frames) {
      expect(each.linkType).toBe(LinkType.LinuxSll2);
      expect(each.wireBytes).toBe(bytes.length - ETHERNET_BYTES + SLL2_BYTES);
      expect(hex(each.bytes.subarray(SLL2_BYTES))).toBe(hex(bytes.subarray(ETHERNET_BYTES)));
    }
    const views = sink.frames.map(({ bytes: { buffer } }) => new DataView(buffer));
    expect(views.map((view) => view.getUint16(0))).toEqual([0x0800, 0x0800]);
    expect(views.map((view) => view.getUint16(8))).toEqual([1, 1]);
    // PACKET_OUTGOING; addressed to somebody else, since the frame has other hardware addresses than the pair.
    expect(views.map((view) => view.getUint8(10))).toEqual([4, 3]);
    expect(views[1]?.getUint8(11)).toBe(6);
    expect(hex(sink.frames[1]?.bytes.subarray(12, 18) as Uint8Array)).toBe(hex(bytes.subarray(6, 12)));
    expect(source.statistics()).toMatchObject({ kernelPackets: 2, kernelDropped: 0 });
  });

  it('shows each packet of the loopback interface once', async () => {
    open();
    send('lo', toPort(1), toPort(2));
    await drain(source);
    expect(seenOn()).toEqual(['lo', 'lo']);
    expect(source.statistics()).toMatchObject({ kernelPackets: 2, kernelDropped: 0 });
  });

  it('takes in interfaces that come later', async () => {
    open();
    namespace.addPair('late0', 'late1');
    send('late1', toPort(1));
    await drain(source);
    expect(seenOn()).toEqual(['late1', 'late0']);
    namespace.ip('link', 'delete', 'late0');
    send('lo', toPort(2));
    await drain(source);
    expect(seenOn().at(-1)).toBe('lo');
  });

  it('shows VLAN tags behind the header', async () => {
    open();
    const tagged = frame(ethernet(), vlan(7, { priority: 5 }), ipv4(ADDRESSES), udp({ srcPort: 1, dstPort: 2 }), 'tagged');
    send('peer0', tagged);
    await drain(source);
    const inwards = sink.frames[1]?.bytes as Uint8Array;
    expect(new DataView(inwards.buffer).getUint16(0)).toBe(0x8100);
    expect(hex(inwards.subarray(SLL2_BYTES))).toBe(hex(tagged.subarray(ETHERNET_BYTES)));
  });

  it('takes what the filter takes, and cuts at capture.snap-bytes', async (context) => {
    if (!canCompileFilters()) context.skip('needs libpcap');
    open({ 'capture.filter': 'udp dst port 53', 'capture.snap-bytes': 128 });
    send('peer0', toPort(53, new Uint8Array(1000)), toPort(54));
    send('lo', toPort(53), toPort(54));
    await drain(source);
    expect(seenOn()).toEqual(['peer0', 'capture0', 'lo']);
    expect(sink.frames.map(({ bytes }) => bytes.length)).toEqual([128, 128, toPort(53).length + 6]);
    expect(sink.frames[0]?.wireBytes).toBe(1000 + toPort(53).length + 6);
    expect(source.statistics()).toMatchObject({ kernelPackets: 3, kernelDropped: 0 });
  });

  it('knows its own traffic by the loopback interface', async () => {
    open();
    const loopback = { src: '127.0.0.1', dst: '127.0.0.1' };
    const zero = '00:00:00:00:00:00';
    const own = frame(ethernet({ src: zero, dst: zero }), ipv4(loopback), tcp({ srcPort: 40_000, dstPort: 8417 }));
    send('lo', own);
    send('peer0', own);
    await drain(source);
    const areOwn = sink.frames.map(({ bytes, linkType }) =>
      isOwnTraffic(new DataView(bytes.buffer), 0, bytes.length, linkType, 8417),
    );
    expect(seenOn()).toEqual(['lo', 'peer0', 'capture0']);
    expect(areOwn).toEqual([true, false, false]);
  });

  it('balances exactly after the intake was stopped', async () => {
    open();
    const frames = mixedFrames(200);
    send('lo', ...frames);
    source.stopIntake();
    send('lo', ...frames);
    await drain(source);
    expect(source.statistics()).toMatchObject({ kernelPackets: 200, kernelDropped: 0 });
    expect(sink.frames.length).toBe(200);
  });
});
