import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { capLinkObstacle } from '../helpers/live-source.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();

function curlObstacle(): string | null {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'needs curl';
  }
}

const missing = obstacle ?? curlObstacle();

function rig(args: readonly string[]): { namespace: NetworkNamespace; daemon: Daemon; database: string } {
  const namespace = new NetworkNamespace();
  onTestFinished(() => namespace.delete());
  const database = join(temporaryDirectory(), 'flows.db');
  return { namespace, daemon: new Daemon(namespace, [...args, '--db', database]), database };
}

function send(namespace: NetworkNamespace, peer: string, count: number, srcPort: number): void {
  namespace.run(() => {
    const sender = new FrameSender(peer);
    for (let index = 0; index < count; index++) sender.send(udpFrame({ srcPort, dstPort: 53 }));
    sender.close();
  });
}

/** Packets of every flow by the interface that saw it first. */
function packetsByInterface(database: string): Record<string, number> {
  const db = new Database(database, { readonly: true });
  const rows = db
    .prepare('SELECT interface, sum(src_packets + dst_packets) packets FROM flow_view GROUP BY interface ORDER BY interface')
    .all() as { interface: string; packets: number }[];
  db.close();
  return Object.fromEntries(rows.map((row) => [row.interface, row.packets]));
}

describe.skipIf(missing !== null)(`the daemon and its interfaces (${missing ?? 'as root'})`, () => {
  it('waits for an interface that is not there, and captures from another meanwhile', async () => {
    const { namespace, daemon, database } = rig(['--interface', 'capture0,late0']);
    await daemon.line('capturing');
    await daemon.line('late0 is not there; the capture goes on when it is back');
    // A thread may be starting yet.
    const before = await daemon.healthWith(
      ({ reasons }) => reasons.length > 0 && reasons.every(({ code }) => code !== 'starting'),
    );
    expect(before.reasons.map(({ code }) => code)).toEqual(['interface_down']);
    expect(before.reasons[0]?.message).toMatch(/^late0 is not there, nothing is captured from it since \d{4}-.*Z$/);
    expect(before.links.map(({ name, state }) => [name, state])).toEqual([
      ['capture0', 'up'],
      ['late0', 'missing'],
    ]);
    expect(before.gaps).toMatchObject({ count: 1, last: { interface: 'late0', reason: 'interface_missing', end_us: null } });
    send(namespace, 'peer0', 30, 1000);

    namespace.addPair('late0', 'late1');
    const after = await daemon.healthWith(({ status }) => status === 'ok');
    expect(after.gaps.last?.end_us).toBeGreaterThan(after.gaps.last?.start_us as number);
    send(namespace, 'late1', 20, 2000);
    await daemon.healthWith(({ ledger }) => ledger.in_flows === 50);

    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);
    expect(await daemon.line('stopped')).toMatchObject({ packets_received: 50, packets_in_flows: 50, difference: 0 });
    expect(packetsByInterface(database)).toEqual({ capture0: 30, late0: 20 });
    expect((await flowberry(['db', 'check', '--db', database])).exitCode).toBe(0);
  });

  it.for(['afpacket', 'cap'])(
    '%s: counts on through an interface that goes away, down and comes back',
    async (backend, context) => {
      if (backend === 'cap' && capLinkObstacle) context.skip(capLinkObstacle);
      const { namespace, daemon, database } = rig(['--interface', 'capture0', '--backend', backend]);
      await daemon.line('capturing');
      send(namespace, 'peer0', 10, 1000);
      await daemon.healthWith(({ ledger }) => ledger.received === 10);
      namespace.ip('link', 'delete', 'capture0');
      const gone = await daemon.healthWith(({ status }) => status === 'degraded');
      expect(gone.reasons[0]).toMatchObject({ code: 'interface_down', severity: 'degraded' });
      namespace.addPair('capture0', 'peer0');
      await daemon.healthWith(({ status }) => status === 'ok');
      send(namespace, 'peer0', 10, 1000);
      await daemon.healthWith(({ ledger }) => ledger.received === 20);
      namespace.ip('link', 'set', 'capture0', 'down');
      await daemon.healthWith(({ links }) => links[0]?.state === 'down');
      namespace.up('capture0');
      await daemon.healthWith(({ status }) => status === 'ok');
      send(namespace, 'peer0', 10, 1000);
      const body = await daemon.healthWith(({ ledger }) => ledger.received === 30);
      expect(body.capture).toMatchObject({ kernel_packets: 30, kernel_dropped_packets: 0 });
      expect(body.threads.every(({ restarts }) => restarts === 0)).toBe(true);
      daemon.signal('SIGTERM');
      expect(await daemon.exitCode()).toBe(0);
      expect(packetsByInterface(database)).toEqual({ capture0: 30 });
      expect((await flowberry(['db', 'check', '--db', database])).exitCode).toBe(0);
    },
  );

  it('loses nothing of a quiet line while it does not get round to reading for a second and a half', async () => {
    const { namespace, daemon } = rig(['--interface', 'capture0']);
    await daemon.healthWith(({ status }) => status === 'ok');
    daemon.signal('SIGSTOP');
    for (let sent = 0; sent < 300; sent += 5) {
      send(namespace, 'peer0', 5, 1000);
      await setTimeout(25);
    }
    daemon.signal('SIGCONT');
    const body = await daemon.healthWith(({ capture }) => capture.kernel_packets === 300);
    expect(body.capture.kernel_dropped_packets).toBe(0);
    await daemon.healthWith(({ ledger }) => ledger.in_flows === 300);
  });

  it.each([
    { flag: '--exclude-own', isExcluded: true },
    { flag: '--no-exclude-own', isExcluded: false },
  ])('$flag: connections with its own API are counted, and are flows or not', async ({ flag, isExcluded }) => {
    const { daemon, database } = rig(['--interface', 'lo', flag]);
    const { health } = (await daemon.line('capturing')) as unknown as { health: string };
    for (let round = 0; round < 5; round++) await daemon.health();
    await daemon.healthWith(({ ledger }) => ledger.received >= 40);
    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);
    const stopped = await daemon.line('stopped');
    expect(stopped).toMatchObject({ difference: 0 });
    const db = new Database(database, { readonly: true });
    const ports = db.prepare('SELECT DISTINCT dst_port FROM flow_view').pluck().all();
    db.close();
    expect(ports).toEqual(isExcluded ? [] : [Number(new URL(health).port)]);
    expect(stopped['packets_dropped']).toBe(isExcluded ? stopped['packets_received'] : 0);
    expect((await flowberry(['db', 'check', '--db', database])).exitCode).toBe(0);
  });

  it('takes one interface with cap, and says so', async () => {
    const args = ['run', '--interface', 'lo,eth0', '--backend', 'cap', '--db', join(temporaryDirectory(), 'flows.db')];
    const { exitCode, stderr } = await flowberry(args);
    expect(stderr).toMatch(/^flowberry: CONFIG_VALUE_INVALID: the cap backend captures from one interface[^\n]*\n$/);
    expect(exitCode).toBe(78);
  });
});
