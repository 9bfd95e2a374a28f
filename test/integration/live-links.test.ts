import { closeSync, writeSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AfpacketSource } from '../../src/capture/afpacket-source.js';
import { canCompileFilters } from '../../src/capture/bpf.js';
import { CapSource } from '../../src/capture/cap-source.js';
import { Step } from '../../src/capture/source.js';
import { resolveConfig } from '../../src/config.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { frame, ipv4, payload, udp } from '../helpers/frames.js';
import { ADDRESSES, capLinkObstacle, drain, hex, type LiveSource, mixedFrames, toPort, WAIT_MS } from '../helpers/live-source.js';
import {
  FrameFlood,
  FrameSender,
  NetworkNamespace,
  namespaceObstacle,
  openTun,
  tunObstacle,
} from '../helpers/network-namespace.js';
import { RecordingSink } from '../helpers/recording-sink.js';

const obstacle = namespaceObstacle();

describe.skipIf(obstacle !== null)(`live sources when interfaces go up, down and away${obstacle ? ` (${obstacle})` : ''}`, () => {
  let namespace: NetworkNamespace;
  let leave: () => void;
  let sender: FrameSender;
  let sources: LiveSource[] = [];
  let sink: RecordingSink;

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
      namespace.up('capture0');
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
      namespace.addPair('gone0', 'gone1');
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

    it('delivers bare IP packets of an interface without a link header', async (context) => {
      const missing = tunObstacle();
      if (missing) context.skip(missing);
      const tun = openTun('tun0');
      namespace.ip('link', 'set', 'tun0', 'up');
      const source = open('tun0');
      const packet = frame(ipv4(ADDRESSES), udp({ srcPort: 1, dstPort: 2 }), payload('bare'));
      writeSync(tun, packet);
      await drain(source);
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
      namespace.up('capture0');
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
          namespace.up('capture0');
        }
      } finally {
        namespace.up('capture0');
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
      namespace.up('capture0');
    }
  });
});
