import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pcapFile } from '../helpers/capture-file.js';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';
import { sendFile } from '../helpers/file-sender.js';
import { tcpFrame, udpFrame } from '../helpers/frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();

const FLOOD_PACKETS = 300_000;
const FLOODS_MAX = 10;
const MARKED_PORT = 4242;
const MARKED_PACKETS = 200;

/** A capture of SYN segments, each of them between other addresses and ports. */
function writeScan(path: string): string {
  const frames = Array.from({ length: 20_000 }, (_, index) => {
    const random = Math.imul(index + 1, 0x9e3779b1) >>> 0;
    const src = `10.${random >>> 24}.${(random >>> 16) & 255}.${(random >>> 8) & 255}`;
    return { bytes: tcpFrame({ src, srcPort: 1024 + (index % 60_000), dst: '192.0.2.1', dstPort: random & 0xffff, flags: 'S' }) };
  });
  writeFileSync(path, pcapFile(frames));
  return path;
}

interface Sums {
  readonly received: number;
  readonly in_flows: number;
  readonly dropped: number;
  readonly kernel: number;
  readonly kernel_dropped: number;
  readonly rows: number;
  readonly marked: number;
}

function sumsOf(path: string): Sums {
  const database = new Database(path, { readonly: true });
  const sums = database
    .prepare(
      `SELECT sum(frames_received) received, sum(packets_in_flows) in_flows, sum(packets_dropped) dropped,
         sum(kernel_packets) kernel, sum(kernel_dropped) kernel_dropped,
         (SELECT sum(src_packets + dst_packets) FROM flow_view) rows,
         (SELECT sum(src_packets) FROM flow_view WHERE dst_port = ${MARKED_PORT} AND protocol = 17) marked FROM ledger`,
    )
    .get() as Sums;
  database.close();
  return sums;
}

describe.skipIf(obstacle !== null)(`a flood${obstacle ? ` (${obstacle})` : ''}`, () => {
  let namespace: NetworkNamespace;

  beforeAll(() => {
    namespace = new NetworkNamespace();
  });

  afterAll(() => namespace.delete());

  it('beyond the rings is shed and counted exactly, is told in /health, and is over when it is over', async () => {
    const directory = temporaryDirectory();
    const scan = writeScan(join(directory, 'scan.pcap'));
    const database = join(directory, 'flows.db');
    const small = ['--ring-frame-bytes', '1048576', '--capture-buffer-bytes', '1048576', '--flows-active-max', '2000'];
    const daemon = new Daemon(namespace, ['--interface', 'capture0', '--db', database, ...small]);
    await daemon.line('capturing');

    let floods = 0;
    const lost = async (): Promise<number> => {
      const { capture, ledger } = await daemon.health();
      return capture.kernel_dropped_packets + (ledger.dropped.ring_full ?? 0);
    };
    do {
      let isOver = false;
      const flooding = sendFile(namespace, scan, FLOOD_PACKETS, null).finally(() => {
        isOver = true;
      });
      // It answers all the while, whatever it drops.
      do expect((await daemon.health()).status).not.toBe('failed');
      while (!isOver);
      await flooding;
      floods++;
    } while ((await lost()) === 0 && floods < FLOODS_MAX);

    const after = await daemon.healthWith(({ ledger }) => ledger.waiting === 0);
    expect(after.status).toBe('degraded');
    expect(after.reasons.map(({ code }) => code)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(kernel_drops|ring_full)$/)]),
    );
    expect(after.flows.active).toBeLessThanOrEqual(after.flows.active_max);
    expect(after.flows.evicted).toBeGreaterThan(0);
    const lostInFlood = await lost();
    const { losses, ledger } = after;
    const inRings = losses.filter(({ where }) => where.startsWith('ring-')).reduce((sum, { packets }) => sum + packets, 0);
    expect(inRings).toBe(ledger.dropped.ring_full ?? 0);

    namespace.run(() => {
      const sender = new FrameSender('peer0');
      for (let packet = 0; packet < MARKED_PACKETS; packet++) sender.send(udpFrame({ dstPort: MARKED_PORT }));
      sender.close();
    });
    const sent = floods * FLOOD_PACKETS + MARKED_PACKETS;
    await daemon.healthWith(({ capture, ledger }) => capture.kernel_packets === sent && ledger.waiting === 0);
    expect(await lost()).toBe(lostInFlood);

    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);
    const sums = sumsOf(database);
    expect(sums.kernel).toBe(sent);
    expect(sums.kernel - sums.kernel_dropped).toBe(sums.received);
    expect(sums.in_flows + sums.dropped).toBe(sums.received);
    expect(sums.rows).toBe(sums.in_flows);
    expect(sums.kernel_dropped + sums.dropped).toBe(lostInFlood);
    expect(sums.marked).toBe(MARKED_PACKETS);
    expect((await flowberry(['db', 'check', '--db', database])).exitCode).toBe(0);
  }, 120_000);
});
