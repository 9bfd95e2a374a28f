import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MultiSource } from '../../src/capture/multi-source.js';
import { Step } from '../../src/capture/source.js';
import { pcapFile } from '../helpers/capture-file.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { sendFile } from '../helpers/file-sender.js';
import { Daemon } from '../helpers/live-daemon.js';
import { toPort } from '../helpers/live-source.js';
import { WatchRig } from '../helpers/live-watch.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();

/** Frames of 1,442 bytes with what the ring needs for each: so many are in a block of 256 KiB. */
const FRAME = toPort(9, new Uint8Array(1400));
const FRAMES_PER_BLOCK = 169;
const BLOCKS = 64;

describe.skipIf(obstacle !== null)(`frames gather in the kernel's ring${obstacle ? ` (${obstacle})` : ''}`, () => {
  let namespace: NetworkNamespace;

  beforeAll(() => {
    namespace = new NetworkNamespace();
  });

  afterAll(() => namespace.delete());

  describe('of a source', () => {
    let leave: () => void;
    let sender: FrameSender;

    beforeAll(() => {
      leave = namespace.enter();
      sender = new FrameSender('peer0');
    });

    afterAll(() => {
      sender.close();
      leave();
    });

    const sources: MultiSource[] = [];

    afterEach(() => {
      for (const source of sources.splice(0)) source.close();
    });

    /** A source of a busy interface and a quiet one, which has nothing to read. */
    async function open(): Promise<MultiSource> {
      const rig = new WatchRig();
      const source = new MultiSource([rig.watch('capture0'), rig.watch('lo', 'afpacket', 1)]);
      sources.push(source);
      await source.open(rig.sink, rig.interfaces);
      while ((await source.step(0)) !== Step.Idle);
      return source;
    }

    const send = (blocks: number): void => {
      for (let count = 0; count < blocks * FRAMES_PER_BLOCK; count++) sender.send(FRAME);
    };

    it('that is busy, for a while; one that is quiet waits for the kernel', async () => {
      const source = await open();
      expect(source.restMs()).toBe(Number.POSITIVE_INFINITY);
      send(12);
      while ((await source.step(0)) === Step.More);
      // The last step found nothing: that look waits for the kernel. What counts is the one that finds something.
      expect(source.restMs()).toBe(Number.POSITIVE_INFINITY);
      send(12);
      expect(await source.step(0)).toBe(Step.More);
      expect(source.restMs()).toBeLessThanOrEqual(100);
    });

    it('until a quarter of the ring is full, however short the rest has been', async () => {
      const source = await open();
      send(BLOCKS / 4 + 2);
      expect(source.restMs()).toBe(0);
    });
  });

  it('so that a busy daemon wakes for many frames at a time, and loses none', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'large.pcap');
    writeFileSync(file, pcapFile(Array.from({ length: 100 }, () => ({ bytes: FRAME }))));
    const daemon = new Daemon(namespace, ['--interface', 'capture0', '--db', join(directory, 'flows.db')]);
    await daemon.line('capturing');
    const task = (await daemon.health()).threads.find(({ name }) => name === 'capture')?.task_id as number;
    expect(task).toBeGreaterThan(0);
    const sleeps = (): number =>
      Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(readFileSync(`/proc/${task}/status`, 'latin1'))?.[1]);
    const before = sleeps();
    const count = 40_000;
    await sendFile(namespace, file, count, 20_000);
    const blocks = count / FRAMES_PER_BLOCK;
    const during = sleeps() - before;
    const { capture } = await daemon.healthWith((body) => body.capture.received_packets >= count);
    // Without it, each of the 237 blocks wakes the thread; a thread that the machine keeps waiting wakes less often still.
    expect(during).toBeLessThan(blocks / 2);
    expect(capture.kernel_dropped_packets).toBe(0);
    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);
    expect(daemon.lines.at(-1)).toMatchObject({ msg: 'stopped', difference: 0 });
  });
});
