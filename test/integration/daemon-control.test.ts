import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HealthBody } from '../../src/api/schema.js';
import { checkDatabase } from '../../src/store/check.js';
import { program, temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';
import { Daemon } from '../helpers/live-daemon.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';
import { SMALL_DISK_BYTES, smallDisk, smallDiskObstacle } from '../helpers/tiny-disk.js';

const obstacle = namespaceObstacle();

const fullDiskObstacle = obstacle ?? smallDiskObstacle();

function newNamespace(): NetworkNamespace {
  const namespace = new NetworkNamespace();
  onTestFinished(() => namespace.delete());
  return namespace;
}

function send(namespace: NetworkNamespace, count: number, srcPort: number): void {
  namespace.run(() => {
    const sender = new FrameSender('peer0');
    for (let index = 0; index < count; index++) sender.send(udpFrame({ srcPort, dstPort: 4000 }));
    sender.close();
  });
}

describe.skipIf(obstacle !== null)(`signals to a daemon (${obstacle ?? 'as root'})`, () => {
  it('SIGHUP applies what can be applied, and keeps what runs when the file is broken; SIGUSR1 switches the level', async () => {
    const folder = temporaryDirectory();
    const file = join(folder, 'flowberry.toml');
    writeFileSync(
      file,
      `[capture]\ninterface = "capture0"\n[db]\npath = "${join(folder, 'flows.db')}"\n[flow]\nidle-udp-s = 3600\n`,
    );
    const daemon = new Daemon(newNamespace(), ['--config', file]);
    await daemon.line('capturing');
    send(daemon.namespace, 10, 1000);
    await daemon.healthWith(({ flows }) => flows.active === 1);

    writeFileSync(file, readFileSync(file, 'utf8').replace('3600', '1\ndecap = false'));
    daemon.signal('SIGHUP');
    await daemon.line('configuration read again, applied: flow.idle-udp-s; these need a restart: flow.decap');
    const after = await daemon.healthWith(({ flows }) => flows.emitted === 1);
    expect(after.host).toMatchObject({ config_reloads: 1, config_reloads_refused: 0 });

    appendFileSync(file, 'idle-udp-s = nonsense');
    daemon.signal('SIGHUP');
    const refused = await daemon.healthWith(({ host }) => host.config_reloads_refused === 1);
    expect(refused.status).not.toBe('failed');
    expect(daemon.lines.filter(({ code }) => code === 'CONFIG_RELOAD_REFUSED')).toHaveLength(1);
    send(daemon.namespace, 10, 2000);
    await daemon.healthWith(({ flows }) => flows.emitted === 2);

    daemon.signal('SIGUSR1');
    await daemon.line('log level is debug now');
    daemon.signal('SIGUSR1');
    await daemon.line('log level is info now');
    daemon.signal('SIGTERM');
    expect(await daemon.exitCode()).toBe(0);
    expect(daemon.lines.at(-1)).toMatchObject({ packets_received: 20, difference: 0 });
  });
});

describe.skipIf(fullDiskObstacle !== null)(`a log on a full disk (${fullDiskObstacle ?? 'as root'})`, () => {
  it('stops neither the capture nor the store, is shown in /health, and loses no line when there is room again', async () => {
    const folder = temporaryDirectory();
    const logs = smallDisk();
    const database = join(folder, 'flows.db');
    writeFileSync(join(logs, 'ballast'), Buffer.alloc(SMALL_DISK_BYTES));
    const namespace = newNamespace();
    const args = [
      'run',
      '--interface',
      'capture0',
      '--db',
      database,
      '--log-file',
      join(logs, 'f.log'),
      '--log-buffer-lines',
      '1',
    ];
    const child = spawn('ip', ['netns', 'exec', namespace.name, process.execPath, program, ...args, '--log-buffer-ms', '50'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const healthWith = async (condition: (body: HealthBody) => boolean): Promise<HealthBody> => {
      for (;;) {
        const url = 'http://127.0.0.1:8417/health';
        const answer = await promisify(execFile)('ip', ['netns', 'exec', namespace.name, 'curl', '-s', url]).catch(() => null);
        const body = answer && (JSON.parse(answer.stdout) as HealthBody);
        if (body && condition(body)) return body;
        await sleep(50);
      }
    };
    await healthWith(({ threads }) => threads.every(({ state }) => state === 'running'));
    send(namespace, 500, 1000);
    const full = await healthWith(
      ({ reasons, ledger }) => ledger.in_flows === 500 && reasons.some(({ code }) => code === 'log_failing'),
    );
    expect(full.ledger.balanced).toBe(true);
    truncateSync(join(logs, 'ballast'), 0);
    send(namespace, 500, 2000);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    const messages = readFileSync(join(logs, 'f.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toEqual(['capturing', 'stopping on SIGTERM', 'stopped']);
    expect(checkDatabase(database).checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});
