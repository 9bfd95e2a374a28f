import { afterEach, describe, expect, it, vi } from 'vitest';
import { runDevices } from '../../src/cli/devices.js';
import { runDns } from '../../src/cli/dns.js';
import { exportFormatOf, runExport } from '../../src/cli/export.js';
import { dnsFilterOf, flowFilterOf, formatOf, pageOf } from '../../src/cli/filter-options.js';
import { runFlows } from '../../src/cli/flows.js';
import { runNames } from '../../src/cli/names.js';
import { type PeopleColumn, peopleTable } from '../../src/cli/people-table.js';
import { runSeries } from '../../src/cli/series.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { caught } from '../helpers/caught.js';
import { flow, flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;

/** A database with flows, and DNS transactions and devices if they are given. */
function stored(specs = flows(3), fill: (rig: WriterRig) => void = () => undefined): string {
  const rig = new WriterRig();
  fill(rig);
  rig.store(specs);
  return rig.path;
}

const NAMED = flow({
  src: 'fd00::2',
  dst: 'fd00::1',
  dstPort: 443,
  protocol: 6,
  details: { sni: 'a.example.com' },
  rttUs: [2000, 20_000],
});

afterEach(() => void vi.restoreAllMocks());

describe('flags of queries', () => {
  it('say which flows are asked for', () => {
    const rest = {
      address: '10.0.0.1',
      net: '10.0.0.0/8',
      device: 'printer',
      name: '*.example.com',
      port: '443',
      protocol: 'TCP',
      application: 'tls',
      interface: 'eth0',
      vlan: '7',
      endReason: 'tcp_fin',
      bytesMin: '1000',
    };
    const flags = { ...rest, since: '2d', until: '1970-01-03T00:00Z' };
    expect(flowFilterOf(flags, 172_799e6)).toEqual({
      ...rest,
      sinceUs: 0,
      untilUs: 172_800e6,
      port: 443,
      protocol: 6,
      vlan: 7,
      bytesMin: 1000,
    });
    expect(flowFilterOf({ protocol: '47', since: 'all' }, NOW_US)).toEqual({ protocol: 47 });
    expect(dnsFilterOf({ code: 'none' }, NOW_US)).toEqual({ code: 'none', sinceUs: NOW_US - 3600e6 });
  });

  it('look an hour back where no time is given, and an export at everything', () => {
    expect(flowFilterOf({}, NOW_US)).toEqual({ sinceUs: NOW_US - 3600e6 });
    expect(flowFilterOf({}, NOW_US, 'all')).toEqual({});
  });

  it('say which page, and in what form', () => {
    expect(pageOf({ limit: '5', cursor: 'n1', oldestFirst: true })).toEqual({ limit: 5, cursor: 'n1', order: 'oldest' });
    expect(pageOf({})).toEqual({});
    expect([formatOf({}), formatOf({ json: true }), formatOf({ csv: true })]).toEqual(['table', 'json', 'csv']);
    expect([exportFormatOf({}), exportFormatOf({ csv: true })]).toEqual(['json', 'csv']);
  });

  it.each<[string, () => unknown]>([
    ['--since yesterday', () => flowFilterOf({ since: 'yesterday' }, NOW_US)],
    ['--since 2025-02-31', () => flowFilterOf({ since: '2025-02-31' }, NOW_US)],
    ['--until 2025-06-31T12:00', () => flowFilterOf({ until: '2025-06-31T12:00' }, NOW_US)],
    ['--until is not later', () => flowFilterOf({ since: '1h', until: '2h' }, NOW_US)],
    ['--port http', () => flowFilterOf({ port: 'http' }, NOW_US)],
    ['--bytes-min -1', () => flowFilterOf({ bytesMin: '-1' }, NOW_US)],
    ['--protocol foo', () => flowFilterOf({ protocol: 'foo' }, NOW_US)],
    ['--protocol constructor', () => flowFilterOf({ protocol: 'constructor' }, NOW_US)],
    ['--protocol __proto__', () => flowFilterOf({ protocol: '__proto__' }, NOW_US)],
    ['--limit x', () => pageOf({ limit: 'x' })],
    ['--json and --csv', () => formatOf({ json: true, csv: true })],
    ['--csv and --ndjson', () => exportFormatOf({ ndjson: true, csv: true })],
  ])('are refused: %s', (message, work) => {
    expect(work).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }));
  });
});

