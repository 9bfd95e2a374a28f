import { closeSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AfpacketSource } from '../../src/capture/afpacket-source.js';
import { canCompileFilters } from '../../src/capture/bpf.js';
import { CapSource } from '../../src/capture/cap-source.js';
import { Step } from '../../src/capture/source.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import type { AppError } from '../../src/errors.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { ethernet, frame, ipv4, payload, udp, vlan } from '../helpers/frames.js';
import {
  FrameFlood,
  FrameSender,
  NetworkNamespace,
  namespaceObstacle,
  openTun,
  tunObstacle,
} from '../helpers/network-namespace.js';
import { RecordingSink } from '../helpers/recording-sink.js';

/** Longer than the kernel keeps a block that is not full. */
const WAIT_MS = 60;
const obstacle = namespaceObstacle();
const capObstacle = await import('cap').then(
  () => (isMainThread ? null : 'needs the main thread'),
  () => 'needs the package cap',
);

/** With its assertions in, cap aborts the process when an interface goes down. */
function capAborts(): boolean {
  const library = createRequire(import.meta.url).resolve('cap/build/Release/cap.node');
  return readFileSync(library).includes('__assert_fail');
}

const capLinkObstacle = capObstacle ?? (capAborts() ? 'needs cap built with CXXFLAGS=-DNDEBUG' : null);

type LiveSource = AfpacketSource | CapSource;

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

const ADDRESSES = { src: '10.0.0.1', dst: '10.0.0.2' };
const toPort = (dstPort: number, content: Uint8Array | string = '') =>
  frame(ethernet(), ipv4(ADDRESSES), udp({ srcPort: 4000, dstPort }), content);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Frames of 43 to 1514 bytes, all different. */
function mixedFrames(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const content = new Uint8Array(1 + ((index * 101) % 1472)).fill(index & 0xff);
    return toPort(1 + (index & 0x7fff), content);
  });
}

