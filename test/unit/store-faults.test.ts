import { openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { Slot } from '../../src/ring/layout.js';
import { Cell } from '../../src/ring/thread-block.js';
import { WriteFault } from '../../src/ring/write-fault.js';
import { checkDatabase } from '../../src/store/check.js';
import { KeptWriter } from '../../src/store/faults/kept-writer.js';
import { setAside } from '../../src/store/faults/set-aside.js';
import { SCHEMA_VERSION } from '../../src/store/schema.js';
import { flow, flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { expectBalanced, Kept, kept, REFUSE } from '../helpers/kept.js';

const NOW_US = NOW_MS * 1000;
const COUNT = 'SELECT count(*) FROM flows';
const codesOf = ({ rig }: Kept) => rig.log.flatMap(({ fields }) => ('code' in fields ? [fields.code] : []));
const eventsOf = ({ rig }: Kept) => rig.query<{ event: string }>('SELECT event FROM file_events').map(({ event }) => event);
const namesBeside = (path: string) => readdirSync(dirname(path)).sort();

/** Overwrites bytes of a file as another process or a failing card does. */
function overwrite(path: string, offset: number, bytes: number): void {
  writeSync(openSync(path, 'r+'), Buffer.alloc(bytes, 0xff), 0, bytes, offset);
}

describe('a database that is removed or replaced while it is open', () => {
  it('removed: a new file takes up the session, and tells what was lost with the old one', () => {
    const writer = kept();
    writer.emit(60);
    writer.pass(1_500);
    expect(writer.rig.value(COUNT)).toBe(60);
    rmSync(writer.rig.path);
    writer.emit(10);
    writer.pass(1_200);
    expect(writer.writer.failure).toContain('removed');
    expect(writer.cell(Cell.WriteFailing)).toBe(1);
    writer.pass(3_000);
    expect(writer.writer.failure).toBeNull();
    expect(writer.cell(Cell.WriteFailing)).toBe(0);
    expect(writer.cell(Cell.FilesReplaced)).toBe(1);
    writer.emit(50);
    writer.pass(1_500);
    expect(writer.rig.value(COUNT)).toBe(60);
    expect(eventsOf(writer)).toEqual(['removed']);
    expect(codesOf(writer)).toEqual(['DATABASE_REPLACED']);
    expectBalanced(writer, 120);
    expect(writer.rig.query('SELECT flows, packets, ip_bytes, wire_bytes FROM unwritten')).toEqual([
      { flows: 60, packets: 120, ip_bytes: 60 * 180, wire_bytes: 60 * 208 },
    ]);
  });

  it('replaced by an older copy: the copy is taken up with its rows, and the difference is lost', () => {
    const writer = kept();
    writer.emit(60);
    writer.pass(1_500);
    const copy = `${writer.rig.path}-copy`;
    writer.rig.execute(`VACUUM INTO '${copy}'`);
    writer.emit(70);
    writer.pass(1_500);
    expect(writer.rig.value(COUNT)).toBe(130);
    renameSync(copy, writer.rig.path);
    writer.pass(4_000);
    expect(writer.rig.value(COUNT)).toBe(60);
    writer.emit(50);
    writer.pass(1_500);
    expect(writer.rig.value(COUNT)).toBe(110);
    expect(eventsOf(writer)).toEqual(['replaced']);
    expectBalanced(writer, 140);
  });

  it('replaced while a reader holds its log: the log is kept under another name, and does not get into the new file', () => {
    const writer = kept();
    writer.emit(60);
    writer.pass(1_500);
    const copy = `${writer.rig.path}-copy`;
    writer.rig.execute(`VACUUM INTO '${copy}'`);
    const reader = new Database(writer.rig.path, { readonly: true });
    reader.exec('BEGIN');
    reader.prepare(COUNT).get();
    writer.emit(70);
    writer.pass(1_500);
    renameSync(copy, writer.rig.path);
    writer.pass(4_000);
    expect(namesBeside(writer.rig.path).filter((name) => /-wal\.replaced-\d{8}T\d{6}Z$/.test(name))).toHaveLength(1);
    reader.close();
    expect(writer.rig.value(COUNT)).toBe(60);
    expectBalanced(writer, 140);
  });

  it('moved away and brought back: nothing of it is counted as lost', () => {
    const writer = kept();
    writer.emit(60);
    writer.pass(1_500);
    const away = join(temporaryDirectory(), 'away.db');
    renameSync(writer.rig.path, away);
    writer.pass(4_000);
    // All of it is in the one file, none in the log that stayed behind.
    expect(checkDatabase(away).flows).toBe(60);
    writer.emit(55);
    writer.pass(1_500);
    expect(writer.rig.value(COUNT)).toBe(55);
    renameSync(away, writer.rig.path);
    writer.emit(3);
    writer.pass(4_000);
    expect(writer.rig.value(COUNT)).toBe(60);
    expectBalanced(writer, 110);
    expect(writer.rig.value(COUNT)).toBe(63);
  });

  it('replaced by somebody else’s file: waits, leaves it alone, and goes on when it is gone', () => {
    const writer = kept();
    writer.emit(60);
    writer.pass(1_500);
    const notes = join(temporaryDirectory(), 'notes');
    writeFileSync(notes, 'notes '.repeat(1000));
    renameSync(notes, writer.rig.path);
    writer.pass(1_100);
    writer.emit(60);
    writer.pass(5_000);
    expect(readFileSync(writer.rig.path, 'utf8')).toMatch(/^notes notes/);
    expect(writer.writer.failure).toContain('no SQLite file');
    expect(writer.cell(Cell.WriteFault)).toBe(WriteFault.Foreign);
    expect(codesOf(writer)).toEqual(['DATABASE_REPLACED', 'DATABASE_FOREIGN']);
    rmSync(writer.rig.path);
    writer.pass(3_000);
    expect(writer.writer.failure).toBeNull();
    expectBalanced(writer, 120);
  });

  it('is not taken before it is at rest', () => {
    const writer = kept();
    writer.emit(60);
    writer.pass(1_500);
    const whole = readFileSync(writer.rig.path);
    rmSync(writer.rig.path);
    writer.pass(1_000);
    for (let part = 1; part <= 8; part++) {
      writeFileSync(writer.rig.path, whole.subarray(0, (whole.length * part) / 8));
      writer.pass(1_000);
    }
    writer.pass(2_000);
    expect(namesBeside(writer.rig.path).filter((name) => name.includes('corrupt'))).toEqual([]);
    expect(writer.writer.failure).toBeNull();
    writer.close();
  });
});

describe('a database that is damaged', () => {
  it('while it is open: is moved aside with its log, and a new one is begun', () => {
    const writer = kept({ options: { 'ring.flow-bytes': 1_048_576 } });
    writer.emit(2_000);
    writer.pass(1_500);
    const { path } = writer.rig;
    writer.rig.execute('PRAGMA wal_checkpoint(TRUNCATE)');
    overwrite(path, 4096, readFileSync(path).length - 4096);
    // Pages that SQLite remembers are not read again; another connection changes the file, so that it forgets them.
    writer.writer.step(writer.nowMs, false);
    writer.rig.execute(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    writer.emit(60);
    writer.pass(3_000);
    expect(writer.writer.failure).toBeNull();
    expect(writer.rig.value(COUNT)).toBe(60);
    expect(codesOf(writer)).toEqual(['DATABASE_WRITE_FAILED', 'DATABASE_SET_ASIDE']);
    expect(writer.cell(Cell.FilesSetAside)).toBe(1);
    expect(eventsOf(writer)).toEqual(['set_aside']);
    const aside = namesBeside(path).filter((name) => /\.corrupt-\d{8}T\d{6}Z$/.test(name));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(dirname(path), aside[0] as string)).length).toBeGreaterThan(100_000);
    expectBalanced(writer, 4_000);
  });

  function damagedRig(): WriterRig {
    const rig = new WriterRig();
    rig.store(flows(500));
    overwrite(rig.path, 100, 4096 - 100);
    return rig;
  }

  it('at the start: is moved aside', () => {
    const { path } = damagedRig();
    const writer = kept({ path });
    writer.emit(60);
    writer.pass(1_500);
    expect(writer.rig.value(COUNT)).toBe(60);
    expect(codesOf(writer)).toEqual(['DATABASE_SET_ASIDE']);
    expectBalanced(writer, 0);
  });

  it('at the start, with its header wiped out: is known by the schema behind it', () => {
    const rig = new WriterRig();
    rig.store(flows(500));
    writeSync(openSync(rig.path, 'r+'), Buffer.alloc(512), 0, 512, 0);
    const writer = kept({ path: rig.path });
    expect(codesOf(writer)).toEqual(['DATABASE_SET_ASIDE']);
    writer.close();
  });

  it('is refused by a replay, and by everybody while another process holds it', () => {
    const { path } = damagedRig();
    const before = readFileSync(path);
    const rig = new WriterRig({ path });
    const replay = { config: rig.config, memory: rig.memory, session: { ...rig.session, mode: 'replay' as const } };
    expect(() => KeptWriter.open(replay, () => undefined, NOW_MS)).toThrow(expect.objectContaining({ code: 'DATABASE_DAMAGED' }));
    expect(readFileSync(path)).toEqual(before);
    const holder = new Database(`${path}-lock`);
    holder.exec('BEGIN EXCLUSIVE');
    expect(() => kept({ path })).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED' }));
    holder.close();
    expect(readFileSync(path)).toEqual(before);
  });

  it('and not ours: is refused and left', () => {
    const path = join(temporaryDirectory(), 'other.db');
    const bytes = Buffer.alloc(8192, 0xff);
    bytes.write('SQLite format 3\0');
    writeFileSync(path, bytes);
    expect(() => kept({ path })).toThrow(expect.objectContaining({ name: 'AppError' }));
    expect(readFileSync(path)).toEqual(bytes);
    expect(namesBeside(path)).toEqual(['other.db']);
  });

  it('leaves at most three aside, the newest, and nothing else is deleted', () => {
    const path = join(temporaryDirectory(), 'flows.db');
    const others = [
      'flows.db.corrupt-20200101T000000Z.gz',
      'flows.db.corrupt-notes',
      'xflows.db.corrupt-20200101T000000Z',
      'flows.db.corrupt',
    ];
    for (const name of others) writeFileSync(join(dirname(path), name), 'mine');
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      writeFileSync(path, `${i}`);
      made.push(basename(setAside(path, NOW_MS)));
      writeFileSync(join(dirname(path), `${made[i]}-wal`), `${i}`);
    }
    expect(new Set(made).size).toBe(5);
    expect(namesBeside(path)).toEqual([...others, ...made.slice(2).flatMap((name) => [name, `${name}-wal`])].sort());
  });

  it('again and again: is moved aside three times an hour, then rows wait and are dropped', () => {
    const writer = kept({ options: { 'ring.flow-bytes': 65_536 } });
    const asides = (): number => namesBeside(writer.rig.path).filter((name) => /corrupt-\d{8}T\d{6}Z$/.test(name)).length;
    const damage = (): void => {
      writer.rig.execute(`PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = ${SCHEMA_VERSION}`);
      overwrite(writer.rig.path, 4096, readFileSync(writer.rig.path).length - 4096);
      for (let i = 0; i < 20; i++) {
        writer.emit(15);
        writer.pass(200);
      }
    };
    for (const expected of [1, 2, 3, 3]) {
      damage();
      expect(asides()).toBe(expected);
    }
    expect(writer.cell(Cell.WriteFault)).toBe(WriteFault.Damaged);
    expect(writer.writer.failure).not.toBeNull();
    for (let i = 0; i < 40; i++) {
      writer.emit(15);
      writer.pass(200);
    }
    writer.pass(3_600_000);
    expect(asides()).toBe(3);
    expect(writer.cell(Cell.FilesSetAside)).toBe(4);
    expect(writer.writer.failure).toBeNull();
    expectBalanced(writer, writer.cell(Cell.PacketsLost));
  });
});