describe('flowberry flows', () => {
  it('prints a table with human units, and how to go on', async () => {
    const path = stored([...flows(2), { ...NAMED, emittedUs: NOW_US + 9000 }]);
    const { stdout, stderr, exitCode } = await caught(() => runFlows(path, {}, { limit: 1 }, 'table'));
    const [head, , row] = stdout.split('\n');
    expect(head?.split(/ {2,}/)).toEqual([
      'started',
      'lasted',
      'from',
      'to',
      'protocol',
      'application',
      'server name',
      'sent',
      'received',
      'round trip',
      'end',
    ]);
    expect(row).toMatch(
      /1\.0 s {2}\[fd00::2\]:40000 +\[fd00::1\]:443 +tcp +tls +a\.example\.com +60 B +120 B +22 ms +idle_timeout$/,
    );
    expect(stderr).toMatch(/^there are more; go on with --cursor n\w+\n$/);
    expect(exitCode).toBe(0);
  });

  it('prints one JSON object with the cursor, or CSV with all columns', async () => {
    const path = stored();
    const { stdout } = await caught(() => runFlows(path, {}, { limit: 2 }, 'json'));
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ truncated: false, rows_examined: 3, searched_to_us: answer.flows[1].id });
    const rest = await caught(() => runFlows(path, {}, { cursor: answer.next }, 'csv'));
    const lines = rest.stdout.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]?.split(',').slice(0, 3)).toEqual(['id', 'start_us', 'end_us']);
    expect(rest.stderr).toBe('');
  });

  it('says what to do where an hour holds nothing, and how far it came', async () => {
    const path = stored();
    const empty = await caught(() => runFlows(path, { sinceUs: NOW_US + 1e9 }, {}, 'table'));
    expect(empty.stderr).toMatch(/^nothing found since .*; --since all searches everything\n$/);
    const many = stored(flows(300));
    const cut = await caught(() => runFlows(many, { bytesMin: 1 }, { limit: 1, rowsExaminedMax: 1 }, 'table'));
    expect(cut.stderr).toContain('there are more');
  });

  it('ends quietly when its reader has seen enough', async () => {
    const path = stored();
    vi.spyOn(process.stdout, 'write').mockImplementation((_text: string | Uint8Array, done?: unknown) => {
      if (typeof done === 'function') done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      return false;
    });
    expect(await runExport(path, {}, 'csv')).toBe(0);
  });
});

describe('other queries', () => {
  const fill = (rig: WriterRig): void => {
    rig.emitDns(dns({ seenUs: NOW_US - 5, query: 'a.example.com', code: -1, latencyUs: -1 }));
    const mac = 'b8:27:eb:12:34:56';
    for (let i = 1; i <= 5; i++)
      rig.emitDevice({ source: DeviceSource.Arp, emittedUs: NOW_US, seenUs: NOW_US + i, mac, ip: `192.168.1.${i}` });
  };

  it('dns: prints queries without an answer', async () => {
    const path = stored([], fill);
    const { stdout } = await caught(() => runDns(path, { code: 'none' }, {}, 'table'));
    expect(stdout).toMatch(/a\.example\.com {2}A {5}none/);
    const { stdout: json } = await caught(() => runDns(path, {}, {}, 'json'));
    expect(JSON.parse(json)).toMatchObject({ dns: [{ query: 'a.example.com', response_code: null }], next: null });
  });

  it('devices: prints some addresses in a table, and all of them otherwise', async () => {
    const path = stored([], fill);
    const { stdout } = await caught(() => runDevices(path, {}, 'table'));
    expect(stdout).toContain('192.168.1.5, 192.168.1.4, 192.168.1.3 and 2 more');
    const { stdout: csv } = await caught(() => runDevices(path, {}, 'csv'));
    expect(csv).toContain('"192.168.1.5,192.168.1.4,192.168.1.3,192.168.1.2,192.168.1.1"');
    const { stdout: json } = await caught(() => runDevices(path, {}, 'json'));
    expect(JSON.parse(json).devices[0].addresses).toHaveLength(5);
  });

  it('names: prints names with their flows', async () => {
    const path = stored([NAMED, { ...NAMED, emittedUs: NOW_US + 10 }]);
    const { stdout } = await caught(() => runNames(path, {}, {}, 'table'));
    expect(stdout).toMatch(/a\.example\.com {2}.* +2 +360 B +1 {2}fd00::1\n$/);
  });

  it('series: names its columns as the API does', async () => {
    const path = stored([NAMED]);
    const input = { fromUs: NOW_US - 3600e6, toUs: NOW_US + 60e6, stepS: 3600 };
    const { stdout } = await caught(() => runSeries(path, input, 'json'));
    const { points } = JSON.parse(stdout);
    expect(points[0]).toHaveProperty('p50_us');
    expect(points.map(({ p95_us: us }: { p95_us: number | null }) => us).filter(Boolean)).toHaveLength(1);
    const csv = await caught(() => runSeries(path, input, 'csv'));
    expect(csv.stdout.split('\n')[0]?.split(',')).toEqual(
      expect.arrayContaining(['start_us', 'p50_us', 'p95_us', 'lost_packets']),
    );
  });

  it('export: prints an object or a line for each flow', async () => {
    const path = stored(flows(700));
    const json = await caught(() => runExport(path, {}, 'json'));
    expect(
      json.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).community_id),
    ).toHaveLength(700);
    const csv = await caught(() => runExport(path, { port: 1 }, 'csv'));
    expect(csv.stdout.trim().split('\n')).toHaveLength(1);
    expect(csv.stdout).toContain('community_id');
  });
});

describe('a table for people', () => {
  const columns: PeopleColumn<readonly string[]>[] = [
    { title: 'a', text: ([a]) => a ?? '' },
    { title: 'b', text: ([, b]) => b ?? '', widthMin: 5 },
    { title: 'c', text: ([, , c]) => c ?? '', spare: 1, isRight: true },
  ];
  const table = (width: number | null) => peopleTable(columns, [['one', 'a longer text', '12345']], width)[2];

  it('cuts what may be cut, then leaves out what can be spared', () => {
    expect(table(null)).toBe('one  a longer text  12345');
    expect(table(25)).toBe('one  a longer text  12345');
    expect(table(20)).toBe('one  a longe…  12345');
    expect(table(16)).toBe('one  a longer t…');
    expect(table(5)).toBe('one  a lo…');
  });

  it('shows control characters instead of sending them to the terminal', () => {
    expect(peopleTable(columns, [['\u001b[2J', '', '']], null)[2]).toBe('\\x1b[2J');
  });
});
