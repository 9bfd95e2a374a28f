import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkDatabase } from '../../src/store/check.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();
const WRONG_CLOCK = fileURLToPath(new URL('../fixtures/wrong-clock.mjs', import.meta.url));
const HOUR_US = 3600e6;

describe.skipIf(obstacle !== null)(`a daemon that starts with a wrong clock (${obstacle ?? 'as root'})`, () => {
  it('begins a new session when the clock has been set, and loses nothing', async () => {
    const namespace = new NetworkNamespace();
    onTestFinished(() => namespace.delete());
    const database = join(temporaryDirectory(), 'flows.db');
    const options = { 'capture.interface': 'capture0', 'db.path': database, 'api.port': 0 };
    const daemon = new Daemon(namespace, [], [WRONG_CLOCK, JSON.stringify(options)]);
    const send = (srcPort: number): void =>
      namespace.run(() => {
        const sender = new FrameSender('peer0');
        for (let count = 0; count < 100; count++) sender.send(udpFrame({ srcPort, dstPort: 53 }));
        sender.close();
      });
    await daemon.line('capturing');
    send(1000);
    daemon.signal('SIGUSR2');
    const renewed = 'the clock was set by 7200 s and is kept right now: a new session begins, so that times are right';
    expect(await daemon.line(renewed)).toMatchObject({ level: 'warn', clock_offset_s: 7200 });
    await daemon.line('capturing', 2);
    send(2000);
    const nowUs = Date.now() * 1000;
    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);

    const db = new Database(database, { readonly: true });
    const packets = db.prepare('SELECT sum(src_packets) packets, max(start_us) us FROM flow_view WHERE src_port = ?');
    const [before, after] = [1000, 2000].map((port) => packets.get(port) as { packets: number; us: number });
    const sessions = db.prepare('SELECT clean FROM sessions').pluck().all();
    db.close();
    expect([before?.packets, after?.packets, sessions]).toEqual([100, 100, [1, 1]]);
    expect(before?.us).toBeLessThan(nowUs - HOUR_US);
    expect(Math.abs((after?.us as number) - nowUs)).toBeLessThan(HOUR_US);
    expect(checkDatabase(database).checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});
