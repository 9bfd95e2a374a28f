import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { HealthBody } from '../../src/api/schema.js';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';
import { FaultDaemon } from '../helpers/fault-daemon.js';
import { flows, WriterRig } from '../helpers/flow-records.js';
import { toPort } from '../helpers/live-source.js';
import { FrameFlood, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';
import { mountObstacle, SmallDisk } from '../helpers/small-disk.js';

const obstacle = namespaceObstacle() ?? mountObstacle();
/** More flows than there is room for, so that each packet costs a row; rings that are full in a second. */
const FLOWS = 16;
const OPTIONS = ['--interface', 'capture0', '--workers', '1', '--flows-active-max', '8', '--ring-flow-bytes', '262144'];

/** Asks `/health` until it answers what is waited for, and says how long that took. */
async function healthWith(
  daemon: FaultDaemon,
  condition: (body: HealthBody) => boolean,
): Promise<{ body: HealthBody; ms: number }> {
  const startMs = performance.now();
  for (;;) {
    const body = (await daemon.health()) as unknown as HealthBody;
    if (condition(body)) return { body, ms: performance.now() - startMs };
    await sleep(50);
  }
}

const has = (body: HealthBody, code: string): boolean => body.reasons.some((reason) => reason.code === code);

interface Sums {
  readonly in_flows: number;
  readonly written: number;
  readonly lost: number;
  readonly ring_full: number;
}

/** Stops the daemon, and compares ledger and rows: every packet is in one place. */
async function expectToBalance(daemon: FaultDaemon, path: string): Promise<Sums> {
  daemon.signal('SIGTERM');
  const stopped = await daemon.line(/^stopped$/);
  expect(await daemon.ended()).toBe(0);
  expect(stopped).toMatchObject({ difference: 0 });
  const { exitCode, stdout } = await flowberry(['db', 'check', '--db', path]);
  expect(stdout).not.toMatch(/^FAIL/m);
  expect(exitCode).toBe(0);
  const db = new Database(path, { readonly: true });
  const sums = db
    .prepare(
      `SELECT sum(packets_in_flows) in_flows, sum(packets_written) written, (SELECT coalesce(sum(packets), 0) FROM unwritten) lost,
         coalesce(sum(json_extract(drops, '$.ring_full')), 0) ring_full FROM ledger`,
    )
    .get() as Sums;
  db.close();
  expect(sums.in_flows).toBe(stopped['packets_in_flows']);
  expect(sums.in_flows).toBe(sums.written + sums.lost);
  return sums;
}

describe.skipIf(obstacle !== null)(`a disk that fails under load (${obstacle ?? 'as root'})`, () => {
  let namespace: NetworkNamespace;
  let leave: () => void;
  let flood: FrameFlood;

  beforeAll(async () => {
    namespace = new NetworkNamespace();
    leave = namespace.enter();
    flood = new FrameFlood(
      'peer0',
      Array.from({ length: FLOWS }, (_, index) => toPort(1000 + index, 'x'.repeat(index))),
    );
    await flood.started();
  });

  afterAll(async () => {
    await flood.stop();
    leave();
    namespace.delete();
  });

  it('full: capture goes on, /health says why, and rows are written again when there is room', async () => {
    const disk = new SmallDisk(3);
    onTestFinished(() => disk.remove());
    const path = join(disk.path, 'flows.db');
    const daemon = new FaultDaemon([...OPTIONS, '--db', path]);
    await daemon.healthy();
    const full = await healthWith(daemon, (body) => has(body, 'writer_failing'));
    expect(full.body.writer.fault).toBe('the disk is full');
    const shed = await healthWith(daemon, (body) => has(body, 'rows_lost'));
    const later = await healthWith(daemon, (body) => body.ledger.received > shed.body.ledger.received + 5_000);
    expect(later.body.flows.emitted).toBeGreaterThan(shed.body.flows.emitted);
    expect(later.body.status).not.toBe('ok');
    expect(later.body.ledger.balanced).toBe(true);
    disk.resize(64);
    const again = await healthWith(daemon, (body) => !body.writer.failing && body.flows.written > full.body.flows.written);
    const sums = await expectToBalance(daemon, path);
    expect(sums.lost).toBeGreaterThan(0);
    console.log(`disk full: written again ${again.ms.toFixed(0)} ms after there was room; ${JSON.stringify(sums)}`);
  });

  it('the file removed, and somebody else’s put in its place: rows wait, then go to a new file', async () => {
    const path = join(temporaryDirectory(), 'flows.db');
    const daemon = new FaultDaemon([...OPTIONS, '--db', path]);
    await daemon.healthy();
    rmSync(path);
    const told = await healthWith(daemon, (body) => body.notes.some(({ code }) => code === 'file_replaced'));
    const again = await healthWith(daemon, (body) => !body.writer.failing && body.writer.batches > told.body.writer.batches);
    writeFileSync(`${path}.notes`, 'notes '.repeat(5_000));
    renameSync(`${path}.notes`, path);
    const foreign = await healthWith(
      daemon,
      (body) => has(body, 'writer_failing') && body.writer.fault.includes('none of flowberry'),
    );
    rmSync(path);
    const last = await healthWith(daemon, (body) => !body.writer.failing && body.writer.batches > foreign.body.writer.batches);
    const sums = await expectToBalance(daemon, path);
    console.log(
      `removed: told after ${told.ms.toFixed(0)} ms, written again ${again.ms.toFixed(0)} ms later; foreign: told after ` +
        `${foreign.ms.toFixed(0)} ms, written again ${last.ms.toFixed(0)} ms after it was gone; ${JSON.stringify(sums)}`,
    );
  });

  it('damaged from the start: it is moved aside; the daily backup is made beside the capture', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'flows.db');
    new WriterRig({ path }).store(flows(500));
    writeFileSync(path, Buffer.alloc(3_000, 0xff), { flag: 'r+' });
    const header = Buffer.alloc(72);
    header.writeInt32BE(0x464c4252, 68);
    writeFileSync(path, header, { flag: 'r+' });
    expect((await flowberry(['db', 'check', '--db', path])).exitCode).toBe(65);
    const backups = join(directory, 'backups');
    const daemon = new FaultDaemon([...OPTIONS, '--db', path, '--backup-directory', backups]);
    const { body } = await healthWith(daemon, ({ writer }) => writer.backups.made === 1);
    expect(body.notes.map(({ code }) => code)).toEqual(['file_set_aside', 'backups_made']);
    await daemon.healthy();
    await expectToBalance(daemon, path);
    const { file } = (await daemon.line(/^backup made$/)) as unknown as { file: string };
    expect((await flowberry(['db', 'restore', file, '--db', path])).exitCode).toBe(0);
    expect((await flowberry(['db', 'check', '--db', path])).exitCode).toBe(0);
  });

  it('the file overwritten: it is moved aside, a new one is begun, and no thread dies', async () => {
    const path = join(temporaryDirectory(), 'flows.db');
    const daemon = new FaultDaemon([...OPTIONS, '--db', path, '--db-cache-kib', '64']);
    await daemon.healthy();
    const db = new Database(path);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    writeFileSync(path, Buffer.alloc(2 ** 20, 0xff), { flag: 'r+' });
    // The header says whose file it is.
    const copy = Buffer.alloc(72);
    copy.write('SQLite format 3\0');
    copy.writeInt32BE(0x464c4252, 68);
    writeFileSync(path, copy, { flag: 'r+' });
    const aside = await healthWith(daemon, (body) => body.writer.files_set_aside === 1);
    const again = await healthWith(daemon, (body) => !body.writer.failing && body.writer.batches > aside.body.writer.batches);
    expect(again.body.threads.map(({ restarts }) => restarts)).toEqual(again.body.threads.map(() => 0));
    const sums = await expectToBalance(daemon, path);
    expect(readdirSync(join(path, '..')).filter((name) => /\.corrupt-\d{8}T\d{6}Z$/.test(name))).toHaveLength(1);
    console.log(`overwritten: set aside after ${aside.ms.toFixed(0)} ms; ${JSON.stringify(sums)}`);
  });
});
