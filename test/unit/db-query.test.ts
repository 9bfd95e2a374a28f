import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { queryOptionsOf, runDbQuery } from '../../src/cli/db-query.js';
import { QueryConnection } from '../../src/store/query.js';
import { caught } from '../helpers/caught.js';
import { flow, flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';

/** The flows of the specification's captures, with the ids that it gives them. */
const KNOWN = [
  [
    flow({ protocol: 6, src: '128.232.110.120', srcPort: 34_855, dst: '66.35.250.204', dstPort: 80 }),
    '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
  ],
  [flow({ protocol: 17, src: '8.8.8.8', srcPort: 53, dst: '192.168.1.52', dstPort: 54_585 }), '1:d/FP5EW3wiY1vCndhwleRRKHowQ='],
  [icmp(1, '192.168.0.89', '192.168.0.1', 0x0800), '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  [icmp(1, '10.0.0.1', '10.0.0.2', 0x0b00), '1:YHxtAirCG//0OzkcVAukqKQN9xM='],
  [icmp(58, 'fe80::200:86ff:fe05:80da', 'fe80::260:97ff:fe07:69ea', 0x8700), '1:dGHyGvjMfljg6Bppwm3bg0LO8TY='],
  [icmp(58, '3ffe:501:410:0:2c0:dfff:fe47:33e', '3ffe:507:0:1:200:86ff:fe05:80da', 0x0104), '1:hLZd0XGWojozrvxqE0dWB1iM6R0='],
  [
    flow({ protocol: 132, src: '192.168.170.8', srcPort: 7, dst: '192.168.170.56', dstPort: 7 }),
    '1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=',
  ],
  [flow({ protocol: 46, src: '10.1.12.1', srcPort: 0, dst: '10.1.12.2', dstPort: 0 }), '1:KHlLkgoJW7ifUTyTSgyVfkFHzKw='],
] as const;

function icmp(protocol: number, src: string, dst: string, typeAndCode: number) {
  return flow({ protocol, src, srcPort: 0, dst, dstPort: 0, icmp: typeAndCode });
}

/** A database with these flows, a millisecond apart. */
function stored(specs = flows(3)): string {
  const rig = new WriterRig();
  rig.store(specs.map((spec, index) => ({ ...spec, emittedUs: NOW_MS * 1000 + index * 1000 })));
  return rig.path;
}

/** Runs `flowberry db query`. */
function query(path: string, sql: string, flags: Parameters<typeof queryOptionsOf>[0] = {}) {
  return caught(() => runDbQuery(path, sql, queryOptionsOf(flags)));
}

afterEach(() => void vi.restoreAllMocks());

describe('db query', () => {
  it('adds the Community ID to flow_view, by ports, by ICMP type and code, or by addresses alone', async () => {
    const path = stored(KNOWN.map(([spec]) => spec));
    const { stdout } = await query(path, 'SELECT community_id FROM flow_view ORDER BY id', { csv: true });
    expect(stdout.trim().split('\n')).toEqual(['community_id', ...KNOWN.map(([, id]) => id)]);
    const found = await query(path, `SELECT src_port FROM flow_view WHERE community_id = '${KNOWN[0][1]}'`, { csv: true });
    expect(found.stdout).toBe('src_port\n34855\n');
  });

  it('leaves every other column of flow_view as the file has it, in its order', async () => {
    const path = stored();
    const { stdout } = await query(path, 'SELECT * FROM flow_view', { json: true });
    const plain = new Database(path, { readonly: true });
    const rows = plain.prepare('SELECT * FROM flow_view').all() as object[];
    plain.close();
    const shown = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(shown.map(({ community_id: _, ...rest }) => rest)).toEqual(rows);
    expect(Object.keys(shown[0] as object)).toEqual([...Object.keys(rows[0] as object), 'community_id']);
  });

  it('has the function for other values too, with a seed; it is NULL where they are no flow', async () => {
    const { stdout } = await query(
      stored(),
      `SELECT community_id(17, '192.168.1.52', 54585, '8.8.8.8', 53, 1) AS seeded, community_id(6, 'other', 1, '10.0.0.1', 2) AS none,
         community_id(6, '10.0.0.1', 70000, '10.0.0.2', 2) AS port, community_id('tcp', '10.0.0.1', 1, '10.0.0.2', 2) AS name`,
      { json: true },
    );
    expect(JSON.parse(stdout)).toEqual({ seeded: '1:Q9We8WO3piVF8yEQBNJF4uiSVrI=', none: null, port: null, name: null });
  });

  it('prints a table for people: names, numbers to the right, nothing for NULL', async () => {
    const { stdout, stderr, exitCode } = await query(
      stored(),
      `SELECT 5 AS n, 'ab' AS text, NULL AS empty UNION ALL SELECT 1234, 'c', NULL`,
    );
    expect(stdout).toBe('   n  text  empty\n----  ----  -----\n   5  ab\n1234  c\n');
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('shows control characters instead of sending them to the terminal', async () => {
    const { stdout } = await query(stored(), `SELECT char(27) || '[2J' || char(10) || char(155) AS "a${'\u0007'}b"`);
    expect(stdout.split('\n').slice(0, 3)).toEqual(['a\\x07b', '---------------', '\\x1b[2J\\x0a\\x9b']);
  });

  it('prints CSV with quotes where they are needed, and bytes in hexadecimal', async () => {
    const { stdout } = await query(stored(), `SELECT 'a,b' AS "x""y", 'say "hi"' AS b, x'00ff' AS c, 1.5 AS d, NULL AS e`, {
      csv: true,
    });
    expect(stdout).toBe('"x""y",b,c,d,e\n"a,b","say ""hi""",00ff,1.5,\n');
  });

  it('prints JSON lines: large integers exact, equal names told apart', async () => {
    const { stdout } = await query(stored(), 'SELECT 9007199254740993 AS n, 1 AS a, 2 AS a, NULL AS b', { json: true });
    expect(stdout).toBe('{"n":9007199254740993,"a":1,"a_2":2,"b":null}\n');
  });

  it('prints the first rows up to the limit, and says on standard error that there are more', async () => {
    const path = stored();
    const many = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10001) SELECT i FROM n';
    const lines = async (flags: object) => {
      const { stdout, stderr } = await query(path, many, { csv: true, ...flags });
      return [stdout.trim().split('\n').length - 1, stderr];
    };
    expect(await lines({})).toEqual([10_000, 'only the first 10000 rows; --limit 0 prints all\n']);
    expect(await lines({ limit: '2' })).toEqual([2, 'only the first 2 rows; --limit 0 prints all\n']);
    expect(await lines({ limit: '10001' })).toEqual([10_001, '']);
    expect(await lines({ limit: '0' })).toEqual([10_001, '']);
  });

  it('ends quietly when its reader has seen enough, as `| head` does', async () => {
    const path = stored();
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    vi.spyOn(process.stdout, 'write').mockImplementation((_text: string | Uint8Array, done?: unknown) => {
      if (typeof done === 'function') done(broken);
      return false;
    });
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n';
    expect(await runDbQuery(path, endless, queryOptionsOf({ csv: true, limit: '0' }))).toBe(0);
  });

  it.each([
    'DELETE FROM flows',
    'INSERT INTO meta VALUES (1, 2) RETURNING *',
    'CREATE TEMP TABLE t AS SELECT 1',
    'DROP VIEW flow_view',
    'PRAGMA user_version = 9',
    'PRAGMA journal_mode = DELETE',
    'BEGIN IMMEDIATE',
    "VACUUM INTO 'copy.db'",
    "ATTACH 'other.db' AS other",
  ])('refuses %s', async (sql) => {
    const path = stored();
    await expect(query(path, sql)).rejects.toMatchObject({
      code: 'QUERY_WRITES',
      message: expect.stringContaining(sql.slice(0, 30)),
    });
    const { stdout } = await query(path, 'SELECT count(*) AS n FROM flows', { csv: true });
    expect(stdout).toBe('n\n3\n');
  });

  it.each([
    ['SELEC 1', 'syntax error'],
    ['SELECT * FROM nowhere', 'no such table: nowhere'],
    ['SELECT 1; SELECT 2', 'more than one statement'],
    ['', 'no statements'],
    ['SELECT ?', 'parameter'],
    ["SELECT json('{')", 'malformed JSON'],
  ])('says in one line what is wrong with %j', async (sql, part) => {
    const failed = query(stored(), sql);
    await expect(failed).rejects.toMatchObject({ code: 'QUERY_INVALID', message: expect.stringContaining(part) });
    await expect(failed).rejects.toMatchObject({ message: expect.not.stringContaining('\n') });
  });

  it('reads while a writer is at work', async () => {
    const rig = new WriterRig();
    const writer = rig.open();
    rig.emitAll(flows(60));
    writer.step(NOW_MS, false);
    const { stdout } = await query(rig.path, 'SELECT count(DISTINCT community_id) AS n FROM flow_view', { csv: true });
    expect(stdout).toBe('n\n1\n');
    writer.abandon();
  });

  it('refuses files that are no database of ours', async () => {
    const directory = temporaryDirectory();
    const text = join(directory, 'text');
    writeFileSync(text, 'x'.repeat(5000));
    await expect(query(text, 'SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_FOREIGN' });
    await expect(query(join(directory, 'missing'), 'SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_NOT_FOUND' });
  });

  it.each([
    [{ json: true, csv: true }, '--json and --csv'],
    [{ limit: 'many' }, '--limit many'],
    [{ limit: '-1' }, '--limit -1'],
  ])('refuses the flags %j', (flags, part) => {
    expect(() => queryOptionsOf(flags)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(part) }),
    );
  });
});

describe('a connection for queries', () => {
  it('may be left in the middle of a result', () => {
    const connection = new QueryConnection(stored());
    const rows = connection.prepare('SELECT id FROM flows').rows()[Symbol.iterator]();
    expect(rows.next().done).toBe(false);
    rows.return?.();
    expect([...connection.prepare('SELECT 1 AS one').rows()]).toEqual([[1n]]);
    connection.close();
  });
});
