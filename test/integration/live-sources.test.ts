import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AfpacketSource } from '../../src/capture/afpacket-source.js';
import { canCompileFilters } from '../../src/capture/bpf.js';
import { CapSource } from '../../src/capture/cap-source.js';
import { Step } from '../../src/capture/source.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import type { AppError } from '../../src/errors.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { ethernet, frame, ipv4, udp, vlan } from '../helpers/frames.js';
import { ADDRESSES, capObstacle, drain, hex, type LiveSource, mixedFrames, toPort, WAIT_MS } from '../helpers/live-source.js';
import { FrameFlood, FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';
import { asNobody, otherUserObstacle } from '../helpers/other-user.js';
import { RecordingSink } from '../helpers/recording-sink.js';

const obstacle = namespaceObstacle();

const BACKENDS = [
  {
    name: 'afpacket',
    create: (...given: ConstructorParameters<typeof AfpacketSource>): LiveSource => new AfpacketSource(...given),
    missing: null,
  },
  {
    name: 'cap',
    create: (...given: ConstructorParameters<typeof CapSource>): LiveSource => new CapSource(...given),
    missing: capObstacle,
  },
];

const openFdCount = (): number => readdirSync('/proc/self/fd').length;

describe.skipIf(obstacle !== null)(`live sources${obstacle ? ` (${obstacle})` : ''}`, () => {
  let namespace: NetworkNamespace;
  let leave: () => void;
  let sender: FrameSender;
  let sources: LiveSource[] = [];
  let sink: RecordingSink;
  let interfaces: InterfaceTable;

  beforeAll(() => {
    namespace = new NetworkNamespace();
    leave = namespace.enter();
    sender = new FrameSender('peer0');
  });

  afterEach(() => {
    for (const source of sources) source.close();
    sources = [];
  });

  afterAll(() => {
    sender.close();
    leave();
    namespace.delete();
  });

  for (const backend of BACKENDS) {
    describe.skipIf(backend.missing !== null)(`${backend.name}${backend.missing ? ` (${backend.missing})` : ''}`, () => {
      async function open(options: OptionValues = {}, interfaceName = 'capture0'): Promise<LiveSource> {
        const source = backend.create(interfaceName, resolveConfig(options));
        sink = new RecordingSink();
        interfaces = new InterfaceTable(createInterfaceTable());
        await source.open(sink, interfaces);
        sources.push(source);
        return source;
      }

      async function openError(options: OptionValues, interfaceName = 'capture0'): Promise<AppError> {
        return open(options, interfaceName).then(
          () => expect.fail('it opened'),
          (error) => error,
        );
      }

      /** All that the kernel counted and did not drop was handed over. */
      function expectBalance(source: LiveSource): void {
        const { kernelPackets, kernelDropped } = source.statistics();
        expect(sink.frames.length).toBe(kernelPackets - kernelDropped);
      }

      it('hands over every frame of a burst, as it was sent, in order', async () => {
        const source = await open();
        const startedMs = Date.now() - 1000;
        const frames = mixedFrames(3000);
        for (let index = 0; index < frames.length; index++) {
          sender.send(frames[index] as Uint8Array);
          if (index % 100 === 99) await source.step(WAIT_MS);
        }
        await drain(source);

        expect(sink.hex).toEqual(frames.map(hex));
        expect(source.statistics()).toMatchObject({ kernelPackets: 3000, kernelDropped: 0 });
        expect(sink.frames.map(({ wireBytes }) => wireBytes)).toEqual(frames.map(({ length }) => length));
        expect(new Set(sink.frames.map(({ linkType }) => linkType))).toEqual(new Set([1]));
        expect(interfaces.name(sink.frames[0]?.interfaceIndex ?? -1)).toBe('capture0');
        const times = sink.frames.map(({ timestamp }) => timestamp);
        expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
        expect(times[0]).toBeGreaterThan(BigInt(startedMs) * 1_000_000n);
        expect(times.at(-1)).toBeLessThan(BigInt(Date.now() + 1000) * 1_000_000n);
      });

      it('shows VLAN tags as they were on the wire', async () => {
        const source = await open();
        const content = [ipv4(ADDRESSES), udp({ srcPort: 1, dstPort: 2 }), 'tagged'] as const;
        const frames = [
          frame(ethernet(), vlan(7, { priority: 5 }), ...content),
          frame(ethernet(), vlan(100, { tag: 0x88a8 }), vlan(4094), ...content),
          frame(ethernet(), ...content),
        ];
        for (const each of frames) sender.send(each);
        await drain(source);

        expect(sink.hex).toEqual(frames.map(hex));
        expect(sink.frames.map(({ wireBytes }) => wireBytes)).toEqual(frames.map(({ length }) => length));
      });

      it('counts and hands over what the filter takes, and nothing else', async (context) => {
        if (!canCompileFilters()) context.skip('needs libpcap');
        for (const each of mixedFrames(50)) sender.send(each);
        const source = await open({ 'capture.filter': 'udp dst port 53 or (vlan 7 and udp dst port 54)' });
        const taken = [toPort(53), frame(ethernet(), vlan(7), ipv4(ADDRESSES), udp({ srcPort: 1, dstPort: 54 }))];
        const refused = [toPort(54), frame(ethernet(), vlan(8), ipv4(ADDRESSES), udp({ srcPort: 1, dstPort: 54 }))];
        for (const each of [...taken, ...refused]) sender.send(each);
        await drain(source);

        expect(sink.hex).toEqual(taken.map(hex));
        expect(source.statistics()).toMatchObject({ kernelPackets: 2, kernelDropped: 0 });
      });

      it('cuts frames at capture.snap-bytes and keeps their length on the wire', async () => {
        const source = await open({ 'capture.snap-bytes': 128 });
        const frames = [toPort(1, new Uint8Array(1000)), toPort(2)];
        for (const each of frames) sender.send(each);
        await drain(source);

        expect(sink.hex).toEqual(frames.map((each) => hex(each.subarray(0, 128))));
        expect(sink.frames.map(({ wireBytes }) => wireBytes)).toEqual(frames.map(({ length }) => length));
      });

      it('counts what the kernel drops when the reader is too slow', async () => {
        const source = await open({ 'capture.buffer-bytes': 1_048_576 });
        const large = toPort(9, new Uint8Array(1400));
        for (let index = 0; index < 5000; index++) sender.send(large);
        await drain(source);

        expect(source.statistics()).toMatchObject({ kernelPackets: 5000 });
        expect(source.statistics().kernelDropped).toBeGreaterThan(0);
        expect(sink.frames.length).toBeGreaterThan(0);
        expectBalance(source);

        const dropped = source.statistics().kernelDropped;
        sender.send(large);
        await drain(source);
        expect(source.statistics()).toMatchObject({ kernelPackets: 5001, kernelDropped: dropped });
        expectBalance(source);
      });

      it('hands over each packet of the loopback interface once', async () => {
        const source = await open({}, 'lo');
        const loopback = new FrameSender('lo');
        const frames = mixedFrames(20);
        for (const each of frames) loopback.send(each);
        loopback.close();
        await drain(source);

        expect(sink.hex).toEqual(frames.map(hex));
        expectBalance(source);
      });

      it('balances exactly after the intake was stopped, whatever still comes', async () => {
        const source = await open();
        for (const each of mixedFrames(200)) sender.send(each);
        source.stopIntake();
        for (const each of mixedFrames(200)) sender.send(each);
        await drain(source);

        expect(source.statistics()).toMatchObject({ kernelPackets: 200, kernelDropped: 0 });
        expect(sink.frames.length).toBe(200);
      });

      it('balances exactly when it is stopped while the interface is down', async () => {
        const source = await open();
        const frames = mixedFrames(50);
        for (const each of frames) sender.send(each);
        namespace.ip('link', 'set', 'capture0', 'down');
        try {
          source.stopIntake();
          await drain(source);
        } finally {
          namespace.up('capture0');
        }

        expect(sink.hex).toEqual(frames.map(hex));
        expect(source.statistics()).toMatchObject({ kernelPackets: 50, kernelDropped: 0 });
      });

      it('balances exactly when it is opened and stopped in the middle of traffic', async (context) => {
        if (!canCompileFilters()) context.skip('needs libpcap');
        const mix = [toPort(53), toPort(54), toPort(55, new Uint8Array(1000)), toPort(53, 'more')];
        const flood = new FrameFlood('peer0', Array.from({ length: 20 }, () => mix).flat());
        await flood.started();
        try {
          for (let round = 0; round < 5; round++) {
            const source = await open({ 'capture.filter': 'udp dst port 53' });
            while (sink.frames.length < 100) await source.step(WAIT_MS);
            source.stopIntake();
            await drain(source);
            expectBalance(source);
            expect(new Set(sink.hex)).toEqual(new Set([toPort(53), toPort(53, 'more')].map(hex)));
            source.close();
          }
        } finally {
          await flood.stop();
        }
      });

      it('keeps its statistics after it was closed, and leaves nothing open', async () => {
        await open().then((source) => source.close());
        const before = openFdCount();
        for (let round = 0; round < 5; round++) {
          const source = await open();
          sender.send(toPort(1));
          await drain(source);
          source.close();
          source.close();
          expect(source.statistics()).toMatchObject({ kernelPackets: 1, kernelDropped: 0 });
          expect(await source.step(WAIT_MS)).toBe(Step.End);
        }
        expect(openFdCount()).toBe(before);
      });

      it('names what is wrong, and leaves nothing open', async () => {
        const before = openFdCount();
        expect(await openError({}, 'nosuch0')).toMatchObject({
          code: 'INTERFACE_NOT_FOUND',
          message: 'there is no interface nosuch0',
        });
        expect(await openError({}, 'a-name-that-is-too-long')).toMatchObject({ code: 'INTERFACE_NOT_FOUND' });
        expect(openFdCount()).toBe(before);
      });

      it('says that the right to capture is missing, and leaves nothing open', async (context) => {
        const obstacle = otherUserObstacle();
        if (obstacle !== null) context.skip(`needs ${obstacle}`);
        const before = openFdCount();
        expect(await asNobody(() => openError({}))).toMatchObject({ code: 'CAPTURE_NOT_PERMITTED' });
        expect(openFdCount()).toBe(before);
      });

      it('refuses a filter that is not valid, in the words of libpcap', async (context) => {
        if (!canCompileFilters()) context.skip('needs libpcap');
        const before = openFdCount();
        const error = await openError({ 'capture.filter': 'port port' });
        expect(error).toMatchObject({ code: 'CAPTURE_FILTER_INVALID' });
        expect(error.message).toMatch(/"port port".*syntax error/);
        expect(openFdCount()).toBe(before);
      });
    });
  }
});
