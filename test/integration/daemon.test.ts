import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { flowberry, program, temporaryDirectory } from '../helpers/daemon.js';
import { tcpFrame, udpFrame } from '../helpers/frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();

const FRAMES = 20_000;
const ask = promisify(execFile);

/** Sends frames of many flows into the veth pair, from the far end. */
function sendBurst(namespace: NetworkNamespace): { frames: number; wireBytes: number } {
  let wireBytes = 0;
  namespace.run(() => {
    const sender = new FrameSender('peer0');
    for (let i = 0; i < FRAMES; i++) {
      const ports = { srcPort: 1024 + (i % 500), dstPort: i % 3 ? 443 : 53 };
      const bytes =
        i % 2 ? udpFrame({ ...ports, payload: 'x'.repeat(i % 1200) }) : tcpFrame({ ...ports, payload: 'y'.repeat(i % 900) });
      wireBytes += bytes.length;
      sender.send(bytes);
    }
    sender.close();
  });
  return { frames: FRAMES, wireBytes };
}

describe.skipIf(obstacle !== null)(`the daemon on a veth pair (${obstacle ?? 'as root'})`, () => {
  it.each(['afpacket', 'cap'])('%s: kernel, ledger and database agree, and SIGTERM loses nothing', async (backend) => {
    const namespace = new NetworkNamespace();
    onTestFinished(() => namespace.delete());
    const database = join(temporaryDirectory(), 'flows.db');
    const daemon = new Daemon(namespace, ['--interface', 'capture0', '--backend', backend, '--db', database]);
    await daemon.line('capturing');
    const sent = sendBurst(namespace);
    // Right behind the last frame: part of the burst is still in the kernel's blocks.
    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);

    const stopped = await daemon.line('stopped');
    const db = new Database(database, { readonly: true });
    const flows = db
      .prepare('SELECT sum(src_packets + dst_packets) packets, sum(src_wire_bytes + dst_wire_bytes) wire FROM flow_view')
      .get();
    const ledger = db
      .prepare('SELECT sum(frames_received) received, sum(kernel_packets) kernel, sum(kernel_dropped) lost FROM ledger')
      .get();
    db.close();
    const { received, kernel, lost } = ledger as Record<string, number>;
    expect(received).toBe((kernel as number) - (lost as number));
    expect(stopped).toMatchObject({
      packets_received: received,
      difference: 0,
      packets_dropped: (received as number) - (stopped['packets_in_flows'] as number),
    });
    expect((flows as { packets: number }).packets).toBe(stopped['packets_in_flows']);
    // Nothing else speaks IP over the pair.
    expect(kernel).toBe(sent.frames);
    if (lost === 0) expect(flows).toMatchObject({ packets: sent.frames, wire: sent.wireBytes });
    expect((await flowberry(['db', 'check', '--db', database])).exitCode).toBe(0);
  });

  it('says in one line that an interface is not there, if it is not to wait for it', async () => {
    const { exitCode, stderr } = await flowberry([
      'run',
      '--interface',
      'nothere',
      '--no-wait-for-interface',
      '--db',
      join(temporaryDirectory(), 'flows.db'),
    ]);
    expect(stderr).toMatch(/^flowberry: INTERFACE_NOT_FOUND: [^\n]*nothere[^\n]*\n$/);
    expect(exitCode).toBe(66);
  });

  it('says in one line that a filter is wrong', async () => {
    const args = ['run', '--interface', 'lo', '--filter', 'no such filter', '--db', join(temporaryDirectory(), 'flows.db')];
    const { exitCode, stderr } = await flowberry(args);
    expect(stderr).toMatch(/^flowberry: CAPTURE_FILTER_INVALID: [^\n]*\n$/);
    expect(exitCode).toBe(64);
  });

  it('says in one line that the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const args = ['run', '--interface', 'lo', '--api-port', String(port), '--db', join(temporaryDirectory(), 'flows.db')];
    const { exitCode, stderr } = await flowberry(args);
    expect(stderr).toMatch(new RegExp(`^flowberry: API_PORT_IN_USE: [^\\n]*${port}[^\\n]*\\n$`));
    expect(exitCode).toBe(69);
  });

  it('runs and answers under flags of V8, which are none of a thread', async () => {
    const namespace = new NetworkNamespace();
    onTestFinished(() => namespace.delete());
    const args = ['--interface', 'capture0', '--db', join(temporaryDirectory(), 'flows.db')];
    const daemon = new Daemon(namespace, args, ['--max-old-space-size=512', program, 'run', '--api-port', '0']);
    const { health } = (await daemon.line('capturing')) as unknown as { health: string };
    const { stdout } = await ask('ip', ['netns', 'exec', namespace.name, 'curl', '-s', new URL('/api/v1/flows', health).href]);
    expect(JSON.parse(stdout)).toMatchObject({ flows: [] });
    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);
  });

  it('refuses a second writer on its database', async () => {
    const namespace = new NetworkNamespace();
    onTestFinished(() => namespace.delete());
    const database = join(temporaryDirectory(), 'flows.db');
    const daemon = new Daemon(namespace, ['--interface', 'capture0', '--db', database]);
    await daemon.line('capturing');
    const { exitCode, stderr } = await flowberry(['run', '--interface', 'lo', '--api-port', '0', '--db', database]);
    expect(stderr).toMatch(/^flowberry: DATABASE_LOCKED: [^\n]*\n$/);
    expect(exitCode).toBe(75);
    daemon.signal('SIGINT');
    expect(await daemon.exitCode()).toBe(0);
  });
});
