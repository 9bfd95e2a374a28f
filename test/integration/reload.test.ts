import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FaultDaemon } from '../helpers/fault-daemon.js';
import { flow, WriterRig } from '../helpers/flow-records.js';
import { tcpFrame } from '../helpers/frames.js';
import { FrameSender, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();
const HOUR_US = 3_600e6;

describe.skipIf(obstacle !== null)(`a daemon whose file has changed (${obstacle ?? 'as root'})`, () => {
  let namespace: NetworkNamespace;
  let leave: () => void;
  let sender: FrameSender;

  beforeAll(() => {
    namespace = new NetworkNamespace();
    leave = namespace.enter();
    sender = new FrameSender('peer0');
  });

  afterAll(() => {
    sender.close();
    leave();
    namespace.delete();
  });

  /** A daemon on this database, and how its configuration is changed: the line that was `from` is `to`, and the daemon is told. */
  async function start(path: string, toml: string) {
    const file = `${path}.toml`;
    writeFileSync(file, `[capture]\ninterface = "capture0"\n[flow]\nidle-tcp-s = 1\n${toml}`);
    const daemon = new FaultDaemon(['--config', file, '--db', path, '--api-port', '0', '--store-profile', 'ssd']);
    await daemon.line(/^capturing$/);
    const reload = async (from: string, to: string): Promise<void> => {
      const before = readFileSync(file, 'utf8');
      expect(before).toContain(from);
      writeFileSync(file, before.replace(from, to));
      const seen = daemon.lines.length;
      daemon.signal('SIGHUP');
      const line = await daemon.line(/^configuration read again/, seen);
      expect(line).toMatchObject({ applied: expect.stringContaining(to.split(' = ')[0] as string), restart: '' });
    };
    return { daemon, reload };
  }

  function rows<T>(path: string, sql: string): T[] {
    const db = new Database(path, { readonly: true });
    const found = db.prepare<[], T>(sql).all();
    db.close();
    return found;
  }

  /** Waits until the query answers what is expected. */
  async function until(path: string, sql: string, expected: unknown[]): Promise<void> {
    while (JSON.stringify(rows(path, sql)) !== JSON.stringify(expected)) await sleep(50);
  }

  const newDirectory = (): string => join(new WriterRig().path, '..');

  /** Ports of a host that another one tries without an answer. */
  function scan(src: string): void {
    for (let dstPort = 1; dstPort <= 60; dstPort++)
      sender.send(tcpFrame({ src, srcPort: 999, dst: '10.0.0.9', dstPort, flags: 'S' }));
  }

  async function stop(daemon: FaultDaemon): Promise<void> {
    daemon.signal('SIGTERM');
    expect(await daemon.ended()).toBe(0);
    expect(daemon.lines.at(-1)).toMatchObject({ difference: 0 });
  }

  it('deletes at once what retention.flows-days no longer allows', async () => {
    const rig = new WriterRig();
    const nowUs = Date.now() * 1000;
    const at = (us: number) => flow({ startUs: us, endUs: us, emittedUs: us });
    Object.assign(rig.session, { startedUs: nowUs - 60 * HOUR_US });
    rig.store([at(nowUs - 60 * HOUR_US), at(nowUs - 50 * HOUR_US), at(nowUs - HOUR_US)], (nowUs - HOUR_US) / 1000);
    const { daemon, reload } = await start(rig.path, '[retention]\nflows-days = 7\n');
    const count = `SELECT count(*) AS flows FROM flows WHERE id < ${nowUs}`;
    expect(rows(rig.path, count)).toEqual([{ flows: 3 }]);
    await reload('flows-days = 7', 'flows-days = 1');
    await until(rig.path, count, [{ flows: 1 }]);
    await stop(daemon);
  });

  it('has the log moved into the file by the new maintenance.checkpoint-s', async () => {
    const path = join(newDirectory(), 'maintained.db');
    const { daemon, reload } = await start(path, '[maintenance]\ncheckpoint-s = 86400\n');
    for (let srcPort = 1; srcPort <= 60; srcPort++) sender.send(tcpFrame({ srcPort, dst: '10.0.0.9', flags: 'S' }));
    await until(path, 'SELECT count(*) AS flows FROM flows', [{ flows: 60 }]);
    const pagesMoved = (): number => {
      const db = new Database(path);
      const [log] = db.pragma('wal_checkpoint(NOOP)') as [{ checkpointed: number }];
      db.close();
      return log.checkpointed;
    };
    const before = pagesMoved();
    await reload('checkpoint-s = 86400', 'checkpoint-s = 10');
    while (pagesMoved() <= before) await sleep(500);
    await stop(daemon);
  });

  it('raises alerts by the new threshold, also when a writer dies afterwards, and posts them where it says then', async () => {
    const bodies: { alerts: { kind: string; subject: string }[] }[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (part) => {
        text += String(part);
      });
      request.on('end', () => {
        bodies.push(JSON.parse(text) as (typeof bodies)[number]);
        response.writeHead(204).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const path = join(newDirectory(), 'alerted.db');
    const { daemon, reload } = await start(path, '[alerts]\nport-scan-targets = 0\nwebhook-url = ""\n');
    const posted = (): string[] => bodies.flatMap(({ alerts }) => alerts.map(({ subject }) => subject));
    const alerts = `SELECT subject FROM alert_view WHERE kind = 'port_scan' ORDER BY id`;
    scan('10.0.0.1');
    await until(path, 'SELECT count(*) AS flows FROM flows', [{ flows: 60 }]);
    await reload('webhook-url = ""', `webhook-url = "http://127.0.0.1:${(server.address() as AddressInfo).port}/"`);
    await reload('port-scan-targets = 0', 'port-scan-targets = 40');
    scan('10.0.0.2');
    await until(path, alerts, [{ subject: '10.0.0.2' }]);
    await daemon.fail('writer', 'exit', 1);
    scan('10.0.0.3');
    await until(path, alerts, [{ subject: '10.0.0.2' }, { subject: '10.0.0.3' }]);
    while (!posted().includes('10.0.0.3')) await sleep(50);
    expect(posted()).not.toContain('10.0.0.1');
    await stop(daemon);
  });
});
