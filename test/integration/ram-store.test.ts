import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isInMemory } from '../../src/store/budget/block-device.js';
import { isDiskCounted } from '../helpers/counted-disk.js';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';
import { NotifyListener } from '../helpers/notify-listener.js';
import { mountObstacle, SmallDisk } from '../helpers/small-disk.js';

const obstacle = namespaceObstacle() ?? (isInMemory('/dev/shm') ? null : 'needs a tmpfs at /dev/shm');

/** Several daemons and commands, one after the other, on a machine that has other things to do. */
const RUN_MS_MAX = 120_000;

/** A database in memory, its disk and a network that it is fed from. */
class Scene {
  readonly namespace = new NetworkNamespace();
  readonly memory = mkdtempSync('/dev/shm/flowberry-test-');
  readonly database: string;
  private sent = 0;

  constructor(readonly disk = temporaryDirectory()) {
    this.database = join(disk, 'flows.db');
    onTestFinished(() => {
      this.namespace.delete();
      rmSync(this.memory, { recursive: true });
    });
  }

  /** Rows come within a second, so that nobody waits for them. */
  async start(...more: string[]): Promise<Daemon> {
    const ram = ['--store-profile', 'ram', '--store-ram-directory', this.memory];
    const quick = ['--flow-idle-udp-s', '1', '--batch-age-ms-max', '100', '--api-port', '8417'];
    const daemon = new Daemon(this.namespace, ['--interface', 'capture0', '--db', this.database, ...ram, ...quick, ...more]);
    await daemon.line('capturing');
    return daemon;
  }

  /** Sends so many packets, each a flow of its own. */
  send(count: number): void {
    this.namespace.run(() => {
      const sender = new FrameSender('peer0');
      for (let i = 0; i < count; i++) sender.send(udpFrame({ srcPort: 1024 + this.sent++, dstPort: 9, payload: 'x' }));
      sender.close();
    });
  }

  /** Sends so many flows, and waits until they are rows. */
  async record(daemon: Daemon, count: number): Promise<void> {
    const { written } = (await daemon.health()).flows;
    this.send(count);
    await daemon.healthWith(({ flows }) => flows.written >= written + count);
  }

  /** Asks as an operator does, in the network of the daemon. */
  async command(...args: string[]): ReturnType<typeof flowberry> {
    const leave = this.namespace.enter();
    const running = flowberry([...args, '--db', this.database]);
    leave();
    return await running;
  }

  /** Everything that a write changes in the directory of `db.path`. */
  get state(): string[] {
    const names = readdirSync(this.disk).map((name) => {
      const { ino, size, mtimeMs, ctimeMs } = lstatSync(join(this.disk, name));
      return `${name} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    });
    return [...names, `. ${statSync(this.disk).mtimeMs}`];
  }

  get flows(): number {
    const db = new Database(this.database, { readonly: true });
    try {
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      return db.prepare<[], number>('SELECT count(*) FROM flows').pluck().get() as number;
    } finally {
      db.close();
    }
  }
}

describe.skipIf(obstacle !== null)(`the daemon with its database in memory (${obstacle ?? 'as root'})`, () => {
  it(
    'writes nothing while it runs, saves when asked, and all at the stop',
    async () => {
      const scene = new Scene();
      const daemon = await scene.start();
      const before = scene.state;
      await scene.record(daemon, 20);
      expect(scene.state).toEqual(before);
      expect(existsSync(scene.database)).toBe(false);
      const health = await daemon.health();
      expect(health).toMatchObject({ status: 'ok', io: { profile: 'ram' }, config: { db_path: scene.database } });
      expect(health.writer.saves).toMatchObject({ made: 0, failed: 0, running: false, last_us: null });

      // Commands with no more than the name find the rows in memory.
      const found = await scene.command('flows', '--since', 'all', '--json');
      expect(JSON.parse(found.stdout).flows).toHaveLength(20);
      expect((await scene.command('db', 'check')).exitCode).toBe(0);
      expect(scene.state).toEqual(before);

      const saved = await scene.command('db', 'save');
      expect(saved).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${scene.database}: saved`) });
      expect(scene.flows).toBe(20);
      expect((await daemon.health()).writer.saves).toMatchObject({ made: 1, last_bytes: statSync(scene.database).size });

