import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { TunnelType } from '../../src/ring/tunnel-type.js';
import { SHED_COLUMNS } from '../../src/store/budget/shed-columns.js';
import { checkDatabase } from '../../src/store/check.js';
import { cacheKibFor } from '../../src/store/open-database.js';
import { KINDS } from '../../src/store/rollup/kinds.js';
import { LEVEL_NAMES } from '../../src/store/rollup/levels.js';
import { ROLLUP_VIEWS } from '../../src/store/rollup/rollup-views.js';
import { SCHEMA_VERSION } from '../../src/store/schema.js';
import { flow, flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';
import { pass } from '../helpers/upkeep.js';

const NOW_US = NOW_MS * 1000;
/** SQLite's own shell, which a machine need not have. */
const SHELL = 'sqlite3';

const tableNamesOf = (kind: string): string[] => LEVEL_NAMES.map((level) => `rollup_${kind}_${level}`);
/** Those that came later have a version of their own. */
const LATER_KINDS = ['name', 'dns_code'];
const FIRST_KINDS = Object.keys(KINDS).filter((kind) => !LATER_KINDS.includes(kind));

/** What each version brought, undone. */
const UNDO: Readonly<Record<number, string>> = {
  9: ['ledger', 'sessions']
    .flatMap((table) => SHED_COLUMNS.map((column) => `ALTER TABLE ${table} DROP COLUMN ${column}`))
    .concat('DROP TABLE bytes_written', "DELETE FROM rollup_state WHERE table_name = 'shed'")
    .join('; '),
  6: `${FIRST_KINDS.flatMap(tableNamesOf)
    .map((name) => `DROP TABLE ${name}`)
    .join('; ')}; DROP TABLE rollup_state`,
  14: FIRST_KINDS.flatMap(tableNamesOf)
    .flatMap((name) => ['ip', 'late'].map((end) => `DROP INDEX IF EXISTS ${name}_${end}`))
    .join('; '),
  15: [
    ...ROLLUP_VIEWS.map(([name]) => `DROP VIEW ${name}`),
    ...LATER_KINDS.flatMap(tableNamesOf).map(
      (name) => `DROP TABLE ${name}; DELETE FROM rollup_state WHERE table_name = '${name}'`,
    ),
  ].join('; '),
  13: 'DROP TABLE host_samples',
  11: 'DROP VIEW alert_view; DROP TABLE alerts; DROP TABLE known_destinations',
  10: 'DROP VIEW device_view; DROP TABLE device_notes',
  7: 'DROP TABLE lookup_runs; DROP TABLE lookup_blocks; DROP TABLE lookup',
  8: `DROP VIEW IF EXISTS completeness_view; DROP TABLE pruned; DROP TABLE upkeep;
    ALTER TABLE ledger DROP COLUMN span_us; ALTER TABLE nic_losses DROP COLUMN span_us`,
  12: 'DROP VIEW completeness_view; DROP TABLE unwritten; DROP TABLE file_events',
  5: 'DROP VIEW IF EXISTS completeness_view; DROP TABLE gaps; DROP TABLE nic_losses',
  4: `DROP VIEW flow_view; DROP VIEW dns_view;
    DROP TABLE texts; DROP TABLE flow_tls; DROP TABLE flow_http; DROP TABLE dns;
    DROP TABLE devices; DROP TABLE device_addresses; DROP TABLE device_names;
    ALTER TABLE flows DROP COLUMN application; ALTER TABLE flows DROP COLUMN server_name;
    ALTER TABLE flows DROP COLUMN server_name_info; CREATE VIEW flow_view AS SELECT id FROM flows`,
  3: 'DROP TABLE flow_tunnels',
  2: 'DROP TABLE flow_trouble; ALTER TABLE flows DROP COLUMN rtt_client_us; ALTER TABLE flows DROP COLUMN rtt_server_us',
};

/** Makes a database of an older version out of one of the present. */
function downgrade(rig: WriterRig, version: number): void {
  for (let undone = SCHEMA_VERSION; undone > version; undone--)
    rig.execute(`${UNDO[undone] ?? ''}; DELETE FROM meta WHERE key = 'schema_${undone}_us'; PRAGMA user_version = ${undone - 1}`);
}

/** Names of all tables, indexes and views with the columns that they have, in their order. */
function schemaOf(rig: WriterRig): Record<string, unknown>[] {
  return rig.query(`SELECT s.type, s.name, group_concat(c.name || ' ' || c.type || c."notnull") AS columns
    FROM sqlite_schema s LEFT JOIN pragma_table_info(s.name) c GROUP BY s.name ORDER BY s.name`);
}

/** A database that is of the present version from the start. */
function presentRig(): WriterRig {
  const rig = new WriterRig();
  rig.store([flow()]);
  return rig;
}

/** Opens a writer on `path`, which must be refused with `code` and name the file. */
function expectRefused(path: string, code: ErrorCode): void {
  expect(() => new WriterRig({ path }).open()).toThrow(
    expect.objectContaining({ name: 'AppError', code, message: expect.stringContaining(path) }),
  );
}

function fileWith(content: string | Buffer): string {
  const path = join(temporaryDirectory(), 'other.db');
  writeFileSync(path, content);
  return path;
}

describe('opening the database', () => {
  it('makes the directory and the file', () => {
    const path = join(temporaryDirectory(), 'a', 'b', 'flows.db');
    const rig = new WriterRig({ path });
    rig.store([flow()]);
    // Everything has been moved into the file.
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(rig.value('PRAGMA page_size')).toBe(2048);
    expect(rig.value('PRAGMA journal_mode')).toBe('wal');
    expect(rig.value('PRAGMA user_version')).toBe(SCHEMA_VERSION);
    expect(rig.value('PRAGMA application_id')).toBe(0x464c4252);
    expect(rig.query('SELECT key FROM meta ORDER BY key').map((row) => row['key'])).toEqual([
      'created_us',
      'page_size',
      ...Array.from({ length: SCHEMA_VERSION }, (_, index) => `schema_${index + 1}_us`).sort(),
    ]);
  });

  it('takes an empty file, and an SQLite file without tables', () => {
    const empty = new WriterRig({ path: fileWith('') });
    empty.store([flow()]);
    expect(empty.value('SELECT count(*) FROM flows')).toBe(1);
    const path = join(temporaryDirectory(), 'bare.db');
    const bare = new Database(path);
    bare.pragma('journal_mode = WAL');
    bare.close();
    const rig = new WriterRig({ path });
    rig.store([flow()]);
    expect(rig.value('SELECT count(*) FROM flows')).toBe(1);
  });

  it.each([1, 2, 3])('brings a database of version %i up to date, and keeps its rows', (version) => {
    const rig = new WriterRig();
    rig.store([flow({ tunnel: { type: TunnelType.Gre, id: 6 } })]);
    downgrade(rig, version);
    expect(checkDatabase(rig.path)).toMatchObject({ flows: 1, schemaVersion: version });
    expect(checkDatabase(rig.path).checks.every((check) => check.ok)).toBe(true);
    const next = new WriterRig({ path: rig.path });
    const writer = next.open();
    const details = { sni: 'a.example', status: 200 };
    next.emit(flow({ emittedUs: NOW_US + 10, tunnel: { type: TunnelType.Gre, id: 7 }, details }));
    next.emitDns(dns({ seenUs: NOW_US }));
    next.emitDevice({ emittedUs: NOW_US, seenUs: NOW_US, source: DeviceSource.Arp, mac: '02:00:00:00:00:01', ip: '10.0.0.1' });
    while (writer.step(NOW_MS, true));
    writer.close(NOW_MS);
    expect(rig.query('SELECT src_ip, tunnel_id, server_name, http_status, application FROM flow_view ORDER BY id')).toEqual([
      { src_ip: '192.168.1.10', tunnel_id: version < 3 ? null : 6, server_name: null, http_status: null, application: null },
      { src_ip: '192.168.1.10', tunnel_id: 7, server_name: 'a.example', http_status: 200, application: 'dns' },
    ]);
    expect(rig.query('SELECT query FROM dns_view')).toEqual([{ query: 'www.example.org' }]);
    expect(rig.query('SELECT addresses FROM device_view')).toEqual([{ addresses: '10.0.0.1' }]);
    expect(checkDatabase(rig.path)).toMatchObject({ flows: 2, schemaVersion: SCHEMA_VERSION });
    expect(checkDatabase(rig.path).checks.every((check) => check.ok)).toBe(true);
    expect(schemaOf(rig)).toEqual(schemaOf(presentRig()));
  });

  it('gives a database of version 14 its DNS sums of all devices, what is folded and what is not', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 1 } });
    const writer = rig.open();
    for (let minute = 0; minute < 150; minute++) {
      const us = NOW_US + minute * 60e6;
      for (const [index, client] of ['10.0.0.1', '10.0.0.2', 'fd00::1'].entries())
        rig.emitDns(dns({ seenUs: us, emittedUs: us + index * 10, client, code: index === 2 ? 3 : 0, latencyUs: 1_000 }));
      pass(writer, us / 1000, us / 1000 + 50_000, 10_000);
    }
    writer.close(NOW_MS + 150 * 60_000);
    // As if the power had failed in the middle of an hour's fold.
    rig.execute(`UPDATE rollup_state SET folded_id = (SELECT id FROM rollup_dns_minute ORDER BY id LIMIT 1 OFFSET 99)
      WHERE table_name = 'rollup_dns_minute'`);
    const sums = (kind: string, level: string): Record<string, unknown>[] =>
      rig.query(`SELECT id > folded_id AS waits, (id >> 16) - age AS bucket, code, sum(queries) AS queries, sum(latency_us) AS us,
        sum(to_1ms) AS to_1ms FROM rollup_${kind}_${level}, rollup_state WHERE table_name = 'rollup_${kind}_${level}'
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`);
    downgrade(rig, 14);
    new WriterRig({ path: rig.path }).open(NOW_MS + 151 * 60_000).abandon();
    for (const level of LEVEL_NAMES) expect(sums('dns_code', level)).toEqual(sums('dns', level));
    expect(sums('dns_code', 'minute').length).toBe(301);
    expect(new Set(sums('dns_code', 'minute').map((row) => row['waits']))).toEqual(new Set([0, 1]));
    expect(rig.value('SELECT count(*) FROM rollup_dns_code_hour')).toBeGreaterThan(2);
  });

  it('makes every view anew that an older flowberry has left otherwise, and no other', () => {
    const rig = new WriterRig();
    rig.store([flow()]);
    const before = schemaOf(rig);
    rig.execute('DROP VIEW dns_view; DROP VIEW device_view; CREATE VIEW device_view AS SELECT id FROM devices');
    new WriterRig({ path: rig.path }).open().abandon();
    expect(schemaOf(rig)).toEqual(before);
  });

  it('has views that the sqlite3 shell reads', (context) => {
    const rig = new WriterRig();
    rig.store([flow({ details: { sni: 'a.example' } })]);
    const sql = 'SELECT server_name FROM flow_view; SELECT count(*) FROM dns_view; SELECT count(*) FROM device_view';
    const shell = spawnSync(SHELL, ['-readonly', rig.path, sql], { encoding: 'utf8' });
    if (shell.error) context.skip('there is no sqlite3 shell');
    expect([shell.stdout, shell.stderr]).toEqual(['a.example\n0\n0\n', '']);
  });

  it('changes nothing in the schema when it opens its own database again', () => {
    const rig = new WriterRig();
    rig.store([flow()]);
    const before = rig.value('PRAGMA schema_version');
    new WriterRig({ path: rig.path }).open().abandon();
    expect(rig.value('PRAGMA schema_version')).toBe(before);
  });

  it.each([
    ['a text', 'some notes of mine\n'],
    ['a single byte', 'x'],
    ['a large file', Buffer.alloc(100_000, 7)],
  ])('refuses %s and leaves it as it is', (_, content) => {
    const path = fileWith(content);
    const before = readFileSync(path);
    expectRefused(path, 'DATABASE_FOREIGN');
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(`${path}-lock`)).toBe(false);
  });

  it('refuses the database of another application and leaves it as it is', () => {
    for (const pragma of ['application_id = 77', 'user_version = 1']) {
      const path = join(temporaryDirectory(), 'other.db');
      const other = new Database(path);
      other.exec('CREATE TABLE flows (id)');
      other.pragma(pragma);
      other.close();
      const before = readFileSync(path);
      expectRefused(path, 'DATABASE_FOREIGN');
      expect(readFileSync(path).equals(before)).toBe(true);
    }
  });

  it('refuses the database of a newer flowberry', () => {
    const rig = new WriterRig();
    rig.store([flow()]);
    rig.execute('PRAGMA user_version = 99');
    expectRefused(rig.path, 'DATABASE_NEWER');
  });

  it('refuses paths that cannot be written', () => {
    const directory = temporaryDirectory();
    const file = fileWith('');
    mkdirSync(join(directory, 'folder.db'));
    expectRefused(join(directory, 'folder.db'), 'DATABASE_NOT_WRITABLE');
    expectRefused(join(file, 'below-a-file.db'), 'DATABASE_NOT_WRITABLE');
    expectRefused('/proc/flowberry/flows.db', 'DATABASE_NOT_WRITABLE');
  });

  it('refuses a database whose file is damaged', () => {
    const rig = new WriterRig();
    rig.store(flows(500));
    const bytes = readFileSync(rig.path);
    // The page of the schema, behind the header that says whose file it is.
    bytes.fill(0xff, 100, 4096);
    writeFileSync(rig.path, bytes);
    expectRefused(rig.path, 'DATABASE_DAMAGED');
  });

  it('refuses a second writer, also through a symbolic link, until the first has gone', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    expectRefused(rig.path, 'DATABASE_LOCKED');
    const link = join(temporaryDirectory(), 'link.db');
    symlinkSync(rig.path, link);
    expect(() => new WriterRig({ path: link }).open()).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED' }));
    writer.abandon();
    new WriterRig({ path: rig.path }).open().abandon();
  });

  it('leaves no lock behind when it is refused', () => {
    const rig = new WriterRig();
    rig.store([flow()]);
    rig.execute('DROP TABLE sessions');
    expect(() => new WriterRig({ path: rig.path }).open()).toThrow('no such table');
    rig.execute('PRAGMA user_version = 0; PRAGMA application_id = 0');
    expectRefused(rig.path, 'DATABASE_FOREIGN');
  });
});

describe('page cache by memory', () => {
  it.each([
    [1, 16],
    [4.4, 16],
    [7.9, 64],
    [5.5, 32],
    [16, 32],
  ])('%d GiB: %d MiB', (gib, mib) => {
    expect(cacheKibFor(gib * 2 ** 30)).toBe(mib * 1024);
  });
});