describe('a database that refuses for long', () => {
  it('costs the oldest rows that wait, which are counted; what comes is taken on', () => {
    const writer = kept({ options: { 'ring.flow-bytes': 65_536 } });
    writer.emit(60);
    writer.pass(1_500);
    writer.rig.execute(REFUSE);
    const roomFor = Math.floor(65_536 / (Slot.RecordBytes + 8));
    for (let i = 0; i < 100; i++) {
      writer.emit(10);
      writer.pass(200);
    }
    expect(writer.cell(Cell.WriteFailing)).toBe(1);
    expect(writer.cell(Cell.FlowsLost)).toBeGreaterThan(1_000 - roomFor);
    expect(writer.cell(Cell.FlowsLost)).toBeLessThan(1_000 - roomFor / 2);
    writer.rig.execute('DROP TRIGGER refuse');
    writer.pass(2_000);
    expect(writer.cell(Cell.WriteFailing)).toBe(0);
    expect(writer.rig.value('SELECT max(id) FROM flows')).toBe(NOW_US + 1_060_000);
    expectBalanced(writer, writer.cell(Cell.FlowsLost) * 2);
  });

  it('costs nothing in a replay, which waits', () => {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 65_536 } });
    (rig.session as { mode: string }).mode = 'replay';
    const writer = new Kept(rig);
    writer.rig.execute(REFUSE);
    while (rig.tryEmit(flow()));
    writer.pass(60_000);
    expect(writer.cell(Cell.FlowsLost)).toBe(0);
    writer.writer.abandon();
  });

  it('is known by its successor: a thread that dies meanwhile', () => {
    const writer = kept({ options: { 'ring.flow-bytes': 65_536 } });
    writer.emit(60);
    writer.pass(1_500);
    writer.rig.execute(REFUSE);
    for (let i = 0; i < 40; i++) {
      writer.emit(10);
      writer.pass(200);
    }
    writer.writer.abandon();
    writer.rig.execute('DROP TRIGGER refuse');
    rmSync(writer.rig.path);
    rmSync(`${writer.rig.path}-wal`, { force: true });
    const successor = new Kept(writer.rig);
    successor.nowMs = writer.nowMs;
    const dropped = writer.cell(Cell.FlowsLost);
    expect(dropped).toBeGreaterThan(60);
    successor.pass(1_000);
    expectBalanced(successor, dropped * 2);
  });

  it('waits for its place when a successor finds it taken', () => {
    const writer = kept();
    writer.emit(60);
    writer.pass(1_500);
    writer.writer.abandon();
    renameSync(writer.rig.path, `${writer.rig.path}.away`);
    writeFileSync(writer.rig.path, 'notes'.repeat(500));
    writer.rig.count(writer.rig.writerBlock, Cell.Starts, 2);
    const successor = new Kept(writer.rig);
    expect(successor.writer.failure).toContain('no SQLite file');
    rmSync(writer.rig.path);
    rmSync(`${writer.rig.path}-wal`, { force: true });
    renameSync(`${writer.rig.path}.away`, writer.rig.path);
    successor.pass(2_000);
    expect(successor.writer.failure).toBeNull();
    expectBalanced(successor, 0);
  });
});
