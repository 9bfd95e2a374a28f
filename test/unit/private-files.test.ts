import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { resolveConfig } from '../../src/config.js';
import { quarantine } from '../../src/parse/quarantine.js';
import { Frame } from '../../src/ring/layout.js';
import { closeDatabase, openForWriting } from '../../src/store/open-database.js';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';

const NOW_US = 1_700_000_000_000_000;
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

function open(file: string): void {
  closeDatabase(openForWriting(resolveConfig({ 'db.path': file }), NOW_US));
}

function withUmask(umask: number): void {
  const before = process.umask(umask);
  onTestFinished(() => void process.umask(before));
}

describe('what flowberry makes', () => {
  it("is its owner's alone, whatever the umask", () => {
    withUmask(0);
    const directory = path.join(temporaryDirectory(), 'a', 'b');
    const file = path.join(directory, 'flows.db');
    const database = openForWriting(resolveConfig({ 'db.path': file }), NOW_US);
    database.db.exec('CREATE TABLE test(x)');
    const modes = Object.fromEntries(readdirSync(directory).map((name) => [name, modeOf(path.join(directory, name))]));
    closeDatabase(database);
    expect(modes).toEqual({
      'flows.db': '600',
      'flows.db-lock': '600',
      'flows.db-shm': '600',
      'flows.db-wal': '600',
    });
    expect([modeOf(directory), modeOf(path.dirname(directory))]).toEqual(['700', '700']);
  });

  it('keeps the modes that somebody gave to what was there', () => {
    const directory = temporaryDirectory();
    const file = path.join(directory, 'flows.db');
    writeFileSync(file, '', { mode: 0o640 });
    open(file);
    expect(modeOf(file)).toBe('640');
  });

  it('is not made through symbolic links', () => {
    const directory = temporaryDirectory();
    const victim = path.join(directory, 'victim');
    symlinkSync(victim, path.join(directory, 'flows.db'));
    expect(() => open(path.join(directory, 'flows.db'))).toThrow(/a symbolic link is in its place/);
    const other = path.join(directory, 'other');
    mkdirSync(other);
    writeFileSync(victim, 'precious');
    symlinkSync(victim, path.join(other, 'flows.db-lock'));
    expect(() => open(path.join(other, 'flows.db'))).toThrow(/flows\.db-lock: it cannot be made: a symbolic link/);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  it('keeps no packet through a symbolic link', () => {
    const directory = temporaryDirectory();
    const link = path.join(directory, 'flows.db.quarantine.pcap');
    symlinkSync(path.join(directory, 'victim'), link);
    expect(() => quarantine(link, new SharedArrayBuffer(Frame.HeaderBytes), 0)).toThrow(/ELOOP/);
    expect(readdirSync(directory)).toEqual(['flows.db.quarantine.pcap']);
  });

  it('lies beside the database, and nowhere else', async () => {
    const directory = temporaryDirectory();
    const home = path.join(directory, 'home');
    const data = path.join(directory, 'data');
    mkdirSync(home);
    const env = { HOME: home, TMPDIR: home, XDG_CACHE_HOME: home, NODE_COMPILE_CACHE: '' };
    const { exitCode } = await flowberry(['replay', '-', '--db', path.join(data, 'flows.db'), '--json'], { env, input: PCAP });
    expect(exitCode).toBe(0);
    expect(readdirSync(home)).toEqual([]);
    expect(readdirSync(data).sort()).toEqual(['flows.db', 'flows.db-lock']);
  });
});

/** A capture file without packets. */
const PCAP = new Uint8Array(24);
new DataView(PCAP.buffer).setUint32(0, 0xa1b2c3d4, true);
new DataView(PCAP.buffer).setUint16(4, 2, true);
new DataView(PCAP.buffer).setUint16(6, 4, true);
new DataView(PCAP.buffer).setUint32(16, 65_535, true);
new DataView(PCAP.buffer).setUint32(20, 1, true);
