import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/errors.js';
import { DEVICE_HELP } from '../../src/store/reader/device-help.js';
import { pcapFile } from '../helpers/capture-file.js';
import { flowberry, program, replay, temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';
import { writeManyFlows } from '../helpers/many-flows.js';

const someFrames = [1, 2, 3].map((srcPort) => ({ bytes: udpFrame({ srcPort }), seconds: 1_700_000_000 + srcPort }));

function sumsOf(path: string): unknown {
  const database = new Database(path, { readonly: true });
  const sums = database.prepare('SELECT count(*) flows, sum(src_packets + dst_packets) packets FROM flow_view').get();
  database.close();
  return sums;
}

describe('flowberry replay', () => {
  it('prints one JSON object, and nothing else', async () => {
    const directory = temporaryDirectory();
    const file = writeManyFlows(join(directory, 'many.pcap'), 5000, 700);
    const { json, exitCode, stdout, stderr } = await replay([file, '--db', join(directory, 'flows.db')]);
    expect(exitCode).toBe(0);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(json).toMatchObject({
      packets: { received: 5000, in_flows: 5000, dropped: {}, difference: 0 },
      flows: { written: json.flows.emitted, evicted: 0 },
      bytes: { ip: 5000 * 29, wire: 5000 * 43 },
      error: null,
    });
    expect(json.elapsed_s).toBeGreaterThan(0);
  });

  it('prints the ledger for people', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'few.pcap');
    writeFileSync(file, pcapFile([...someFrames, { bytes: new Uint8Array(5) }]));
    const { stdout } = await flowberry(['replay', file, '--db', join(directory, 'flows.db')]);
    expect(stdout).toMatch(/packets read +4\n/);
    expect(stdout).toMatch(/packets in flows +3\n/);
    expect(stdout).toMatch(/dropped: link_truncated +1\n/);
    expect(stdout).toMatch(/flows written +3\n/);
  });

  it('adds to a database that is there, whatever the order in time', async () => {
    const directory = temporaryDirectory();
    const [file, database] = [join(directory, 'few.pcap'), join(directory, 'flows.db')];
    writeFileSync(file, pcapFile(someFrames));
    for (let run = 1; run <= 3; run++) {
      expect((await replay([file, '--db', database])).exitCode).toBe(0);
      expect(sumsOf(database)).toEqual({ flows: 3 * run, packets: 3 * run });
    }
    expect((await flowberry(['db', 'check', '--db', database])).exitCode).toBe(0);
  });

  it('reads several files, gzip, and standard input', async () => {
    const directory = temporaryDirectory();
    const [plain, zipped, database] = ['a.pcap', 'b.pcap.gz', 'flows.db'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(plain, pcapFile(someFrames));
    writeFileSync(zipped, gzipSync(pcapFile(someFrames)));
    const { json } = await replay([plain, zipped, '-', '--db', database], { input: pcapFile(someFrames) });
    expect(json.packets.received).toBe(9);
    expect(sumsOf(database)).toEqual({ flows: 3, packets: 9 });
  });

  it('spreads packets over several workers and loses none', async () => {
    const directory = temporaryDirectory();
    const file = writeManyFlows(join(directory, 'many.pcap'), 20_000, 2500);
    const database = join(directory, 'flows.db');
    const { json } = await replay([
      file,
      '--db',
      database,
      '--workers',
      '3',
      '--flows-active-max',
      '9000',
      '--idle-timeout',
      '0',
    ]);
    expect(json).toMatchObject({ packets: { in_flows: 20_000, difference: 0 }, flows: { written: 2500 } });
    expect(sumsOf(database)).toEqual({ flows: 2500, packets: 20_000 });
  });

  it('stores what was read when it is interrupted', async () => {
    const directory = temporaryDirectory();
    const database = join(directory, 'flows.db');
    const child = spawn(process.execPath, [program, 'replay', '-', '--db', database, '--json'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.write(pcapFile(someFrames));
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    // The pipe stays open, so the replay would wait for ever. The database file shows that it has begun.
    while (!existsSync(database)) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGINT');
    const [exitCode] = await once(child, 'close');
    expect(exitCode).toBe(130);
    const json = JSON.parse(stdout) as { packets: { received: number; in_flows: number } };
    expect(json.packets.in_flows).toBe(json.packets.received);
    expect((await flowberry(['db', 'check', '--db', database])).exitCode).toBe(0);
  });
});

describe('what cannot work', () => {
  /** One line on standard error: program, code, what is at fault, what to do; and no stack. */
  async function refused(args: string[], code: string, mentions: string, env: Record<string, string> = {}): Promise<number> {
    const { exitCode, stderr, stdout } = await flowberry(args, { env });
    expect(stderr).toMatch(new RegExp(`^flowberry: ${code}: [^\\n]*\\n$`));
    expect(stderr).toContain(mentions);
    expect(exitCode).toBeGreaterThan(0);
    expect(stdout).toBe('');
    return exitCode;
  }

  it.each([
    ['a missing file', 'INPUT_NOT_FOUND', (d: string) => join(d, 'missing.pcap')],
    ['a directory', 'INPUT_NOT_READABLE', (d: string) => d],
    ['an empty file', 'INPUT_NOT_A_CAPTURE', (d: string) => write(d, '')],
    ['a text file', 'INPUT_NOT_A_CAPTURE', (d: string) => write(d, 'just some words, more than a header long')],
  ])('%s: %s, and no database is made', async (_, code, makeInput) => {
    const directory = temporaryDirectory();
    const input = makeInput(directory);
    await refused(['replay', input, '--db', join(directory, 'flows.db')], code, input);
    expect(existsSync(join(directory, 'flows.db'))).toBe(false);
  });

  function write(directory: string, content: string | Uint8Array): string {
    const path = join(directory, 'input');
    writeFileSync(path, content);
    return path;
  }

  it('a truncated capture: stored up to the cut, then INPUT_BROKEN with the offset', async () => {
    const directory = temporaryDirectory();
    const whole = pcapFile(someFrames);
    const input = write(directory, whole.subarray(0, whole.length - 5));
    const { exitCode, stderr, json } = await replay([input, '--db', join(directory, 'flows.db')]);
    expect(exitCode).toBe(65);
    expect(stderr).toMatch(/^flowberry: INPUT_BROKEN: .*\d+.*\n$/);
    expect(json).toMatchObject({ packets: { received: 2 }, flows: { written: 2 }, error: { code: 'INPUT_BROKEN' } });
    expect(sumsOf(join(directory, 'flows.db'))).toEqual({ flows: 2, packets: 2 });
  });

  it('an unknown link type: counted by name, not an error', async () => {
    const directory = temporaryDirectory();
    const input = write(directory, pcapFile(someFrames, { linkType: 147 }));
    const { exitCode, json } = await replay([input, '--db', join(directory, 'flows.db')]);
    expect(exitCode).toBe(0);
    expect(json.packets).toEqual({ received: 3, in_flows: 0, dropped: { link_type_unsupported: 3 }, difference: 0 });
  });

  it.each([
    [['--no-such-option'], 'USAGE', '--no-such-option'],
    [['--batch-rows-min', '5001'], 'CONFIG_VALUE_INVALID', '0 to 5000'],
    [['--batch-rows-min', 'many'], 'CONFIG_VALUE_INVALID', 'batch.rows-min'],
    [['--api-address', '0.0.0.0'], 'CONFIG_VALUE_INVALID', 'api.address'],
    [['--idle-timeout', 'soon'], 'USAGE', 'soon'],
    [['--config', '/no/such/file.toml'], 'CONFIG_FILE_UNREADABLE', '/no/such/file.toml'],
  ])('the flags %j: %s', async (flags, code, mentions) => {
    await refused(['run', ...flags], code, mentions);
  });

  it('an unknown command', () => refused(['capture'], 'USAGE', 'capture'));

  it('an unknown option in the environment, with the name that was meant', () =>
    refused(['config', 'check'], 'CONFIG_OPTION_UNKNOWN', 'FLOWBERRY_BATCH_ROWS_MIN', { FLOWBERRY_BATCH_ROW_MIN: '60' }));

  it('a database that is none of ours: it is left as it was', async () => {
    const directory = temporaryDirectory();
    const input = write(directory, pcapFile(someFrames));
    const foreign = join(directory, 'foreign.db');
    const other = new Database(foreign);
    other.exec('CREATE TABLE theirs (x)');
    other.close();
    const before = readFileSync(foreign);
    await refused(['replay', input, '--db', foreign], 'DATABASE_FOREIGN', foreign);
    expect(readFileSync(foreign).equals(before)).toBe(true);
    await refused(['replay', input, '--db', write(directory, pcapFile(someFrames))], 'DATABASE_FOREIGN', 'input');
  });

  it('a database below something that is no directory', async () => {
    const directory = temporaryDirectory();
    const input = write(directory, pcapFile(someFrames));
    await refused(['replay', input, '--db', join(input, 'flows.db')], 'DATABASE_NOT_WRITABLE', 'flows.db');
  });

  it.skipIf(process.getuid?.() === 0)('a database that may not be written (root may write everything)', async () => {
    const directory = temporaryDirectory();
    const input = write(directory, pcapFile(someFrames));
    const locked = join(directory, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    await refused(['replay', input, '--db', join(locked, 'flows.db')], 'DATABASE_NOT_WRITABLE', 'flows.db');
  });

  it.each(['check', 'prune', 'compact'])('db %s of a file that is not there, which is not made', async (command) => {
    const directory = temporaryDirectory();
    const path = join(directory, 'none.db');
    expect(await refused(['db', command, '--db', path], 'DATABASE_NOT_FOUND', path)).toBe(66);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('status without a daemon', async () => {
    await refused(['status', '--api-port', '1'], 'API_UNREACHABLE', '1');
  });
});

describe('flowberry config', () => {
  it('prints the result of all sources: flags before environment before file', async () => {
    const file = join(temporaryDirectory(), 'flowberry.toml');
    writeFileSync(file, '[batch]\nrows-min = 60\nage-ms-max = 600\n[api]\nport = 6000\n');
    const env = { FLOWBERRY_BATCH_AGE_MS_MAX: '700', FLOWBERRY_API_PORT: '7000' };
    const { stdout } = await flowberry(['config', 'print', '--config', file, '--api-port', '8000'], { env });
    expect(stdout).toContain('rows-min = 60');
    expect(stdout).toContain('age-ms-max = 700');
    expect(stdout).toContain('port = 8000');
  });

  it('checks, and tells the memory that the rings and tables take', async () => {
    const rings = ['--ring-frame-bytes', '4194304', '--ring-flow-bytes', '2097152'];
    const { stdout, exitCode } = await flowberry(['config', 'check', '--workers', '2', '--flows-active-max', '8192', ...rings]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('2 parse workers, 21.0 MiB of shared memory');
  });

  it('says where each value comes from, a profile included', async () => {
    const { stdout } = await flowberry(['config', 'print', '--profile', 'small', '--workers', '3'], {
      env: { FLOWBERRY_LOG_LEVEL: 'warn' },
    });
    for (const line of [
      'workers = 3 # the command line',
      'level = "warn" # the environment',
      'cache-kib = 4096 # profile small',
      'decap = true # default',
    ])
      expect(stdout.split('\n')).toContain(line);
  });

  it('refuses what does not fit into memory: when checked, when the budget is asked for, and at the start', async () => {
    const env = { FLOWBERRY_FLOW_ACTIVE_MAX: '5000000', FLOWBERRY_HOST_MEMORY_BYTES_MAX: '536870912', FLOWBERRY_API_PORT: '1' };
    for (const args of [['config', 'check'], ['status', '--budget'], ['run']]) {
      const { exitCode, stdout, stderr } = await flowberry(args, { env });
      expect(exitCode, args.join(' ')).toBe(78);
      expect(stderr).toMatch(
        /^flowberry: CONFIG_MEMORY_EXCEEDED: the options take up to \d+ MiB of memory; the limit is 512 MiB\. /,
      );
      if (args[0] !== 'run') expect(stdout).toMatch(/flow tables +\d+ x [\d.]+ MiB += [\d.]+ MiB +\d+ flows of 1152 B/);
    }
  });

  it('prints the budget of a config that fits, without a daemon', async () => {
    const { exitCode, stdout } = await flowberry(['status', '--budget'], { env: { FLOWBERRY_API_PORT: '1' } });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^at most [\d.]+ MiB of [\d.]+ MiB, chosen by RAM/m);
    expect(stdout).not.toContain('the daemon takes');
  });
});

describe('commands about one device', () => {
  it.each(['flows', 'dns', 'names', 'export', 'top', 'series'])('%s: tells what names it, as the API does', async (name) => {
    const { stdout } = await flowberry([name, '--help']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`--device <device> ${DEVICE_HELP}`);
  });

  it('say that there is none, with a code of their own', async () => {
    const directory = temporaryDirectory();
    const [file, database] = [join(directory, 'few.pcap'), join(directory, 'flows.db')];
    writeFileSync(file, pcapFile(someFrames));
    await replay([file, '--db', database]);
    for (const command of [['flows'], ['dns'], ['names'], ['export'], ['top', 'applications'], ['series']]) {
      const { stderr, exitCode } = await flowberry([...command, '--device', 'nobody', '--db', database]);
      expect(stderr, command[0]).toMatch(/^flowberry: DEVICE_NOT_FOUND: there is no device "nobody"/);
      expect(exitCode).toBe(ERRORS.DEVICE_NOT_FOUND.exitCode);
    }
  });
});
