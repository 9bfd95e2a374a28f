import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { canCompileFilters } from '../../src/capture/bpf.js';
import { MultiSource } from '../../src/capture/multi-source.js';
import type { PacketSource } from '../../src/capture/source.js';
import { Step } from '../../src/capture/source.js';
import { capLinkObstacle, hex, toPort, WAIT_MS } from '../helpers/live-source.js';
import { WatchRig } from '../helpers/live-watch.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();

const openFdCount = (): number => readdirSync('/proc/self/fd').length;

describe.skipIf(obstacle !== null)(`a capture outlives its interface${obstacle ? ` (${obstacle})` : ''}`, () => {
  let namespace: NetworkNamespace;
  let leave: () => void;
  let sources: PacketSource[] = [];
  let portLast = 0;

  beforeAll(() => {
    namespace = new NetworkNamespace();
    leave = namespace.enter();
  });

  afterEach(() => {
    for (const source of sources) source.close();
    sources = [];
    // So that a test that fails half way fails alone.
    namespace.up('capture0', 'peer0');
  });

  afterAll(() => {
    leave();
    namespace.delete();
  });

  async function open<T extends PacketSource>(rig: WatchRig, source: T): Promise<T> {
    await source.open(rig.sink, rig.interfaces);
    sources.push(source);
    return source;
  }

  /** Sends one frame like no other into the pair and steps until it has come in. */
  async function expectArrival(rig: WatchRig, source: PacketSource, peer: string): Promise<void> {
    const sender = new FrameSender(peer);
    const bytes = toPort(++portLast);
    sender.send(bytes);
    sender.close();
    await rig.until(source, () => rig.sink.hex.at(-1) === hex(bytes));
  }

  function expectBalance(rig: WatchRig, source: PacketSource): void {
    const { kernelPackets, kernelDropped } = source.statistics();
    expect(rig.sink.frames.length).toBe(kernelPackets - kernelDropped);
  }

  const backends = [
    { backend: 'afpacket', missing: null },
    { backend: 'cap', missing: capLinkObstacle },
  ] as const;

  describe.each(backends)('$backend', ({ backend, missing }) => {
    it('when it goes down and up', async (context) => {
      if (missing) context.skip(missing);
      const rig = new WatchRig();
      const source = await open(rig, rig.watch('capture0', backend));
      await expectArrival(rig, source, 'peer0');
      namespace.ip('link', 'set', 'capture0', 'down');
      await rig.until(source, () => rig.state() === 'down');
      expect(rig.gapReasons).toEqual(['interface_down…']);
      expect(rig.log.at(-1)).toBe('capture0 is down; the capture goes on when it is back');
      namespace.up('capture0');
      await rig.until(source, () => rig.isCapturing());
      await expectArrival(rig, source, 'peer0');
      expect(rig.log.at(-1)).toBe('capture0 is captured from again');
      expect(rig.gapReasons).toEqual(['interface_down']);
      expect(rig.areGapsSound).toBe(true);
      expectBalance(rig, source);
    });

    it('when its link goes down and up', async (context) => {
      if (missing) context.skip(missing);
      const rig = new WatchRig();
      const source = await open(rig, rig.watch('capture0', backend));
      await expectArrival(rig, source, 'peer0');
      namespace.ip('link', 'set', 'peer0', 'down');
      await rig.until(source, () => rig.state() === 'no_carrier');
      namespace.up('peer0');
      await rig.until(source, () => rig.isCapturing());
      await expectArrival(rig, source, 'peer0');
      expect(rig.gapReasons).toEqual(['no_carrier']);
      expect(rig.areGapsSound).toBe(true);
      expectBalance(rig, source);
    });

    it('when it goes away and another of the same name comes', async (context) => {
      if (missing) context.skip(missing);
      namespace.addPair('again0', 'again1');
      const rig = new WatchRig();
      const source = await open(rig, rig.watch('again0', backend));
      await expectArrival(rig, source, 'again1');
      namespace.ip('link', 'delete', 'again0');
      await rig.until(source, () => rig.state() === 'missing');
      namespace.addPair('again0', 'again1');
      await rig.until(source, () => rig.isCapturing());
      await expectArrival(rig, source, 'again1');
      // At once, so that nobody sees it missing.
      namespace.ip('link', 'delete', 'again0');
      namespace.addPair('again0', 'again1');
      await rig.until(source, () => rig.gaps.lastNumber === 2 && rig.isCapturing());
      await expectArrival(rig, source, 'again1');
      expect(rig.areGapsSound).toBe(true);
      expect(source.statistics()).toMatchObject({ kernelPackets: 3, kernelDropped: 0 });
      expectBalance(rig, source);
      namespace.ip('link', 'delete', 'again0');
    });

    it('when it is renamed and gets its name back', async (context) => {
      if (missing) context.skip(missing);
      namespace.addPair('name0', 'name1');
      const rig = new WatchRig();
      const source = await open(rig, rig.watch('name0', backend));
      await expectArrival(rig, source, 'name1');
      const rename = (from: string, to: string): void => {
        namespace.ip('link', 'set', from, 'down');
        namespace.ip('link', 'set', from, 'name', to);
        namespace.up(to);
      };
      rename('name0', 'other0');
      await rig.until(source, () => rig.state() === 'missing');
      const before = rig.sink.frames.length;
      const sender = new FrameSender('name1');
      sender.send(toPort(9999));
      sender.close();
      for (let round = 0; round < 5; round++) await source.step(WAIT_MS);
      expect(rig.sink.frames.length).toBe(before);
      rename('other0', 'name0');
      await rig.until(source, () => rig.isCapturing());
      await expectArrival(rig, source, 'name1');
      expect(rig.areGapsSound).toBe(true);
      expectBalance(rig, source);
      namespace.ip('link', 'delete', 'name0');
    });

    it('when it is not there yet', async (context) => {
      if (missing) context.skip(missing);
      const rig = new WatchRig();
      const source = await open(rig, rig.watch('later0', backend));
      expect(rig.state()).toBe('missing');
      expect(rig.log).toEqual(['later0 is not there; the capture goes on when it is back']);
      expect(await source.step(1)).toBe(Step.Idle);
      namespace.addPair('later0', 'later1');
      await rig.until(source, () => rig.isCapturing());
      await expectArrival(rig, source, 'later1');
      expect(rig.gapReasons).toEqual(['interface_missing']);
      namespace.ip('link', 'delete', 'later0');
    });

    it('and can be stopped at any moment', async (context) => {
      if (missing) context.skip(missing);
      namespace.addPair('stop0', 'stop1');
      const rig = new WatchRig();
      const source = await open(rig, rig.watch('stop0', backend));
      await expectArrival(rig, source, 'stop1');
      const sender = new FrameSender('stop1');
      sender.send(toPort(1));
      sender.close();
      namespace.ip('link', 'delete', 'stop0');
      source.stopIntake();
      while ((await source.step(WAIT_MS)) === Step.More);
      // A frame that libpcap still held when its socket broke is counted as dropped.
      if (backend === 'afpacket') expect(rig.sink.frames.length).toBe(2);
      expect(source.statistics().kernelPackets).toBe(2);
      expectBalance(rig, source);

      const missingRig = new WatchRig();
      const waiting = await open(missingRig, missingRig.watch('stop0', backend));
      waiting.stopIntake();
      expect(await waiting.step(60_000)).toBe(Step.Idle);
      waiting.close();
      expect(missingRig.gapReasons).toEqual(['interface_missing']);
      expect(missingRig.areGapsSound).toBe(true);
    });

    it('refuses to start without it when it is not to wait', async (context) => {
      if (missing) context.skip(missing);
      const rig = new WatchRig({ 'capture.wait-for-interface': false });
      const before = openFdCount();
      await expect(rig.watch('nosuch0', backend).open(rig.sink, rig.interfaces)).rejects.toMatchObject({
        code: 'INTERFACE_NOT_FOUND',
      });
      expect(openFdCount()).toBe(before);
    });

    it('refuses a filter that is not valid before the interface is there', async (context) => {
      if (missing) context.skip(missing);
      if (!canCompileFilters()) context.skip('needs libpcap');
      const rig = new WatchRig({ 'capture.filter': 'port port' });
      await expect(rig.watch('nosuch0', backend).open(rig.sink, rig.interfaces)).rejects.toMatchObject({
        code: 'CAPTURE_FILTER_INVALID',
      });
    });

    it('a hundred times, and leaves nothing open', async (context) => {
      if (missing) context.skip(missing);
      namespace.addPair('cycle0', 'cycle1');
      const rig = new WatchRig();
      const source = await open(rig, rig.watch('cycle0', backend));
      await expectArrival(rig, source, 'cycle1');
      const before = openFdCount();
      for (let cycle = 0; cycle < 50; cycle++) {
        namespace.ip('link', 'set', 'cycle0', 'down');
        await rig.until(source, () => rig.state() === 'down');
        namespace.up('cycle0');
        await rig.until(source, () => rig.isCapturing());
        await expectArrival(rig, source, 'cycle1');
        namespace.ip('link', 'delete', 'cycle0');
        await rig.until(source, () => rig.state() === 'missing');
        namespace.addPair('cycle0', 'cycle1');
        await rig.until(source, () => rig.isCapturing());
        await expectArrival(rig, source, 'cycle1');
      }
      expect(openFdCount()).toBe(before);
      expect(rig.gaps.lastNumber).toBe(100);
      expect(source.statistics()).toMatchObject({ kernelPackets: 101, kernelDropped: 0 });
      namespace.ip('link', 'delete', 'cycle0');
    }, 120_000);
  });

  it('a VLAN filter, which needs the interface up, waits for it', async (context) => {
    if (!canCompileFilters()) context.skip('needs libpcap');
    namespace.ip('link', 'set', 'capture0', 'down');
    const rig = new WatchRig({ 'capture.filter': 'udp or vlan 7' });
    const source = await open(rig, rig.watch('capture0'));
    expect(rig.state()).toBe('down');
    namespace.up('capture0');
    await rig.until(source, () => rig.isCapturing());
    await expectArrival(rig, source, 'peer0');
  });

  it('a source that was left by a dead thread goes on with all that it had not handed over', async () => {
    const rig = new WatchRig();
    const dead = rig.watch('capture0');
    await dead.open(rig.sink, rig.interfaces);
    await expectArrival(rig, dead, 'peer0');
    const sender = new FrameSender('peer0');
    for (const port of [1, 2, 3]) sender.send(toPort(port));
    sender.close();
    const heir = await open(rig, rig.watch('capture0'));
    await rig.until(heir, () => rig.sink.frames.length === 4);
    await expectArrival(rig, heir, 'peer0');
    expect(rig.sink.hex.slice(1, 4)).toEqual([1, 2, 3].map((port) => hex(toPort(port))));
    expect(rig.gapReasons).toEqual([]);
    expect(heir.statistics().kernelPackets).toBe(5);
  });

  it('a source that was left by a dead thread is read to its end when its interface is gone', async () => {
    namespace.addPair('left0', 'left1');
    const rig = new WatchRig();
    const dead = rig.watch('left0');
    await dead.open(rig.sink, rig.interfaces);
    const sender = new FrameSender('left1');
    for (const port of [1, 2, 3]) sender.send(toPort(port));
    sender.close();
    namespace.ip('link', 'delete', 'left0');
    const heir = await open(rig, rig.watch('left0'));
    await rig.until(heir, () => rig.sink.frames.length === 3);
    await rig.until(heir, () => heir.fd === null);
    namespace.addPair('left0', 'left1');
    await rig.until(heir, () => rig.isCapturing());
    await expectArrival(rig, heir, 'left1');
    expect(rig.gapReasons).toEqual(['interface_missing']);
    expect(heir.statistics()).toMatchObject({ kernelPackets: 4, kernelDropped: 0 });
    namespace.ip('link', 'delete', 'left0');
  });

  it('where nothing was left, the time without a capture is a gap', async () => {
    const rig = new WatchRig();
    const first = await open(rig, rig.watch('capture0'));
    await expectArrival(rig, first, 'peer0');
    const checkedUs = rig.links.checkedUs(0);
    first.close();
    const second = await open(rig, rig.watch('capture0'));
    await expectArrival(rig, second, 'peer0');
    expect(rig.gapReasons).toEqual(['capture_restarted']);
    expect(rig.gaps.read(1)?.startUs).toBe(checkedUs);
    expect(rig.areGapsSound).toBe(true);
  });

  it('one of several that is away does not hold up the others', async () => {
    namespace.addPair('second0', 'second1');
    const rig = new WatchRig();
    const children = [rig.watch('capture0'), rig.watch('second0', 'afpacket', 1), rig.watch('third0', 'afpacket', 2)];
    const source = await open(rig, new MultiSource(children));
    const arriveOn = async (peer: string, name: string): Promise<void> => {
      await expectArrival(rig, source, peer);
      expect(rig.interfaces.name(rig.sink.frames.at(-1)?.interfaceIndex ?? -1)).toBe(name);
    };
    await arriveOn('peer0', 'capture0');
    await arriveOn('second1', 'second0');
    expect([0, 1, 2].map((index) => rig.state(index))).toEqual(['up', 'up', 'missing']);

    namespace.ip('link', 'delete', 'second0');
    await rig.until(source, () => rig.state(1) === 'missing');
    await arriveOn('peer0', 'capture0');
    namespace.addPair('third0', 'third1');
    namespace.addPair('second0', 'second1');
    await rig.until(source, () => rig.isCapturing(1) && rig.isCapturing(2));
    await arriveOn('third1', 'third0');
    await arriveOn('second1', 'second0');
    expect(source.statistics()).toMatchObject({ kernelPackets: 5, kernelDropped: 0 });
    expectBalance(rig, source);

    const sender = new FrameSender('third1');
    for (let count = 0; count < 50; count++) sender.send(toPort(count));
    source.stopIntake();
    for (let count = 0; count < 50; count++) sender.send(toPort(count));
    sender.close();
    while ((await source.step(WAIT_MS)) === Step.More);
    expect(source.statistics()).toMatchObject({ kernelPackets: 55, kernelDropped: 0 });
    expectBalance(rig, source);
    for (const name of ['second0', 'third0']) namespace.ip('link', 'delete', name);
  });
});