      const between = scene.state;
      await scene.record(daemon, 10);
      expect(scene.state).toEqual(between);
      // Open flows as well: they are written by the stop.
      scene.send(5);
      daemon.signal('SIGTERM');
      expect(await daemon.exitCode()).toBe(0);
      expect(scene.flows).toBe(35);
      const stopped = await scene.command('db', 'check');
      expect(stopped.stdout).toContain(scene.database);
      expect(stopped.exitCode).toBe(0);
    },
    RUN_MS_MAX,
  );

  it(
    'takes up what a killed run left in memory, and has every committed row',
    async () => {
      const scene = new Scene();
      const first = await scene.start();
      await scene.record(first, 10);
      expect((await scene.command('db', 'save')).exitCode).toBe(0);
      await scene.record(first, 10);
      first.signal('SIGKILL');
      await first.exitCode();
      expect(scene.flows).toBe(10);

      const second = await scene.start();
      const message = `database ${scene.database}: what an earlier run has left in memory is newer, and is taken up`;
      expect(await second.line(message)).toMatchObject({ level: 'warn' });
      await scene.record(second, 5);
      second.signal('SIGTERM');
      expect(await second.exitCode()).toBe(0);
      expect(scene.flows).toBe(25);
      expect((await scene.command('db', 'check')).exitCode).toBe(0);
    },
    RUN_MS_MAX,
  );

  it(
    'is killed in the middle of saves, and the file is that of before or the new one',
    async () => {
      const scene = new Scene();
      let written = 0;
      for (let round = 0; round < 3; round++) {
        const daemon = await scene.start();
        await scene.record(daemon, 10);
        written += 10;
        const isThere = existsSync(scene.database);
        const before = isThere ? scene.flows : 0;
        const saving = scene.command('db', 'save');
        // The later the round, the further the save has come.
        await daemon.healthWith(({ writer }) => writer.saves?.running === true || (writer.saves?.made ?? 0) > 0);
        for (let look = 0; look < round; look++) await daemon.health();
        daemon.signal('SIGKILL');
        await daemon.exitCode();
        await saving;
        if (existsSync(scene.database)) expect([before, written]).toContain(scene.flows);
      }
      expect((await scene.command('db', 'save')).stdout).toContain('saved');
      expect(scene.flows).toBe(written);
      expect((await scene.command('db', 'check')).exitCode).toBe(0);
      expect((await scene.command('db', 'save')).stdout).toContain('nothing of it is in memory');
    },
    RUN_MS_MAX,
  );

  it.skipIf(mountObstacle() !== null)(
    `says that the disk is full, keeps the copy, and saves it when there is room (${mountObstacle() ?? 'as root'})`,
    async () => {
      const disk = new SmallDisk(40);
      onTestFinished(() => disk.remove());
      const scene = new Scene(disk.path);
      const daemon = await scene.start();
      await scene.record(daemon, 10);
      expect((await scene.command('db', 'save')).exitCode).toBe(0);
      const before = readFileSync(scene.database);
      writeFileSync(join(disk.path, 'other'), Buffer.alloc(30 * 2 ** 20));

      await scene.record(daemon, 10);
      const refused = await scene.command('db', 'save');
      expect(refused).toMatchObject({ exitCode: 74, stderr: expect.stringContaining('DATABASE_SAVE_FAILED') });
      const health = await daemon.health();
      expect(health.reasons.map(({ code }) => code)).toContain('save_failed');
      expect(health.writer.saves).toMatchObject({ made: 1, failed: 1, failures: 1 });
      expect(readFileSync(scene.database).equals(before)).toBe(true);
      // Capture has gone on.
      await scene.record(daemon, 10);
      daemon.signal('SIGTERM');
      expect(await daemon.exitCode()).toBe(74);
      const failures = daemon.lines.filter((line) => line['code'] === 'DATABASE_SAVE_FAILED');
      expect(failures).toHaveLength(2);
      expect(existsSync(failures[1]?.['file'] as string)).toBe(true);
      expect(scene.flows).toBe(10);

      rmSync(join(disk.path, 'other'));
      expect((await scene.command('db', 'save')).exitCode).toBe(0);
      expect(scene.flows).toBe(30);
    },
    RUN_MS_MAX,
  );

  it.skipIf(mountObstacle() !== null)(
    `runs where the disk can only be read (${mountObstacle() ?? 'as root'})`,
    async () => {
      const disk = new SmallDisk(40);
      onTestFinished(() => disk.remove());
      const scene = new Scene(disk.path);
      const first = await scene.start();
      await scene.record(first, 10);
      first.signal('SIGTERM');
      expect(await first.exitCode()).toBe(0);
      rmSync(`${scene.database}-live`);
      rmSync(`${scene.database}-lock`);

      disk.setReadOnly(true);
      const before = scene.state;
      const second = await scene.start();
      expect(
        second.lines.some(({ msg }) => msg.includes('it cannot be saved as long as its directory cannot be written to: EROFS')),
      ).toBe(true);
      await scene.record(second, 10);
      // Without a link, the config of the daemon leads there.
      const file = join(temporaryDirectory(), 'flowberry.toml');
      writeFileSync(file, `[store]\nprofile = "ram"\nram-directory = "${scene.memory}"\n`);
      const found = await scene.command('flows', '--since', 'all', '--json', '--config', file);
      expect(JSON.parse(found.stdout).flows).toHaveLength(20);
      const refused = await scene.command('db', 'save', '--config', file);
      expect(refused).toMatchObject({ exitCode: 74, stderr: expect.stringContaining('DATABASE_SAVE_FAILED') });
      expect((await second.health()).reasons.map(({ code }) => code)).toContain('save_failed');
      expect(scene.state).toEqual(before);

      second.signal('SIGTERM');
      expect(await second.exitCode()).toBe(74);
      disk.setReadOnly(false);
      expect((await scene.command('db', 'save', '--config', file)).exitCode).toBe(0);
      expect(scene.flows).toBe(20);
    },
    RUN_MS_MAX,
  );

  it('writes no byte to any disk while it runs, by the counters of the kernel', async ({ skip }) => {
    if (!isDiskCounted()) skip('bytes written to the directory for temporary files are not counted here');
    const scene = new Scene();
    const daemon = await scene.start();
    const before = await daemon.writtenBytes();
    await scene.record(daemon, 500);
    expect(await daemon.writtenBytes()).toBe(before);
    expect((await scene.command('db', 'save')).exitCode).toBe(0);
    expect(await daemon.writtenBytes()).toBeGreaterThanOrEqual(before + statSync(scene.database).size);
    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);
  });

  it('asks the service manager for patience while it reads and saves', async () => {
    const scene = new Scene();
    const manager = await NotifyListener.open('path');
    vi.stubEnv('NOTIFY_SOCKET', manager.address);
    onTestFinished(() => void vi.unstubAllEnvs());
    const daemon = await scene.start();
    await scene.record(daemon, 10);
    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);
    const lines = manager.notices.flatMap((notice) => notice.lines);
    const at = (line: string): number => lines.indexOf(line);
    expect(at('STATUS=starting: the database is read into memory')).toBeGreaterThan(0);
    const saving = at('STATUS=stopping: the database is being saved');
    expect(saving).toBeGreaterThan(at('READY=1'));
    expect(lines.slice(saving)).toContain('EXTEND_TIMEOUT_USEC=15000000');
  });

  it('refuses a directory that is not in memory, in one line', async ({ skip }) => {
    const directory = temporaryDirectory();
    if (isInMemory(directory)) skip('the directory for temporary files is in memory here');
    const args = ['run', '--interface', 'lo', '--api-port', '0', '--db', join(directory, 'flows.db'), '--store-profile', 'ram'];
    const { exitCode, stderr } = await flowberry([...args, '--store-ram-directory', directory]);
    expect(stderr).toMatch(/^flowberry: STORE_RAM_UNUSABLE: [^\n]*not on a tmpfs[^\n]*\n$/);
    expect(exitCode).toBe(78);
    expect(readdirSync(directory)).toEqual([]);
  });

  it(
    'keeps a second daemon from its database',
    async () => {
      const scene = new Scene();
      const daemon = await scene.start();
      const others = [
        ['--store-profile', 'ram', '--store-ram-directory', scene.memory],
        ['--store-profile', 'sd'],
      ];
      for (const other of others) {
        const { exitCode, stderr } = await flowberry([
          'run',
          '--interface',
          'lo',
          '--db',
          scene.database,
          '--api-port',
          '0',
          ...other,
        ]);
        expect(stderr).toMatch(/^flowberry: DATABASE_LOCKED: [^\n]*\n$/);
        expect(exitCode).toBe(75);
      }
      daemon.signal('SIGTERM');
      expect(await daemon.exitCode()).toBe(0);
    },
    RUN_MS_MAX,
  );
});