/** Steps until nothing is ready. */
async function drain(source: LiveSource): Promise<void> {
  for (let round = 0; round < 1000; round++) if ((await source.step(WAIT_MS)) === Step.Idle) return;
  throw new Error('the source does not come to rest');
}

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
          namespace.ip('link', 'set', 'capture0', 'up');
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
        process.seteuid?.(65_534);
        try {
          expect(await openError({})).toMatchObject({ code: 'CAPTURE_NOT_PERMITTED' });
        } finally {
          process.seteuid?.(0);
        }
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

  describe('afpacket', () => {
    function open(interfaceName: string): AfpacketSource {
      const source = new AfpacketSource(interfaceName, resolveConfig());
      sink = new RecordingSink();
      source.open(sink, new InterfaceTable(createInterfaceTable()));
      sources.push(source);
      return source;
    }

    it('goes on after the interface went down and up, and opens one that is down', () => {
      const source = open('capture0');
      sender.send(toPort(1));
      namespace.ip('link', 'set', 'capture0', 'down');
      const second = new AfpacketSource('capture0', resolveConfig());
      const secondSink = new RecordingSink();
      second.open(secondSink, new InterfaceTable(createInterfaceTable()));
      sources.push(second);
      for (let round = 0; round < 3; round++) {
        source.step(WAIT_MS);
        expect(second.step(WAIT_MS)).toBe(Step.Idle);
      }
      namespace.ip('link', 'set', 'capture0', 'up');
      sender.send(toPort(2));
      for (let round = 0; round < 3; round++) {
        source.step(WAIT_MS);
        second.step(WAIT_MS);
      }

      expect(sink.hex).toEqual([toPort(1), toPort(2)].map(hex));
      expect(secondSink.hex).toEqual([toPort(2)].map(hex));
      expect(source.statistics()).toMatchObject({ kernelPackets: 2, kernelDropped: 0 });
    });

    it('ends with CAPTURE_FAILED when the interface goes away, after it has handed over the rest', () => {
      namespace.ip('link', 'add', 'gone0', 'type', 'veth', 'peer', 'name', 'gone1');
      for (const name of ['gone0', 'gone1']) namespace.ip('link', 'set', name, 'arp', 'off', 'up');
      const source = open('gone0');
      const peer = new FrameSender('gone1');
      const frames = mixedFrames(10);
      for (const each of frames) peer.send(each);
      namespace.ip('link', 'delete', 'gone0');
      peer.close();

      const stepToTheEnd = (): void => {
        for (let round = 0; round < 20; round++) source.step(WAIT_MS);
      };
      expect(stepToTheEnd).toThrow(expect.objectContaining({ code: 'CAPTURE_FAILED', message: 'interface gone0 has gone away' }));
      expect(sink.hex).toEqual(frames.map(hex));
      expect(source.statistics()).toMatchObject({ kernelPackets: 10, kernelDropped: 0 });
    });

    it('delivers bare IP packets of an interface without a link header', (context) => {
      const missing = tunObstacle();
      if (missing) context.skip(missing);
      const tun = openTun('tun0');
      namespace.ip('link', 'set', 'tun0', 'up');
      const source = open('tun0');
      const packet = frame(ipv4(ADDRESSES), udp({ srcPort: 1, dstPort: 2 }), payload('bare'));
      writeSync(tun, packet);
      source.step(WAIT_MS);
      source.close();
      closeSync(tun);

      expect(sink.hex).toEqual([hex(packet)]);
      expect(sink.frames[0]).toMatchObject({ linkType: 101, wireBytes: packet.length });
    });
  });

  describe.skipIf(capLinkObstacle !== null)(`cap${capLinkObstacle ? ` (${capLinkObstacle})` : ''}`, () => {
    async function open(): Promise<CapSource> {
      const source = new CapSource('capture0', resolveConfig());
      sink = new RecordingSink();
      await source.open(sink, new InterfaceTable(createInterfaceTable()));
      sources.push(source);
      return source;
    }

    async function stepToTheEnd(source: CapSource): Promise<void> {
      for (let round = 0; round < 500; round++) await source.step(WAIT_MS);
    }

    it('ends with INTERFACE_DOWN when the interface goes down, and a new one goes on', async () => {
      const source = await open();
      sender.send(toPort(1));
      namespace.ip('link', 'set', 'capture0', 'down');
      const wentDown = { code: 'INTERFACE_DOWN', message: 'interface capture0 went down' };
      await expect(stepToTheEnd(source)).rejects.toMatchObject(wentDown);
      expect(sink.hex).toEqual([hex(toPort(1))]);
      expect(source.statistics()).toMatchObject({ kernelPackets: 1, kernelDropped: 0 });
      await expect(open()).rejects.toMatchObject({ code: 'INTERFACE_DOWN', message: 'interface capture0 is down' });
      namespace.ip('link', 'set', 'capture0', 'up');
      const next = await open();
      sender.send(toPort(2));
      await drain(next);
      expect(sink.hex).toEqual([hex(toPort(2))]);
    });

    it('balances exactly when the interface goes down in the middle of traffic', async () => {
      const flood = new FrameFlood('peer0', mixedFrames(50));
      await flood.started();
      try {
        for (let round = 0; round < 3; round++) {
          const source = await open();
          while (sink.frames.length < 100) await source.step(WAIT_MS);
          const ended = stepToTheEnd(source);
          const link = namespace.ipAsync('link', 'set', 'capture0', 'down');
          await expect(ended).rejects.toMatchObject({ code: 'INTERFACE_DOWN' });
          await link;
          const { kernelPackets, kernelDropped } = source.statistics();
          expect(sink.frames.length).toBe(kernelPackets - kernelDropped);
          namespace.ip('link', 'set', 'capture0', 'up');
        }
      } finally {
        namespace.ip('link', 'set', 'capture0', 'up');
        await flood.stop();
      }
    });
  });

  it('a VLAN filter is refused for an interface that is down', (context) => {
    if (!canCompileFilters()) context.skip('needs libpcap');
    namespace.ip('link', 'set', 'capture0', 'down');
    try {
      const source = new AfpacketSource('capture0', resolveConfig({ 'capture.filter': 'vlan 7' }));
      expect(() => source.open(new RecordingSink(), new InterfaceTable(createInterfaceTable()))).toThrow(
        expect.objectContaining({ code: 'INTERFACE_DOWN' }),
      );
    } finally {
      namespace.ip('link', 'set', 'capture0', 'up');
    }
  });
});
