import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runDbCheck } from '../../src/cli/db-check.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { Cell } from '../../src/ring/thread-block.js';
import { checkDatabase } from '../../src/store/check.js';
import { SCHEMA_VERSION } from '../../src/store/schema.js';
import { flow, flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;

function storedRig(): WriterRig {
  const rig = new WriterRig();
  rig.store([...flows(200), ...flows(50, { src: '2001:db8::1', dst: '2001:db8::2', emittedUs: NOW_MS * 1000 + 1e6 })]);
  return rig;
}

/** A database with names of every kind. */
function namedRig(): WriterRig {
  const rig = new WriterRig();
  const writer = rig.open();
  rig.emitDns(
    dns({ seenUs: NOW_US, client: '2001:db8::1', server: '2001:db8::2', type: 28, answers: [{ address: '2001:db8::3' }] }),
  );
  rig.emitDevice({
    emittedUs: NOW_US,
    seenUs: NOW_US,
    source: DeviceSource.Mdns,
    mac: '02:00:00:00:00:01',
    ip: '2001:db8::4',
    name: 'n.local',
  });
  const details = { sni: 's.example', alpn: 'h2', ja4: 'j', method: 'GET', path: '/', userAgent: 'u' };
  rig.emit(flow({ emittedUs: NOW_US + 10, details }));
  while (writer.step(NOW_MS, true));
  writer.close(NOW_MS);
  return rig;
}

const failedOf = (path: string): string[] =>
  checkDatabase(path)
    .checks.filter((check) => !check.ok)
    .map((check) => check.name);

describe('db check', () => {
  it('finds nothing wrong with a database of several runs', () => {
    const rig = storedRig();
    new WriterRig({ path: rig.path }).store(flows(10));
    const report = checkDatabase(rig.path);
    expect(report.checks.every((check) => check.ok)).toBe(true);
    expect(report).toMatchObject({ flows: 260, packets: 520, schemaVersion: SCHEMA_VERSION, openSessions: [] });
  });

  it('reads while a writer is at work', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    rig.emitAll(flows(60));
    writer.step(NOW_MS, false);
    rig.emitAll(flows(3, { emittedUs: NOW_MS * 1000 + 1e6 }));
    writer.step(NOW_MS + 60_000, false);
    const report = checkDatabase(rig.path);
    expect(report.checks.filter((check) => !check.ok)).toEqual([]);
    expect(report.openSessions).toEqual([
      { key: rig.session.key, source: 'eth0', startedUs: NOW_MS * 1000, mayRun: true, packetsUnwritten: 6 },
    ]);
    writer.abandon();
  });

  it.each([
    ['a flow is gone', 'DELETE FROM flows WHERE id = (SELECT max(id) FROM flows)', ['flows and ledger agree']],
    [
      'a count is changed',
      'UPDATE flows SET src_packets = src_packets + 1 WHERE rowid IN (SELECT min(id) FROM flows)',
      ['flows and ledger agree'],
    ],
    ['bytes are changed', 'UPDATE flows SET dst_link_bytes = 0', ['flows and ledger agree']],
    ['an address is gone', "DELETE FROM addresses WHERE ip = '2001:db8::2'", ['every id resolves']],
    ['an interface is gone', 'DELETE FROM interfaces', ['every id resolves']],
    ['a tunnel has no flow', 'INSERT INTO flow_tunnels VALUES (2, 1, 5, NULL, NULL)', ['every id resolves']],
    [
      'the address of a tunnel is gone',
      'INSERT INTO flow_tunnels SELECT min(id), 9, NULL, 1 << 40, 0 FROM flows',
      ['every id resolves'],
    ],
    [
      'frames are missing',
      'UPDATE ledger SET frames_received = frames_received + 1',
      ['closed sessions: every frame is in a flow or dropped', 'closed sessions: final counts equal their ledger'],
    ],
    [
      'packets are missing',
      'UPDATE ledger SET packets_in_flows = packets_in_flows + 1',
      [
        'closed sessions: every frame is in a flow or dropped',
        'closed sessions: every packet in a flow is stored, or counted as lost or left out',
        'closed sessions: final counts equal their ledger',
      ],
    ],
    ['a drop reason is changed', `UPDATE ledger SET drops = '{"arp":5}'`, ['drops by reason add up']],
    ['a session is gone', 'DELETE FROM sessions', ['every ledger row belongs to a session']],
    ['a final count is changed', 'UPDATE sessions SET kernel_dropped = 5', ['closed sessions: final counts equal their ledger']],
  ])('finds that %s', (_, sql, failed) => {
    const rig = storedRig();
    rig.execute(sql);
    expect(failedOf(rig.path)).toEqual(failed);
  });

  it('finds nothing wrong with names, transactions and devices', () => {
    expect(failedOf(namedRig().path)).toEqual([]);
  });

  it.each([
    [
      'flows, 1 in rollup_device_name_minute, 1 in rollup_name_minute',
      'a server name is gone',
      `DELETE FROM texts WHERE text = 's.example'`,
    ],
    ['flow_tls', 'a list of protocols is gone', `DELETE FROM texts WHERE text = 'h2'`],
    ['flow_tls', 'a fingerprint is gone', `DELETE FROM texts WHERE text = 'j'`],
    ['flow_tls', 'a ClientHello has no flow', 'UPDATE flow_tls SET id = 4'],
    ['flow_http', 'a method is gone', `DELETE FROM texts WHERE text = 'GET'`],
    ['flow_http', 'a path is gone', `DELETE FROM texts WHERE text = '/'`],
    ['flow_http', 'a user agent is gone', `DELETE FROM texts WHERE text = 'u'`],
    ['flow_http', 'a request has no flow', 'UPDATE flow_http SET id = 4'],
    ['dns', 'a query is gone', `DELETE FROM texts WHERE text = 'www.example.org'`],
    ['dns, 1 in rollup_dns_minute', 'a client is gone', `DELETE FROM addresses WHERE ip = '2001:db8::1'`],
    ['dns', 'a server is gone', `DELETE FROM addresses WHERE ip = '2001:db8::2'`],
    ['device_addresses', 'the address of a device is gone', `DELETE FROM addresses WHERE ip = '2001:db8::4'`],
    ['device_names', 'the name of a device is gone', `DELETE FROM texts WHERE text = 'n.local'`],
    ['device_names', 'a device is gone', 'DELETE FROM device_addresses; DELETE FROM devices'],
    ['device_addresses', 'the device of an address is gone', 'DELETE FROM device_names; DELETE FROM devices'],
  ])('finds, in %s, that %s', (table, _, sql) => {
    const rig = namedRig();
    rig.execute(sql);
    expect(checkDatabase(rig.path).checks.filter((check) => !check.ok)).toEqual([
      { name: 'every id resolves', ok: false, detail: `rows that name what is not there: 1 in ${table}` },
    ]);
  });

  it('finds a damaged page', () => {
    const rig = storedRig();
    const bytes = readFileSync(rig.path);
    bytes.fill(0xa5, bytes.length - 4096);
    writeFileSync(rig.path, bytes);
    expect(failedOf(rig.path)).toEqual(['the file is sound']);
  });

  it('tells a killed session from one that may run', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    const [parse] = rig.parse;
    if (parse) rig.count(parse, Cell.PacketsInFlows, 5);
    writer.step(NOW_MS + 60_000, false);
    writer.abandon();
    new WriterRig({ path: rig.path }).store([flow()]);
    expect(checkDatabase(rig.path).openSessions).toMatchObject([{ key: rig.session.key, mayRun: false, packetsUnwritten: 5 }]);
    expect(failedOf(rig.path)).toEqual([]);
  });

  it('refuses what is no flowberry database, and what is not there', () => {
    const directory = temporaryDirectory();
    const text = join(directory, 'notes.txt');
    writeFileSync(text, 'notes');
    const empty = join(directory, 'empty.db');
    writeFileSync(empty, '');
    expect(() => checkDatabase(join(directory, 'none.db'))).toThrow(expect.objectContaining({ code: 'DATABASE_NOT_FOUND' }));
    expect(() => checkDatabase(text)).toThrow(expect.objectContaining({ code: 'DATABASE_FOREIGN' }));
    expect(() => checkDatabase(empty)).toThrow(expect.objectContaining({ code: 'DATABASE_FOREIGN' }));
    const newer = storedRig();
    newer.execute(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    expect(() => checkDatabase(newer.path)).toThrow(expect.objectContaining({ code: 'DATABASE_NEWER' }));
  });
});

describe('flowberry db check', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Runs the command and gives its exit code and what it printed. */
  async function run(path: string, json: boolean): Promise<{ code: number; out: string; err: string }> {
    const printed = { out: '', err: '' };
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.out += text;
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed.err += text;
      return true;
    });
    return { code: await runDbCheck(path, { json }), ...printed };
  }

  it('prints one line per check and answers 0', async () => {
    const { code, out, err } = await run(storedRig().path, false);
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => line.startsWith('ok  '))).toHaveLength(11);
    expect(out).toContain('250 flows, 500 packets');
    expect(err).toBe('');
  });

  it('answers 65 and says what does not hold', async () => {
    const rig = storedRig();
    rig.execute('DELETE FROM flows WHERE id = (SELECT max(id) FROM flows)');
    const { code, out, err } = await run(rig.path, false);
    expect(code).toBe(65);
    expect(out).toContain('FAIL  flows and ledger agree: flows_written: 249 in flows, 250 in the ledger');
    expect(err).toContain('DATABASE_INCONSISTENT');
  });

  it('prints one JSON object', async () => {
    const good = storedRig();
    const { code, out } = await run(good.path, true);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, path: good.path, flows: 250, packets: 500, error: null });
    good.execute('DELETE FROM interfaces');
    const bad = await run(good.path, true);
    expect(bad.code).toBe(65);
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false, error: { code: 'DATABASE_INCONSISTENT' } });
  });
});
